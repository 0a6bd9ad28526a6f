// What a result has to do with parameters: colours by the value of a column, a scatter of one parameter against a result,
// and parallel coordinates: an axis a parameter, a line a run. Dragging along an axis keeps the runs that pass there.
'use strict';

// The values of a column in these rows: on a scale when all are numbers, else as words in their order.
nn.values = (rows, column) => {
  const { number, plain } = nn.words;
  const raw = rows.map(column.value),
    numbers = raw.map(v => (v === undefined ? NaN : number(v)));
  const all = raw.filter(v => v !== undefined);
  if (all.length && numbers.every(v => v !== undefined)) {
    const sound = numbers.filter(v => v - v === 0),
      low = Math.min(...sound),
      high = Math.max(...sound);
    return { values: numbers, low, high, log: low > 0 && high / low >= 50 };
  }
  const words = [...new Set(all.map(plain))].sort((a, b) => (a < b ? -1 : 1));
  return {
    values: raw.map(v => (v === undefined ? NaN : words.indexOf(plain(v)))),
    words,
    low: 0,
    high: Math.max(1, words.length - 1),
    log: false,
  };
};

// Colours of these rows by a column; by run when there is none. key: what each colour means.
nn.colours = (rows, column) => {
  if (!column) {
    // Of more curves than there are colours with dashes these tell nothing, and take long to draw.
    const isMany = rows.length > nn.scale.LOOKS;
    return { of: i => ({ ...nn.scale.look(i), ...(isMany && { dash: [] }) }), key: [] };
  }
  const { values, words, low, high, log } = nn.values(rows, column);
  const f = log ? Math.log : v => v,
    pale = { color: nn.theme.color('pale'), dash: [1.5, 3] };
  if (words && words.length <= nn.scale.COLORS) {
    const color = i => ({ color: nn.theme.color('c' + i), dash: [] });
    return { of: i => (values[i] >= 0 ? color(values[i]) : pale), key: words.map((word, i) => [word, color(i).color]) };
  }
  const part = v => (high > low ? (f(v) - f(low)) / (f(high) - f(low)) : 0.5);
  const ends = words ? [words[0], words[words.length - 1]] : [nn.words.show(low), nn.words.show(high)];
  return {
    of: i => (values[i] - values[i] === 0 ? { color: nn.scale.shade(part(values[i])), dash: [] } : pale),
    ends,
    key: [],
  };
};

nn.colourKey = ({ key, ends }) =>
  nn.h(
    'p',
    { class: 'key' },
    key.map(([word, color]) =>
      nn.h('span', {}, nn.h('span', { class: 'dot', style: { background: color } }), ` ${word}`),
    ),
    ends &&
      nn.h(
        'span',
        {},
        ends[0],
        nn.h('span', {
          class: 'strip',
          style: { background: `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(nn.scale.shade).join(', ')})` },
        }),
        ends[1],
      ),
  );

nn.scatter = (rows, x, y, colours, log) => {
  const chart = nn.chart('Results', {
    height: 420,
    onclick: s => {
      location.hash = '#/run/' + s.key;
    },
  });
  const along = nn.values(rows, x),
    up = rows.map(y.value);
  const series = rows.map((row, i) => ({
    key: row.run,
    name: nn.columns.label(row, x.name ? [x.name] : []),
    x: [along.values[i]],
    y: [up[i] ?? NaN],
    ...colours.of(i),
  }));
  chart.set({ series, xName: x.heading, yName: y.heading, xWords: along.words, xLog: along.log, log, marks: true });
  return chart;
};

