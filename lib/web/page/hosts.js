// The hosts: how busy processors and GPUs are, what memory and disks are taken, and how that was of late.
'use strict';

nn.views.hosts = root => {
  const h = nn.h,
    { bytes, percent, ago, count, number } = nn.words,
    place = h('div', { class: 'machines' }),
    cards = new Map();
  root.append(h('h1', {}, 'Hosts'), place);

  // Busy is well; full is not.
  const gauge = (name, part, words, isRoom) => {
    const full = isRoom && part >= 0.9 ? ' full' : '',
      now = Math.round((part || 0) * 100);
    return h(
      'div',
      { class: 'gauge' },
      h('span', { class: 'what', title: name }, name),
      h(
        'span',
        {
          class: 'meter' + full,
          role: 'meter',
          'aria-label': name,
          'aria-valuenow': now,
          'aria-valuemin': 0,
          'aria-valuemax': 100,
          'aria-valuetext': words,
        },
        h('span', { style: { width: `${Math.min(100, now)}%` } }),
      ),
      h('span', { class: 'number' }, words),
    );
  };
  const space = (name, used, total) =>
    total > 0 && gauge(name, used / total, `${bytes(used)} of ${bytes(total)}`, true);
  const gpu = g => [
    gauge(
      `GPU ${g.index}${g.name ? ' ' + g.name : ''}`,
      g.util,
      g.util >= 0 ? percent(g.util) + (g.temp > 0 ? `, ${g.temp} °C` : '') : 'unknown',
    ),
    space(`GPU ${g.index} memory`, g.used, g.total),
  ];
  const disk = d =>
    d.total > 0
      ? gauge(`disk ${d.path ?? ''}`, 1 - d.free / d.total, `${bytes(d.free)} free of ${bytes(d.total)}`, true)
      : d.free >= 0 &&
        h(
          'div',
          { class: 'gauge' },
          h('span', { class: 'what' }, `disk ${d.path ?? ''}`),
          h('span', {}),
          h('span', { class: 'number' }, `${bytes(d.free)} free`),
        );

  const make = () => {
    const facts = h('div'),
      chart = nn.chart('History', { height: 150 }),
      legend = h('div');
    const element = h('section', { class: 'host' }, facts, chart.element, legend);
    return { element, facts, chart, legend };
  };
  const fill = (card, host) => {
    card.element.setAttribute('aria-label', host.host);
    card.facts.replaceChildren(
      h('h2', {}, host.host),
      h(
        'p',
        { class: 'pale' },
        [count(host.workers ?? 0, 'worker'), host.seen && `seen ${ago(host.seen)}`].filter(Boolean).join(', '),
      ),
      host.cpu >= 0 ? gauge(`CPU${host.cpus ? ` ×${host.cpus}` : ''}`, host.cpu, percent(host.cpu)) : '',
      space('RAM', host.ram?.used, host.ram?.total) || '',
      ...(host.gpus ?? []).flatMap(gpu).filter(Boolean),
      ...(host.disks ?? []).map(disk).filter(Boolean),
    );
    const { t = [], ...past } = host.history ?? {},
      names = Object.keys(past).filter(name => past[name]?.some(v => number(v) >= 0));
    card.chart.element.hidden = t.length < 2;
    card.chart.set({
      series: names.map((name, i) => ({
        key: name,
        name,
        x: t.map(
          v =>
            (typeof v === 'string' ? Date.parse(v) : v * 1000) / 1000 -
            (typeof t[t.length - 1] === 'string' ? Date.parse(t[t.length - 1]) / 1000 : t[t.length - 1]),
        ),
        y: past[name].map(v => number(v) * 100),
        ...nn.scale.look(i),
      })),
      yName: '%',
      xKind: 'ago',
    });
    card.legend.replaceChildren(...(names.length > 1 && t.length > 1 ? [nn.legend(card.chart, 'History')] : []));
  };
  const close = () => {
    cards.forEach(card => card.chart.close());
    cards.clear();
  };
  const say = (words, attributes) => {
    close();
    place.replaceChildren(nn.empty(words, attributes));
  };
  const show = data => {
    const hosts = data.hosts ?? [];
    if (!hosts.length) return say('No host has told anything yet: a worker or a run does.');
    for (const host of hosts) {
      if (!cards.has(host.host)) {
        if (!cards.size) place.replaceChildren();
        cards.set(host.host, make());
        place.append(cards.get(host.host).element);
      }
      fill(cards.get(host.host), host);
    }
  };
  const read = () =>
    nn
      .get('hosts')
      .then(show)
      .catch(error => say(error.message, { role: 'alert' }));
  if (nn.store.hosts) show(nn.store.hosts);
  read();
  return { heard: { hosts: show }, close };
};
