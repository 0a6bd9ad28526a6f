// One run: what it is and how it stands, its curves, its log as it grows, what it used, what happened to it, and what it
// has that another run, or the last good one, has not. What changes is asked for again at most once a second;
// log and events come by themselves.
'use strict';

nn.views.run = (root, { arg, query }) => {
  const h = nn.h,
    w = nn.words,
    run = Number(arg);
  if (!/^\d{1,15}$/.test(arg ?? ''))
    return root.append(h('h1', {}, 'Which run?'), nn.empty('Its number is missing.')) ?? {};
  const timers = new Map();
  let closed = false;
  const section = nn.section;
  const top = h('div', { class: 'top' }),
    facts = section('Facts'),
    params = section('Parameters'),
    events = section('Events');
  const curves = section('Curves'),
    resources = section('Resources'),
    bars = h('div'),
    log = nn.log(run),
    charts = [];
  const keep = change => nn.app.keep(`run/${run}`, Object.assign(query, change));
  const lines = nn.trends(curves, query, keep),
    diff = nn.diff(run);
  curves.append(bars);

  const definition = (name, ...value) =>
    value.some(v => v !== undefined && v !== '' && v !== false) && [h('dt', {}, name), h('dd', {}, ...value)];
  // What is folded is made when it is opened, and stays as it is until it changes.
  const folded = new Map();
  const lazy = (title, value) => {
    const text = JSON.stringify(value ?? {}),
      before = folded.get(title);
    if (before?.text === text) return before.details;
    const found = new Map();
    nn.files.flatten('', value ?? {}, found);
    if (!found.size) return false;
    const details = h('details', { open: before?.details.open }, h('summary', {}, title));
    details.addEventListener('toggle', () => details.append(nn.pairs([...found])), { once: true });
    folded.set(title, { text, details });
    return details;
  };

  const showTop = row =>
    nn.redraw(
      top,
      h('h1', {}, `Run ${row.run}`, row.name !== undefined && h('span', { class: 'name' }, row.name)),
      h(
        'p',
        { class: 'standing' },
        nn.state.badge(row),
        row.how && h('span', { class: 'how' }, row.how),
        row.waits && h('span', { class: 'how' }, row.waits),
        row.left >= 0 && h('span', { class: 'pale' }, `${w.duration(Math.round(row.left))} left`),
        row.warnings > 0 && h('span', { class: 'warned' }, `⚠ ${w.count(row.warnings, 'warning')}`),
      ),
      (row.progress >= 0 &&
        row.state === 'running' &&
        h('progress', { max: 1, value: row.progress, 'aria-label': 'Progress' })) ||
        '',
      (row.note !== undefined && h('p', { class: 'note' }, row.note)) || '',
      h(
        'p',
        { class: 'buttons' },
        nn.actions.buttons([row]),
        row.good !== undefined &&
          h(
            'a',
            { class: 'button', href: nn.app.link('compare', { runs: `${row.good},${run}` }) },
            `Compare with run ${row.good}`,
          ),
      ),
    );

  const showFacts = row =>
    nn.redraw(
      facts,
      facts.firstChild,
      h(
        'dl',
        {},
        definition('command', row.command),
        definition('directory', row.job?.cwd),
        definition(
          'group',
          row.group !== undefined &&
            h('a', { href: nn.app.link('runs', { where: `group="${row.group}"` }) }, row.group),
        ),
        definition('tags', row.tags?.join(' ')),
        definition('host', row.host),
        definition('added', row.added && w.time(row.added)),
        definition('started', row.started && w.time(row.started)),
        definition('ended', row.ended && w.time(row.ended)),
        definition('took', w.duration(row.duration)),
        definition('attempt', row.attempt > 1 && row.attempt),
        definition('priority', row.priority),
        definition(
          'at',
          row.at &&
            Object.entries(row.at)
              .map(([k, v]) => `${k} ${w.plain(v)}`)
              .join(', '),
        ),
        definition('commit', row.facts?.git?.commit),
        definition('branch', row.facts?.git?.branch),
      ),
      lazy('What was asked', row.job) || '',
      lazy('What was found', row.facts) || '',
      lazy('How it ended', row.result) || '',
      (row.attempts?.length > 1 && lazy('Attempts', row.attempts)) || '',
    );

  const eventWords = e => {
    if (e.why) return `${e.detector ?? e.event}: ${e.why}`;
    const { t, event, run: _, ...rest } = e;
    return [event, ...Object.entries(rest).map(([k, v]) => `${k}=${w.plain(v)}`)].join(' ');
  };
  let happened = [];
  const showEvents = () => {
    const last = happened.slice(-200).reverse();
    events.replaceChildren(
      events.firstChild,
      last.length === 0
        ? nn.empty('Nothing yet.')
        : h(
            'ol',
            { class: 'events' },
            last.map(e =>
              h(
                'li',
                { class: e.level ?? '' },
                h('time', { datetime: e.t }, w.time(e.t)),
                h('span', { class: 'level' }, e.level ?? ''),
                h('span', {}, eventWords(e)),
              ),
            ),
          ),
    );
  };

  const showBars = row => {
    const found = nn.channels([row]);
    bars.replaceChildren(...found.map(name => nn.bars(name, [row], [])));
  };
  const showResources = async () => {
    const { series = {} } = await nn.get(`runs/${run}/resources?points=500`);
    if (closed) return;
    const names = Object.keys(series).filter(name => series[name].y?.length);
    charts.splice(0).forEach(c => c.close());
    const place = h('div', { class: 'charts small' });
    resources.replaceChildren(
      resources.firstChild,
      names.length ? place : nn.empty('No samples yet: the first comes after ten seconds.'),
    );
    names.forEach((name, i) => {
      const [unit, by] = /ram|mem/.test(name) ? ['GiB', 2 ** 30] : name.startsWith('gpu') ? ['%', 0.01] : ['cores', 1];
      const chart = nn.chart(name, { height: 130 }),
        y = series[name].y.map(v => (w.number(v) ?? NaN) / by);
      charts.push(chart);
      place.append(h('figure', {}, h('figcaption', {}, `${name}, ${unit}`), chart.element));
      chart.set({ series: [{ key: name, name, x: series[name].t, y, ...nn.scale.look(0) }], xKind: 'clock' });
    });
  };

  const show = row => {
    showTop(row);
    showFacts(row);
    const pairs = Object.entries(row.params ?? {});
    params.replaceChildren(params.firstChild, pairs.length ? nn.pairs(pairs) : nn.empty('None.'));
    happened = row.events ?? happened;
    showEvents();
    showBars(row);
    diff.about(row);
  };
  // The longer it takes to read the history, the less often that is done.
  let pace = 1000;
  const history = async () => {
    const began = performance.now();
    const data = await nn.get(`runs/${run}/history?points=1000`);
    pace = Math.max(1000, 5 * (performance.now() - began));
    if (!closed) lines.take(data);
  };
  const read = async () => show(await nn.get(`runs/${run}`));
  const soon = (act, wait = 1000) => {
    if (timers.has(act)) return;
    timers.set(
      act,
      setTimeout(() => {
        timers.delete(act);
        if (!closed) act().catch(() => {});
      }, wait),
    );
  };
  const failed = error =>
    closed || root.replaceChildren(h('h1', {}, `Run ${run}`), nn.empty(error.message, { role: 'alert' }));

  top.append(h('h1', {}, `Run ${run}`));
  root.append(
    top,
    h(
      'div',
      { class: 'columns' },
      h('div', { class: 'side' }, facts, params, diff.element),
      h('div', { class: 'wide' }, curves, log.element, resources, events),
    ),
  );
  Promise.all([read(), history(), showResources().catch(() => {})]).catch(failed);
  const refresh = setInterval(() => {
    if (nn.store.rows.get(run)?.state === 'running' && !document.hidden && !nn.isExport)
      showResources().catch(() => {});
  }, 15000);

  const step = by => {
    const at = nn.store.list.findIndex(row => row.run === run),
      next = nn.store.list[at + by];
    if (at >= 0 && next) location.hash = `#/run/${next.run}`;
  };
  let away = false;
  const live = state => {
    if (state === 'live' && away) Promise.all([read(), history(), log.catchUp()]).catch(() => {});
    away = state !== 'live';
  };
  const signs = nn.store.heard.live;
  return {
    heard: {
      live: state => {
        signs(state);
        live(state);
      },
      runs: ({ runs }) => {
        if (runs.includes(run)) soon(read);
      },
      points: () => soon(history, pace),
      log: log.news,
      event: e => {
        happened.push(e);
        showEvents();
      },
    },
    keys: { j: () => step(1), k: () => step(-1) },
    close: () => {
      closed = true;
      timers.forEach(clearTimeout);
      clearInterval(refresh);
      log.close();
      lines.close();
      charts.forEach(c => c.close());
    },
  };
};