nn.parallel = (rows, columns, colours) => {
  const h = nn.h,
    canvas = h('canvas', {
      role: 'img',
      'aria-label': `Parallel coordinates of ${nn.words.count(rows.length, 'run')}: ${columns.map(c => c.heading).join(', ')}`,
    });
  const element = h('div', { class: 'chart parallel' }, canvas),
    said = h('p', { class: 'about', role: 'status' });
  const axes = columns.map(column => ({ column, ...nn.values(rows, column) })),
    kept = new Map();
  const TOP = 40,
    ROOM = 24;
  let lit = -1,
    drag = null,
    left = 0,
    gap = 0,
    bottom = 0;

  const place = (axis, v) => {
    const f = axis.log ? Math.log : x => x,
      span = f(axis.high) - f(axis.low);
    return bottom - (span > 0 ? (f(v) - f(axis.low)) / span : 0.5) * (bottom - TOP);
  };
  const path = i => axes.map((axis, k) => [left + k * gap, place(axis, axis.values[i])]);
  const passes = i =>
    [...kept].every(([k, [a, b]]) => {
      const y = place(axes[k], axes[k].values[i]);
      return y >= a && y <= b;
    });
  const line = (pen, i, width, alpha) => {
    pen.globalAlpha = alpha;
    pen.lineWidth = width;
    pen.strokeStyle = colours.of(i).color;
    pen.beginPath();
    let down = false;
    for (const [x, y] of path(i)) {
      if (y !== y) down = false;
      else if (down) pen.lineTo(x, y);
      else {
        pen.moveTo(x, y);
        down = true;
      }
    }
    pen.stroke();
    pen.globalAlpha = 1;
  };
  const write = (pen, text, x, y, most) => {
    pen.lineWidth = 3;
    pen.strokeStyle = nn.theme.color('ground');
    pen.strokeText(text, x, y, most);
    pen.fillText(text, x, y, most);
  };
  const drawAxis = (pen, axis, k) => {
    const x = left + k * gap,
      color = nn.theme.color;
    pen.strokeStyle = color('frame');
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x + 0.5, TOP);
    pen.lineTo(x + 0.5, bottom);
    pen.stroke();
    pen.fillStyle = color('ink');
    pen.textAlign = k === 0 ? 'left' : k === axes.length - 1 ? 'right' : 'center';
    const at = k === 0 ? x - left + 6 : k === axes.length - 1 ? x + ROOM : x;
    pen.fillText(axis.column.heading, at, 10, gap);
    pen.fillStyle = color('pale');
    const ends = axis.words ?? nn.scale.ticks({ low: axis.low, high: axis.high, log: axis.log }, 5);
    const side = k === axes.length - 1;
    pen.textAlign = side ? 'right' : 'left';
    ends.forEach((v, i) => {
      if (ends.length < 25 || i % Math.ceil(ends.length / 25) === 0)
        write(pen, axis.words ? v : nn.words.show(v), x + (side ? -6 : 6), place(axis, axis.words ? i : v), gap - 12);
    });
    if (kept.has(k)) {
      const [a, b] = kept.get(k);
      pen.fillStyle = color('accent');
      pen.globalAlpha = 0.3;
      pen.fillRect(x - 7, a, 14, b - a);
      pen.globalAlpha = 1;
    }
  };
  const draw = () => {
    const scale = devicePixelRatio || 1,
      { clientWidth: w, clientHeight: hh } = element;
    if (!w) return;
    [canvas.width, canvas.height] = [Math.round(w * scale), Math.round(hh * scale)];
    const pen = canvas.getContext('2d');
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.font = `11px ${getComputedStyle(element).fontFamily}`;
    pen.textBaseline = 'middle';
    [left, bottom, gap] = [ROOM, hh - 14, (w - 2 * ROOM) / Math.max(1, axes.length - 1)];
    const inside = rows.map((_, i) => passes(i));
    rows.forEach((_, i) => {
      if (!inside[i]) line(pen, i, 1, 0.08);
    });
    rows.forEach((_, i) => {
      if (inside[i]) line(pen, i, 1.4, lit >= 0 ? 0.35 : 0.85);
    });
    if (lit >= 0) line(pen, lit, 3, 1);
    axes.forEach((axis, k) => drawAxis(pen, axis, k));
    const runs = rows.filter((_, i) => inside[i]).map(row => row.run);
    said.textContent =
      lit >= 0
        ? nn.columns.label(
            rows[lit],
            columns.filter(c => c.kind === 'param').map(c => c.name),
          )
        : kept.size
          ? `${nn.words.count(runs.length, 'run')} pass: ${nn.words.showRuns(runs)}`
          : 'Drag along an axis to keep the runs that pass there; a double click keeps all.';
  };

  const spot = event => {
    const r = canvas.getBoundingClientRect();
    return [event.clientX - r.left, event.clientY - r.top];
  };
  // How far a line is from a place, straight up or down.
  const far = (i, x, y) => {
    const k = Math.max(0, Math.min(axes.length - 2, Math.floor((x - left) / gap))),
      points = path(i);
    const [a, b] = [points[k], points[k + 1] ?? points[k]],
      part = gap ? (x - a[0]) / gap : 0;
    return Math.abs(a[1] + (b[1] - a[1]) * part - y);
  };
  const nearest = (x, y) =>
    rows.reduce(
      (best, _, i) => {
        const d = passes(i) ? far(i, x, y) : NaN;
        return d < best.d ? { i, d } : best;
      },
      { i: -1, d: 14 },
    ).i;
  canvas.addEventListener('pointerdown', event => {
    const [x, y] = spot(event),
      k = Math.round((x - left) / (gap || 1));
    if (Math.abs(x - left - k * gap) < 16 && axes[k]) {
      drag = { k, y };
      canvas.setPointerCapture(event.pointerId);
    }
  });
  canvas.addEventListener('pointermove', event => {
    const [x, y] = spot(event);
    if (drag && Math.abs(y - drag.y) > 3) kept.set(drag.k, [Math.min(y, drag.y), Math.max(y, drag.y)]);
    else if (!drag) {
      const next = nearest(x, y);
      if (next === lit) return;
      lit = next;
    }
    draw();
  });
  canvas.addEventListener('pointerup', event => {
    if (drag && Math.abs(spot(event)[1] - drag.y) <= 3) kept.delete(drag.k);
    else if (!drag && lit >= 0) location.hash = '#/run/' + rows[lit].run;
    drag = null;
    draw();
  });
  canvas.addEventListener('pointerleave', () => {
    lit = -1;
    draw();
  });
  canvas.addEventListener('dblclick', () => {
    kept.clear();
    draw();
  });
  const sized = new ResizeObserver(draw);
  sized.observe(element);
  nn.theme.heard.add(draw);
  return {
    element: h('div', {}, element, said),
    close: () => {
      sized.disconnect();
      nn.theme.heard.delete(draw);
    },
  };
};
