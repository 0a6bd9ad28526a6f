// What a chart does with pointer and keys: the nearest point and the values beside it in a small box; dragging zooms (a
// flat drag only along x), the wheel zooms around the pointer, a double click shows all again. With the chart in focus
// the arrows walk along a curve and between curves, + and - zoom, 0 shows all.
'use strict';

nn.pointer = chart => {
  const { above, tip } = chart,
    h = nn.h,
    show = nn.words.show;
  let drag = null;

  const nearestAt = (s, x) => {
    if (!s.xs.length) return -1;
    if (!s.sorted) {
      let best = 0;
      for (let i = 1; i < s.xs.length; i++) if (Math.abs(s.xs[i] - x) < Math.abs(s.xs[best] - x)) best = i;
      return best;
    }
    let low = 0,
      high = s.xs.length - 1;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (s.xs[mid] < x) low = mid + 1;
      else high = mid;
    }
    return low > 0 && x - s.xs[low - 1] < s.xs[low] - x ? low - 1 : low;
  };

  // Of marks the nearest in the plane, of curves the nearest at this x.
  const nearest = (px, py) => {
    const { x: X, y: Y } = chart.scales,
      x = X.value(px);
    let found = null;
    const consider = (series, at) => {
      const [cx, cy] = [X.place(series.xs[at]), Y.place(series.ys[at])];
      if (cx !== cx || cy !== cy || cx < chart.box.left - 1 || cx > chart.box.right + 1) return;
      const far = Math.hypot(cx - px, cy - py);
      if (!found || far < found.far) found = { series, at, x: cx, y: cy, far };
    };
    for (const s of chart.visible()) {
      if (chart.data.marks) for (let i = 0; i < s.xs.length; i++) consider(s, i);
      else {
        const at = nearestAt(s, x);
        if (at >= 0) consider(s, at);
      }
    }
    return found;
  };

  const beside = lit => {
    const x = lit.series.xs[lit.at];
    if (chart.data.marks) return [lit];
    const all = chart
      .visible()
      .map(series => ({ series, at: nearestAt(series, x) }))
      .filter(p => p.at >= 0 && !Number.isNaN(p.series.ys[p.at]));
    const far = p => Math.abs(p.series.ys[p.at] - lit.series.ys[lit.at]);
    return all
      .sort((a, b) => far(a) - far(b))
      .slice(0, 8)
      .sort((a, b) => b.series.ys[b.at] - a.series.ys[a.at]);
  };

  const tell = lit => {
    chart.lit = lit;
    chart.light();
    tip.hidden = !lit;
    if (!lit) return;
    const x = lit.series.xs[lit.at],
      row = p =>
        h(
          'tr',
          { class: p.series === lit.series ? 'lit' : '' },
          h('td', {}, h('span', { class: 'dot', style: { background: p.series.color } })),
          h('td', {}, p.series.name),
          h('td', { class: 'number' }, show(p.series.ys[p.at])),
        );
    tip.replaceChildren(
      h('div', { class: 'at' }, `${chart.data.xName ?? ''} ${chart.xText(x)}`),
      h('table', {}, h('tbody', {}, beside(lit).map(row))),
    );
    const right = lit.x > chart.box.width * 0.55;
    tip.style.left = right ? '' : `${lit.x + 14}px`;
    tip.style.right = right ? `${chart.box.width - lit.x + 14}px` : '';
    tip.style.top = `${Math.max(0, Math.min(lit.y - 20, chart.box.height - tip.offsetHeight))}px`;
  };

  const place = event => {
    const r = above.getBoundingClientRect();
    return [event.clientX - r.left, event.clientY - r.top];
  };
  const inside = (v, a, b) => Math.max(a, Math.min(b, v));
  const frame = (px, py) => {
    const { box } = chart,
      [x0, x1] = [drag.x, inside(px, box.left, box.right)].sort((a, b) => a - b);
    const flat = Math.abs(py - drag.y) < 16;
    const [y0, y1] = flat ? [box.top, box.bottom] : [drag.y, inside(py, box.top, box.bottom)].sort((a, b) => a - b);
    return { x: x0, y: y0, w: x1 - x0, h: y1 - y0, flat };
  };

  const zoomX = (factor, px) => {
    const { x: X } = chart.scales,
      at = (p, end) => X.value(px + (end - px) * p);
    chart.zoom.x = [at(factor, X.from), at(factor, X.to)];
    chart.zoom.y = null;
    chart.draw();
  };
  const reset = () => {
    chart.zoom = { x: null, y: null };
    tell(null);
    chart.draw();
  };

  above.addEventListener('pointermove', event => {
    if (!chart.scales) return;
    const [px, py] = place(event);
    if (drag) chart.light(frame(px, py));
    else tell(nearest(px, py));
  });
  above.addEventListener('pointerleave', () => {
    if (!drag) tell(null);
  });
  above.addEventListener('pointerdown', event => {
    if (event.button !== 0 || !chart.scales) return;
    const [px, py] = place(event);
    drag = { x: inside(px, chart.box.left, chart.box.right), y: inside(py, chart.box.top, chart.box.bottom) };
    above.setPointerCapture(event.pointerId);
    tell(null);
  });
  above.addEventListener('pointerup', event => {
    if (!drag) return;
    const [px, py] = place(event),
      f = frame(px, py),
      { x: X, y: Y } = chart.scales;
    drag = null;
    if (f.w < 6) {
      const lit = nearest(px, py);
      if (lit && lit.far < 12) chart.onclick?.(lit.series, lit.at);
      return chart.light();
    }
    if (!chart.data.xWords) chart.zoom.x = [X.value(f.x), X.value(f.x + f.w)];
    chart.zoom.y = f.flat ? null : [Y.value(f.y + f.h), Y.value(f.y)];
    chart.draw();
  });
  above.addEventListener('pointercancel', () => {
    drag = null;
    chart.light();
  });
  above.addEventListener('dblclick', reset);
  above.addEventListener(
    'wheel',
    event => {
      if (!chart.scales || chart.data.xWords || !(chart.wheel || event.ctrlKey)) return;
      event.preventDefault();
      zoomX(event.deltaY > 0 ? 1.25 : 0.8, place(event)[0]);
    },
    { passive: false },
  );

  const walk = (along, across) => {
    const all = chart.visible().filter(s => s.xs.length);
    if (!all.length) return;
    const from = all.indexOf(chart.lit?.series),
      series = all[(Math.max(0, from) + across + all.length) % all.length];
    const { x: X, y: Y } = chart.scales;
    let at =
      from < 0 || chart.lit.at === undefined
        ? series.xs.length - 1
        : nearestAt(series, chart.lit.series.xs[chart.lit.at]) + along;
    at = inside(at, 0, series.xs.length - 1);
    tell({ series, at, x: X.place(series.xs[at]), y: Y.place(series.ys[at]), far: 0 });
    above.setAttribute(
      'aria-label',
      `${series.name}: ${chart.data.xName ?? ''} ${chart.xText(series.xs[at])}: ${show(series.ys[at])}`,
    );
  };
  const KEYS = {
    ArrowLeft: () => walk(-1, 0),
    ArrowRight: () => walk(1, 0),
    ArrowUp: () => walk(0, -1),
    ArrowDown: () => walk(0, 1),
    '+': () => zoomX(0.7, chart.lit?.x ?? (chart.box.left + chart.box.right) / 2),
    '-': () => zoomX(1.4, chart.lit?.x ?? (chart.box.left + chart.box.right) / 2),
    0: reset,
  };
  above.addEventListener('keydown', event => {
    const act = !event.ctrlKey && !event.altKey && !event.metaKey && KEYS[event.key];
    if (!act || !chart.scales) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  above.addEventListener('blur', () => tell(null));
};
