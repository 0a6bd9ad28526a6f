// Bars for variables whose names share a beginning, `error/FEATURE`: one number a name and run, the greatest of the first
// run first. Bars begin at zero; the number itself stands behind.
'use strict';

// The beginnings that at least three variables of these rows share.
nn.channels = rows => {
  const found = new Map();
  for (const name of nn.columns.names(rows).metrics.keys()) {
    const start = name.slice(0, name.indexOf('/') + 1);
    if (start && !/^(train|valid|validation|val|test|eval)\/$/i.test(start))
      found.set(start, (found.get(start) ?? 0) + 1);
  }
  return [...found].filter(([, n]) => n >= 3).map(([start]) => start);
};

nn.bars = (start, rows, params) => {
  const h = nn.h,
    { number, show } = nn.words,
    MOST = 12;
  const seen = rows.slice(0, MOST),
    value = (row, name) => number(nn.columns.metric(row, name, 'last'));
  const names = [...nn.columns.names(rows).metrics.keys()].filter(name => name.startsWith(start));
  const order = name => {
    const x = seen.map(row => value(row, name)).find(v => v - v === 0);
    return x ?? -Infinity;
  };
  names.sort((a, b) => order(b) - order(a));
  const high =
    Math.max(0, ...names.flatMap(name => seen.map(row => Math.abs(value(row, name)))).filter(v => v - v === 0)) || 1;
  const bar = (row, name, i) => {
    const x = value(row, name);
    return (
      x !== undefined &&
      h(
        'div',
        { class: 'bar1', title: nn.columns.label(row, params) },
        h('span', {
          class: 'fill' + (x < 0 ? ' below' : ''),
          style: { width: `${Math.min(100, (Math.abs(x) / high) * 100) || 0}%`, background: nn.scale.look(i).color },
        }),
        h('span', { class: 'number' }, show(x)),
      )
    );
  };
  const line = name =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, name.slice(start.length)),
      h(
        'td',
        {},
        seen.map((row, i) => bar(row, name, i)),
      ),
    );
  const runs =
    seen.length > 1 &&
    h(
      'ul',
      { class: 'legend' },
      seen.map((row, i) =>
        h(
          'li',
          {},
          h('span', { class: 'dot', style: { background: nn.scale.look(i).color } }),
          ' ',
          nn.columns.label(row, params),
        ),
      ),
    );
  return h(
    'figure',
    { class: 'bars' },
    h('figcaption', {}, start.slice(0, -1), rows.length > MOST && ` (the first ${MOST} of ${rows.length} runs)`),
    runs,
    h('table', {}, h('tbody', {}, names.map(line))),
  );
};
