// One run: what it is and how it stands, its curves, its log as it grows, what it used, what happened to it, and what it
// has that another run, or the last good one, has not. What changes is asked for again at most once a second; points,
// log and events come by themselves.
'use strict';

// Curves of one run: variables of one meaning share a chart, train_cost with valid_cost, error/a with error/b.
nn.runCurves = (root, query, keep) => {
  const h = nn.h, SPLIT = /^(train|training|valid|validation|val|test|eval|dev)[_\-/. ](.+)$/i, MOST = 12;
  const base = name => SPLIT.exec(name)?.[2] ?? (name.includes('/') ? name.split('/')[0] : name);
  const charts = new Map(), hidden = new Map();
  let series = {}, start, open = false;

  const opts = { x: query.x ?? '', log: query.log === '1', smooth: Number(query.smooth) || 0 };
  const set = change => { Object.assign(opts, change); keep({ x: opts.x, log: opts.log ? 1 : '', smooth: opts.smooth || '' }); draw(); };
  const axis = h('select', { 'aria-label': 'Along', change: e => set({ x: e.target.value }) }, ['', 'epoch', 'step', 'time'].map(x => h('option', { value: x, selected: x === opts.x }, x || 'by itself')));
  const controls = h('div', { class: 'controls' }, h('label', { class: 'inline' }, 'x', axis),
    h('label', { class: 'inline' }, h('input', { type: 'checkbox', checked: opts.log, change: e => set({ log: e.target.checked }) }), 'log'),
    h('label', { class: 'inline' }, 'smooth', h('input', { type: 'range', min: 0, max: 0.98, step: 0.02, value: opts.smooth, input: e => set({ smooth: Number(e.target.value) }) })));
  const place = h('div', { class: 'charts' }), more = h('button', { type: 'button', hidden: true, click: () => { open = true; draw(); } });
  root.append(controls, place, more);

  // The counter that tells the points apart; else the time.
  const along = s => {
    const column = opts.x === 'time' ? s.t : opts.x ? s[opts.x] : undefined;
    if (column) return [opts.x, column];
    const good = ['epoch', 'step'].find(name => s[name] && new Set(s[name]).size * 2 > s.y.length);
    return good ? [good, s[good]] : s.step ? ['step', s.step] : ['time', s.t ?? s.y.map((_, i) => i)];
  };
  const groups = () => {
    const found = new Map();
    for (const name of Object.keys(series)) found.set(base(name), [...found.get(base(name)) ?? [], name]);
    // What has one value a run is told by bars.
    return [...found].filter(([, names]) => names.length < 3 || names.some(name => series[name].y.length > 1));
  };
  const draw = () => {
    const all = groups(), seen = open ? all : all.slice(0, MOST);
    more.hidden = seen.length === all.length;
    more.textContent = `${all.length - seen.length} more charts`;
    if (!all.length) place.replaceChildren(h('p', { class: 'empty' }, 'No values yet.'));
    for (const [title, names] of seen) {
      let own = charts.get(title);
      if (!own) {
        if (!charts.size) place.replaceChildren();
        own = { chart: nn.chart(title), legend: h('div') };
        charts.set(title, own);
        place.append(h('figure', {}, h('figcaption', {}, title), own.chart.element, own.legend));
      }
      const lines = names.map((name, i) => {
        const [xName, x] = along(series[name]);
        return { key: name, name, x, y: series[name].y, xName, hidden: hidden.get(name), ...nn.scale.look(i) };
      });
      const xName = lines[0]?.xName;
      own.chart.data.series.forEach(s => hidden.set(s.key, s.hidden));
      lines.forEach(s => { s.hidden = hidden.get(s.key); });
      own.chart.set({ series: lines, xName, xKind: xName === 'time' ? 'clock' : 'number', log: opts.log, smooth: opts.smooth });
      if (own.count !== lines.length) own.legend.replaceChildren(...lines.length > 1 ? [nn.legend(own.chart, title)] : []);
      else if (own.legend.firstChild) own.legend.replaceChildren(nn.legend(own.chart, title));
      own.count = lines.length;
    }
  };

  const take = history => {
    series = history.series ?? {};
    start = history.from;
    draw();
  };
  // New points, as history.jsonl has them. Without the time of the first point, or when they are many, all is read anew.
  const add = points => {
    if (start === undefined || Object.values(series).some(s => s.y.length > 4000)) return false;
    const counters = ['epoch', 'step'];
    for (const point of points) {
      for (const [name, value] of Object.entries(point)) {
        if (name === 't' || counters.includes(name) || ['batch', 'batches', 'iter'].includes(name) || nn.words.number(value) === undefined) continue;
        const s = series[name] ??= { t: [], y: [], ...Object.fromEntries(counters.filter(c => c in point).map(c => [c, []])) };
        s.y.push(value);
        s.t?.push((Date.parse(point.t) - Date.parse(start)) / 1000);
        for (const c of counters) s[c]?.push(point[c] ?? NaN);
      }
    }
    draw();
    return true;
  };
  return { take, add, close: () => charts.forEach(own => own.chart.close()) };
};

