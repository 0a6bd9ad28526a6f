// Several runs side by side: their curves of one variable over each other, the table of what differs, a parameter against
// a result, parallel coordinates, and bars for variables with a common beginning.
'use strict';

nn.views.compare = (root, { query }) => {
  const h = nn.h,
    w = nn.words;
  const asked = w.parseRuns(query.runs || w.showRuns(nn.selected)),
    rows = asked.map(run => nn.store.rows.get(run)).filter(Boolean);
  const hint = text =>
    root.append(
      h('h1', {}, 'Compare'),
      nn.empty(text),
      nn.empty(h('a', { class: 'button', href: '#/runs' }, 'To the runs')),
    );
  if (!asked.length) return hint('Select runs in the list (x, or the boxes), then Compare.') ?? {};
  if (!rows.length) return hint(`There is no run ${query.runs}.`) ?? {};

  let all = nn.columns.names(rows),
    differing = nn.columns.differing(rows, all),
    metrics = nn.columns.main(rows, all),
    parts = [],
    curves = null,
    timer,
    closed = false;
  const state = {
    y: query.y ?? metrics[0],
    x: query.x ?? 'epoch',
    log: query.log === '1',
    smooth: Number(query.smooth) || 0,
    view: query.view ?? 'curves',
    by: query.by,
    p: query.p ?? differing[0],
  };
  const body = h('div'),
    controls = h('div', { class: 'controls' });
  const keep = () =>
    nn.app.keep('compare', {
      runs: w.showRuns(asked),
      y: state.y,
      x: state.x === 'epoch' ? '' : state.x,
      log: state.log ? 1 : '',
      smooth: state.smooth || '',
      view: state.view === 'curves' ? '' : state.view,
      by: state.by,
      p: state.p === differing[0] ? '' : state.p,
    });
  const drop = () => {
    parts.forEach(part => part.close());
    parts = [];
  };
  const own = part => {
    parts.push(part);
    return part;
  };

  const result = () => nn.columns.parse(`${state.y}@${nn.columns.best(state.y ?? '')}`);
  const paramColumn = name => nn.columns.parse('p.' + name);
  const colours = () =>
    nn.colours(
      rows,
      state.by === 'result' ? result() : differing.includes(state.by) ? paramColumn(state.by) : undefined,
    );
  const change = (what, then) => {
    Object.assign(state, what);
    keep();
    then();
  };
  const choice = (label, key, options) =>
    nn.choice(label, state[key] ?? '', options, value => {
      if (key === 'y' || key === 'x') curves = null;
      change({ [key]: value }, show);
    });

  const VIEWS = { curves: 'Curves', table: 'Table', scatter: 'Scatter', parallel: 'Parallel', bars: 'Bars' };
  const tabs = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'How to compare' });
  const tab = ([view, name]) =>
    nn.button(name, () => change({ view }, show), { role: 'tab', 'aria-selected': String(view === state.view) });

  const showControls = () => {
    const { view } = state,
      isParallel = view === 'parallel',
      params = differing.map(p => [p]);
    const y = choice(
        'y',
        'y',
        metrics.map(m => [m]),
      ),
      log = nn.tick('log', state.log, on => change({ log: on }, draw));
    const by = choice('colour', 'by', [
      ['', isParallel ? 'by result' : 'by run'],
      ...params,
      ...(isParallel ? [] : [['result']]),
    ]);
    const smooth = nn.slider('smooth', state.smooth, value => change({ smooth: value }, draw));
    const own = {
      curves: [y, choice('x', 'x', [['epoch'], ['step'], ['time']]), log, smooth, by],
      scatter: [choice('x', 'p', params), y, log, by],
      parallel: [y, by],
    };
    controls.replaceChildren(...(own[view] ?? []));
  };

  let chart, legend;
  const labels = () => rows.map(row => nn.columns.label(row, differing));
  const drawCurves = () => {
    const look = colours(),
      names = labels(),
      hidden = new Set((chart.data.series ?? []).filter(s => s.hidden).map(s => s.key));
    const found = new Map(curves.curves.map(c => [c.run, c]));
    const series = rows.flatMap((row, i) =>
      found.has(row.run)
        ? [
            {
              key: row.run,
              name: names[i],
              x: found.get(row.run).x,
              y: found.get(row.run).y,
              hidden: hidden.has(row.run),
              href: '#/run/' + row.run,
              ...look.of(i),
            },
          ]
        : [],
    );
    chart.set({
      series,
      xName: state.x,
      yName: state.y,
      xKind: state.x === 'time' ? 'clock' : 'number',
      log: state.log,
      smooth: state.smooth,
    });
    legend.replaceChildren(nn.colourKey(look), nn.legend(chart, 'Curves'));
    const missing = rows.length - series.length;
    if (missing) legend.append(h('p', { class: 'about' }, `${w.count(missing, 'run')} without a value of ${state.y}`));
  };
  const readCurves = async () => {
    const { y, x } = state;
    // The server takes some hundreds in one call.
    const calls = [];
    for (let i = 0; i < rows.length; i += 250) calls.push(w.showRuns(rows.slice(i, i + 250).map(row => row.run)));
    const ask = runs => nn.get(`curves?runs=${runs}&y=${encodeURIComponent(y)}&x=${x}&points=1000`);
    const replies = await Promise.all(calls.map(ask));
    if (!closed && y === state.y && x === state.x) {
      curves = { curves: replies.flatMap(reply => reply.curves) };
      if (state.view === 'curves') drawCurves();
    }
  };
  const say = text => body.replaceChildren(nn.empty(text));

  const SHOW = {
    curves() {
      if (state.y === undefined) return say('No values yet.');
      chart = own(
        nn.chart('Curves', {
          height: 420,
          onclick: s => {
            chart.lit = null;
            location.hash = '#/run/' + s.key;
          },
        }),
      );
      chart.wheel = true;
      legend = h('div', { class: 'legends' });
      body.replaceChildren(chart.element, legend);
      if (curves) drawCurves();
      else readCurves().catch(error => say(error.message));
    },
    table() {
      const columns = [
        ...nn.columns.telling(rows),
        ...metrics.slice(2, 12).flatMap(m => [nn.columns.parse(m + '@last')]),
      ].map(c => nn.runColumn(c, rows));
      let by;
      const fill = () =>
        table.show(
          (by ? nn.columns.sort(rows, by, by.reverse) : rows).map(row => ({ key: row.run, row })),
          columns,
          by,
        );
      const sort = column => {
        by = { ...column, reverse: by?.word === column.word && !by.reverse };
        fill();
      };
      const table = own(
        nn.table({
          label: 'What differs',
          selected: nn.selected,
          sort,
          fold: () => {},
          onselect: () => {},
          open: row => {
            location.hash = '#/run/' + row.run;
          },
        }),
      );
      table.element.classList.add('short');
      body.replaceChildren(table.element);
      fill();
      if (rows.length === 2) {
        const diff = nn.diff(rows[1].run);
        body.append(diff.element);
        diff.show(rows[0].run);
      }
    },
    scatter() {
      if (!differing.length || state.y === undefined)
        return say(state.y === undefined ? 'No values yet.' : 'No parameter differs between these runs.');
      const look = colours();
      body.replaceChildren(
        own(nn.scatter(rows, paramColumn(state.p), result(), look, state.log)).element,
        nn.colourKey(look),
      );
    },
    parallel() {
      const columns = [...differing.map(paramColumn), ...(state.y === undefined ? [] : [result()])];
      if (columns.length < 2) return say('It takes a parameter that differs, and a value.');
      const look = nn.colours(
        rows,
        differing.includes(state.by) ? paramColumn(state.by) : state.y === undefined ? undefined : result(),
      );
      body.replaceChildren(own(nn.parallel(rows, columns, look)).element, nn.colourKey(look));
    },
    bars() {
      const found = nn.channels(rows);
      if (!found.length) return say('No variables with a common beginning, such as error/size and error/colour.');
      body.replaceChildren(...found.map(start => nn.bars(start, rows, differing)));
    },
  };
  const draw = () => {
    if (state.view === 'curves' && curves && parts.length) return drawCurves();
    drop();
    SHOW[state.view]();
  };
  const show = () => {
    if (!Object.hasOwn(SHOW, state.view)) state.view = 'curves';
    tabs.replaceChildren(...Object.entries(VIEWS).map(tab));
    showControls();
    drop();
    SHOW[state.view]();
  };

  const lost = asked.length - rows.length;
  root.append(
    h(
      'div',
      { class: 'top' },
      h('h1', {}, `Compare ${w.count(rows.length, 'run')}`),
      lost > 0 && h('p', { class: 'pale' }, `${w.count(lost, 'run')} of these ${lost === 1 ? 'is' : 'are'} not here`),
    ),
    tabs,
    controls,
    body,
  );
  show();

  // What has changed is drawn anew, at most every two seconds.
  const runs = ({ runs: changed }) => {
    if (!changed.some(run => asked.includes(run))) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      rows.forEach((row, i) => {
        rows[i] = nn.store.rows.get(row.run) ?? row;
      });
      all = nn.columns.names(rows);
      const had = metrics.length;
      metrics = nn.columns.main(rows, all);
      state.y ??= metrics[0];
      if (metrics.length !== had) showControls();
      if (state.view === 'curves' && parts.length) return readCurves().catch(() => {});
      curves = null;
      draw();
    }, 2000);
  };
  const names = Object.keys(VIEWS),
    step = by => change({ view: names[(names.indexOf(state.view) + by + names.length) % names.length] }, show);
  return {
    heard: { runs },
    keys: { j: () => step(1), k: () => step(-1) },
    close: () => {
      closed = true;
      clearTimeout(timer);
      drop();
    },
  };
};
