// The queue: what will start next, in order, and what each run waits for.
'use strict';

nn.views.queue = root => {
  const h = nn.h,
    w = nn.words,
    place = h('div', { class: 'scroll' });
  root.append(h('h1', {}, 'Queue'), place);
  let timer;

  const need = ([name, value]) => {
    if (typeof value !== 'number') return `${name}=${w.plain(value)}`;
    return `${name}=${/ram|disk|mem/.test(name) ? w.bytes(value) : name === 'time' ? w.duration(value) : value}`;
  };
  const needs = value =>
    Object.entries(value ?? {})
      .map(need)
      .join(' ');
  const line = (entry, i) => {
    const row = nn.store.rows.get(entry.run) ?? { run: entry.run };
    const after = entry.after?.map(a => [h('a', { href: '#/run/' + Number(a.run ?? a) }, a.run ?? a), ' ']);
    return h(
      'tr',
      {},
      h('td', { class: 'number' }, i + 1),
      h('td', { class: 'number' }, h('a', { href: '#/run/' + entry.run }, entry.run)),
      h('td', { class: 'name' }, row.name ?? row.command),
      h('td', { class: 'number' }, entry.priority),
      h('td', { class: 'waits' }, entry.waits),
      h('td', {}, after),
      h('td', {}, needs(entry.needs)),
      nn.store.about.write && h('td', {}, h('div', { class: 'buttons' }, nn.actions.buttons([row]))),
    );
  };
  const show = ({ queue = [] }) => {
    const heads = ['', 'Run', 'Name', 'Priority', 'Waits for', 'After', 'Needs', ...(nn.store.about.write ? [''] : [])];
    nn.redraw(
      place,
      queue.length === 0
        ? nn.empty('Nothing waits.')
        : h(
            'table',
            { class: 'list' },
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                heads.map(t => h('th', { scope: 'col', class: t === 'Run' || t === 'Priority' ? 'number' : '' }, t)),
              ),
            ),
            h('tbody', {}, queue.map(line)),
          ),
    );
  };
  const read = () =>
    nn
      .get('queue')
      .then(show)
      .catch(error => place.replaceChildren(nn.empty(error.message, { role: 'alert' })));
  read();
  return {
    heard: {
      runs: () => {
        timer ??= setTimeout(() => {
          timer = undefined;
          read();
        }, 1000);
      },
    },
    close: () => clearTimeout(timer),
  };
};