nn.views.run = (root, { arg, query }) => {
  const h = nn.h, w = nn.words, run = Number(arg);
  if (!/^\d{1,15}$/.test(arg ?? '')) return root.append(h('h1', {}, 'Which run?'), h('p', { class: 'empty' }, 'Its number is missing.')) ?? {};
  const timers = new Map();
  let closed = false;
  const section = (title, ...children) => h('section', { 'aria-label': title }, h('h2', {}, title), ...children);
  const top = h('div', { class: 'top' }), facts = section('Facts'), params = section('Parameters'), events = section('Events');
  const curves = section('Curves'), resources = section('Resources'), bars = h('div'), log = nn.log(run), charts = [];
  const keep = change => nn.app.keep(`run/${run}`, Object.assign(query, change));
  const lines = nn.runCurves(curves, query, keep), diff = nn.runDiff(run);
  curves.append(bars);

  const definition = (name, ...value) => value.some(v => v !== undefined && v !== '' && v !== false) && [h('dt', {}, name), h('dd', {}, ...value)];
  const lazy = (title, value) => {
    const found = new Map();
    nn.files.flatten('', value ?? {}, found);
    if (!found.size) return false;
    const details = h('details', {}, h('summary', {}, title));
    details.addEventListener('toggle', () => details.append(table([...found])), { once: true });
    return details;
  };
  const table = pairs => h('table', { class: 'pairs' }, h('tbody', {}, pairs.map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, w.plain(value))))));

  const showTop = row => top.replaceChildren(h('h1', {}, `Run ${row.run}`, row.name !== undefined && h('span', { class: 'name' }, row.name)),
    h('p', { class: 'standing' }, nn.state.badge(row), row.how && h('span', { class: 'how' }, row.how), row.waits && h('span', { class: 'how' }, row.waits),
      row.left >= 0 && h('span', { class: 'pale' }, `${w.duration(Math.round(row.left))} left`), row.warnings > 0 && h('span', { class: 'warned' }, `⚠ ${w.count(row.warnings, 'warning')}`)),
    row.progress >= 0 && row.state === 'running' && h('progress', { max: 1, value: row.progress, 'aria-label': 'Progress' }) || '',
    row.note !== undefined && h('p', { class: 'note' }, row.note) || '',
    h('p', { class: 'buttons' }, nn.actions.buttons([row]), row.good !== undefined && h('a', { class: 'button', href: nn.app.link('compare', { runs: `${row.good},${run}` }) }, `Compare with run ${row.good}`)));

  const showFacts = row => facts.replaceChildren(facts.firstChild, h('dl', {}, definition('command', row.command), definition('directory', row.job?.cwd),
    definition('group', row.group !== undefined && h('a', { href: nn.app.link('runs', { where: `group="${row.group}"` }) }, row.group)), definition('tags', row.tags?.join(' ')), definition('host', row.host),
    definition('added', row.added && w.time(row.added)), definition('started', row.started && w.time(row.started)), definition('ended', row.ended && w.time(row.ended)),
    definition('took', w.duration(row.duration)), definition('attempt', row.attempt > 1 && row.attempt), definition('priority', row.priority),
    definition('at', row.at && Object.entries(row.at).map(([k, v]) => `${k} ${w.plain(v)}`).join(', ')), definition('commit', row.facts?.git?.commit), definition('branch', row.facts?.git?.branch)),
  lazy('What was asked', row.job) || '', lazy('What was found', row.facts) || '', lazy('How it ended', row.result) || '', row.attempts?.length > 1 && lazy('Attempts', row.attempts) || '');

  const eventWords = e => {
    if (e.why) return `${e.detector ?? e.event}: ${e.why}`;
    const { t, event, run: _, ...rest } = e;
    return [event, ...Object.entries(rest).map(([k, v]) => `${k}=${w.plain(v)}`)].join(' ');
  };
  let happened = [];
  const showEvents = () => {
    const last = happened.slice(-200).reverse();
    events.replaceChildren(events.firstChild, last.length === 0 ? h('p', { class: 'empty' }, 'Nothing yet.') : h('ol', { class: 'events' },
      last.map(e => h('li', { class: e.level ?? '' }, h('time', { datetime: e.t }, w.time(e.t)), h('span', { class: 'level' }, e.level ?? ''), h('span', {}, eventWords(e))))));
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
    resources.replaceChildren(resources.firstChild, names.length ? place : h('p', { class: 'empty' }, 'No samples yet: the first comes after ten seconds.'));
    names.forEach((name, i) => {
      const [unit, by] = /ram|mem/.test(name) ? ['GiB', 2 ** 30] : name.startsWith('gpu') ? ['%', 0.01] : ['cores', 1];
      const chart = nn.chart(name, { height: 130 }), y = series[name].y.map(v => (w.number(v) ?? NaN) / by);
      charts.push(chart);
      place.append(h('figure', {}, h('figcaption', {}, `${name}, ${unit}`), chart.element));
      chart.set({ series: [{ key: name, name, x: series[name].t, y, ...nn.scale.look(0) }], xKind: 'clock' });
    });
  };

  const show = row => {
    showTop(row);
    showFacts(row);
    const pairs = Object.entries(row.params ?? {});
    params.replaceChildren(params.firstChild, pairs.length ? table(pairs) : h('p', { class: 'empty' }, 'None.'));
    happened = row.events ?? happened;
    showEvents();
    showBars(row);
    diff.about(row);
  };
  const history = () => nn.get(`runs/${run}/history?points=1000`).then(data => closed || lines.take(data));
  const read = async () => show(await nn.get(`runs/${run}`));
  const soon = (act, wait = 1000) => {
    if (timers.has(act)) return;
    timers.set(act, setTimeout(() => { timers.delete(act); if (!closed) act().catch(() => {}); }, wait));
  };
  const failed = error => closed || root.replaceChildren(h('h1', {}, `Run ${run}`), h('p', { class: 'empty', role: 'alert' }, error.message));

  top.append(h('h1', {}, `Run ${run}`));
  root.append(top, h('div', { class: 'columns' }, h('div', { class: 'side' }, facts, params, diff.element), h('div', { class: 'wide' }, curves, log.element, resources, events)));
  Promise.all([read(), history(), showResources().catch(() => {})]).catch(failed);
  const refresh = setInterval(() => { if (nn.store.rows.get(run)?.state === 'running' && !document.hidden && !nn.isExport) showResources().catch(() => {}); }, 15000);

  const step = by => {
    const at = nn.store.list.findIndex(row => row.run === run), next = nn.store.list[at + by];
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
      live: state => { signs(state); live(state); },
      runs: ({ runs }) => { if (runs.includes(run)) soon(read); },
      points: ({ points }) => { if (!lines.add(points)) soon(history, 2000); },
      log: log.news,
      event: e => { happened.push(e); showEvents(); },
    },
    keys: { j: () => step(1), k: () => step(-1) },
    close: () => { closed = true; timers.forEach(clearTimeout); clearInterval(refresh); log.close(); lines.close(); charts.forEach(c => c.close()); },
  };
};

