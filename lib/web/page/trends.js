// The curves of one run: variables of one meaning share a chart, train_cost with valid_cost, error/a with error/b.
// take(history) draws what the server tells; what was hidden stays hidden.
'use strict';

nn.trends = (root, query, keep) => {
  const h = nn.h,
    SPLIT = /^(train|training|valid|validation|val|test|eval|dev)[_\-/. ](.+)$/i,
    MOST = 12;
  const base = name => SPLIT.exec(name)?.[2] ?? (name.includes('/') ? name.split('/')[0] : name);
  const charts = new Map(),
    hidden = new Map();
  let series = {},
    open = false;

  const opts = { x: query.x ?? '', log: query.log === '1', smooth: Number(query.smooth) || 0 };
  const set = change => {
    Object.assign(opts, change);
    keep({ x: opts.x, log: opts.log ? 1 : '', smooth: opts.smooth || '' });
    draw();
  };
  const axes = ['', 'epoch', 'step', 'time'].map(x => [x, x || 'by itself']);
  const controls = h(
    'div',
    { class: 'controls' },
    nn.choice('x', opts.x, axes, x => set({ x })),
    nn.tick('log', opts.log, log => set({ log })),
    nn.slider('smooth', opts.smooth, smooth => set({ smooth })),
  );
  const place = h('div', { class: 'charts' }),
    more = nn.button(
      '',
      () => {
        open = true;
        draw();
      },
      { hidden: true },
    );
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
    for (const name of Object.keys(series)) found.set(base(name), [...(found.get(base(name)) ?? []), name]);
    // What has one value a run is told by bars.
    return [...found].filter(([, names]) => names.length < 3 || names.some(name => series[name].y.length > 1));
  };
  const draw = () => {
    const all = groups(),
      seen = open ? all : all.slice(0, MOST);
    more.hidden = seen.length === all.length;
    more.textContent = `${all.length - seen.length} more charts`;
    if (!all.length) place.replaceChildren(nn.empty('No values yet.'));
    for (const [title, names] of seen) {
      let own = charts.get(title);
      if (!own) {
        if (!charts.size) place.replaceChildren();
        own = { chart: nn.chart(title), legend: h('div') };
        charts.set(title, own);
        place.append(h('figure', {}, h('figcaption', {}, title), own.chart.element, own.legend));
      }
      own.chart.data.series.forEach(s => hidden.set(s.key, s.hidden));
      const lines = names.map((name, i) => {
        const [xName, x] = along(series[name]);
        return { key: name, name, x, y: series[name].y, xName, hidden: hidden.get(name), ...nn.scale.look(i) };
      });
      const xName = lines[0]?.xName;
      own.chart.set({
        series: lines,
        xName,
        xKind: xName === 'time' ? 'clock' : 'number',
        log: opts.log,
        smooth: opts.smooth,
      });
      if (own.count !== lines.length)
        own.legend.replaceChildren(...(lines.length > 1 ? [nn.legend(own.chart, title)] : []));
      else if (own.legend.firstChild) own.legend.replaceChildren(nn.legend(own.chart, title));
      own.count = lines.length;
    }
  };

  const take = history => {
    series = history.series ?? {};
    draw();
  };
  return { take, close: () => charts.forEach(own => own.chart.close()) };
};