// What differs from another run: by default from the last good one.
nn.runDiff = run => {
  const h = nn.h, field = h('input', { type: 'text', name: 'other', size: 6, 'aria-label': 'Another run', placeholder: 'run', autocomplete: 'off' }), place = h('div');
  const show = async other => {
    field.value = other;
    try {
      const { rows } = await nn.get(`diff?a=${other}&b=${run}`);
      const line = r => h('tr', {}, h('th', { scope: 'row' }, r.what), h('td', {}, nn.words.plain(r.a)), h('td', {}, nn.words.plain(r.b)));
      place.replaceChildren(rows.length === 0 ? h('p', { class: 'empty' }, 'Nothing differs.') : h('table', { class: 'pairs diff' },
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, ''), h('th', { scope: 'col' }, `run ${other}`), h('th', { scope: 'col' }, `run ${run}`))), h('tbody', {}, rows.map(line))));
    } catch (error) {
      place.replaceChildren(h('p', { class: 'empty', role: 'alert' }, error.message));
    }
  };
  const good = h('span'), form = h('form', { class: 'inline', submit: event => { event.preventDefault(); if (/^\d+$/.test(field.value.trim())) show(field.value.trim()); } }, field, h('button', { type: 'submit' }, 'Show'), good);
  let said;
  const about = row => {
    if (row.good === said || row.good === undefined) return;
    said = row.good;
    good.replaceChildren(h('button', { type: 'button', click: () => show(row.good) }, `last good: ${row.good}`));
    if (row.state === 'failed' && !field.value) show(row.good);
  };
  return { element: h('section', { class: 'diff', 'aria-label': 'Difference' }, h('h2', {}, 'Difference to'), form, place), about, show };
};
