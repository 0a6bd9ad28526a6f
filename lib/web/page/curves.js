// A chart on a canvas: curves, or marks, against axes with round numbers. A value that is no number breaks its curve with
// a cross, and a value alone between two breaks is a dot. Smoothing is an exponential mean without the bias of its beginning; what it
// was before stays faintly behind when there are few curves. A second canvas on top carries what follows the pointer.
// set({series: [{key, name, x, y, color, dash, hidden}], xName, yName, xKind: 'number'|'clock'|'ago', xWords, log,
// smooth, marks})
'use strict';

nn.chart = (label, { height = 220, onclick } = {}) => {
  const h = nn.h,
    { show, duration } = nn.words;
  const below = h('canvas', { 'aria-hidden': 'true' }),
    above = h('canvas', { role: 'img', tabindex: 0 });
  const tip = h('div', { class: 'tip', hidden: true });
  const element = h('div', { class: 'chart', style: { height: height + 'px' } }, below, above, tip);
  const chart = { element, above, tip, data: { series: [] }, zoom: { x: null, y: null }, lit: null, onclick };
  let cost = 0;

  const numbers = list => {
    const out = new Float64Array(list.length);
    for (let i = 0; i < out.length; i++)
      out[i] = typeof list[i] === 'number' ? list[i] : (nn.words.number(list[i]) ?? NaN);
    return out;
  };
  const smooth = (y, factor) => {
    const out = new Float64Array(y.length);
    let mean = 0,
      weight = 0;
    for (let i = 0; i < y.length; i++) {
      if (y[i] - y[i] !== 0) {
        out[i] = NaN;
        continue;
      }
      mean = mean * factor + y[i] * (1 - factor);
      weight = weight * factor + 1 - factor;
      out[i] = mean / weight;
    }
    return out;
  };
  const rising = x => {
    for (let i = 1; i < x.length; i++) if (x[i] < x[i - 1]) return false;
    return true;
  };

  chart.set = data => {
    const kept = chart.data.smooth === data.smooth ? new Map(chart.data.series.map(s => [s.key, s])) : new Map();
    for (const s of data.series) {
      const old = kept.get(s.key);
      if (old && old.from === s.y && old.fromX === s.x && old.count === s.y.length)
        Object.assign(s, { xs: old.xs, raw: old.raw, ys: old.ys, sorted: old.sorted });
      else {
        s.xs = numbers(s.x);
        s.raw = numbers(s.y);
        s.ys = data.smooth ? smooth(s.raw, data.smooth) : s.raw;
        s.sorted = rising(s.xs);
      }
      [s.from, s.fromX, s.count] = [s.y, s.x, s.y.length];
    }
    chart.data = data;
    const points = data.series.reduce((sum, s) => sum + s.y.length, 0);
    const size = `${nn.words.count(data.series.length, 'curve')}, ${nn.words.count(points, 'point')}`;
    above.setAttribute('aria-label', `${label}: ${data.yName ?? ''} against ${data.xName ?? ''}, ${size}`);
    chart.draw();
  };

  chart.visible = () => chart.data.series.filter(s => !s.hidden);
  const xWords = v =>
    chart.data.xWords
      ? (chart.data.xWords[v] ?? '')
      : chart.data.xKind === 'clock'
        ? duration(v) || '0s'
        : chart.data.xKind === 'ago'
          ? v > -1
            ? 'now'
            : duration(Math.round(-v)) + ' ago'
          : show(v);
  chart.xText = xWords;

  // The ranges in sight: what was zoomed into, else all; of y what stands in the range of x.
  const ranges = () => {
    const { series, zoom, data } = { series: chart.visible(), zoom: chart.zoom, data: chart.data };
    const x =
      zoom.x ??
      (data.xWords
        ? [-0.5, data.xWords.length - 0.5]
        : nn.scale.range(
            series.map(s => s.xs),
            data.xLog,
            data.marks ? 0.05 : 0,
          ));
    const inside = s => (!zoom.x ? s.ys : s.ys.filter((_, i) => s.xs[i] >= x[0] && s.xs[i] <= x[1]));
    return { x, y: zoom.y ?? nn.scale.range(series.map(inside), data.log) };
  };

  const size = canvas => {
    const scale = devicePixelRatio || 1,
      { clientWidth: w, clientHeight: hh } = element;
    if (canvas.width !== Math.round(w * scale) || canvas.height !== Math.round(hh * scale)) {
      canvas.width = Math.round(w * scale);
      canvas.height = Math.round(hh * scale);
    }
    const pen = canvas.getContext('2d');
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, w, hh);
    return pen;
  };

  const trace = (pen, xs, ys, X, Y, dots) => {
    let drawn = 0,
      px = 0,
      py = 0;
    pen.beginPath();
    for (let i = 0; i <= xs.length; i++) {
      const x = i < xs.length ? X(xs[i]) : NaN,
        y = i < xs.length ? Y(ys[i]) : NaN;
      if (x !== x || y !== y) {
        if (drawn === 1) dots.push(px, py);
        drawn = 0;
        continue;
      }
      if (drawn++) pen.lineTo(x, y);
      else pen.moveTo(x, y);
      px = x;
      py = y;
    }
    pen.stroke();
  };

  // Where a curve ends in what is no number: a cross at its last value.
  const crosses = (pen, s) => {
    const { x: X, y: Y } = chart.scales;
    let y = chart.box.bottom;
    pen.beginPath();
    for (let i = 0; i < s.raw.length; i++) {
      const x = X.place(s.xs[i]);
      const isSound = s.raw[i] - s.raw[i] === 0;
      if (isSound) y = Y.place(s.ys[i]);
      else if (i === 0 || s.raw[i - 1] - s.raw[i - 1] === 0) {
        pen.moveTo(x - 4, y - 4);
        pen.lineTo(x + 4, y + 4);
        pen.moveTo(x - 4, y + 4);
        pen.lineTo(x + 4, y - 4);
      }
    }
    pen.stroke();
  };

  const line = (pen, s, width, alpha, ys = s.ys) => {
    const { x: X, y: Y } = chart.scales,
      dots = [];
    pen.globalAlpha = alpha;
    pen.lineWidth = width;
    pen.strokeStyle = pen.fillStyle = s.color;
    pen.setLineDash(s.dash ?? []);
    trace(pen, s.xs, ys, X.place, Y.place, dots);
    for (let i = 0; i < dots.length; i += 2) {
      pen.beginPath();
      pen.arc(dots[i], dots[i + 1], width + 0.7, 0, 7);
      pen.fill();
    }
    pen.globalAlpha = 1;
    pen.setLineDash([]);
    if (ys === s.ys && cost <= 40) crosses(pen, s);
  };
  const marks = (pen, s, radius) => {
    const { x: X, y: Y } = chart.scales;
    pen.fillStyle = s.color;
    for (let i = 0; i < s.xs.length; i++) {
      const x = X.place(s.xs[i]),
        y = Y.place(s.ys[i]);
      if (x === x && y === y) {
        pen.beginPath();
        pen.arc(x, y, radius, 0, 7);
        pen.fill();
      }
    }
  };
  const paint = (pen, s, strong) =>
    chart.data.marks ? marks(pen, s, strong ? 6 : 4) : line(pen, s, strong ? 3 : cost > 40 ? 1 : 1.6, 1);

  const axes = (pen, box) => {
    const { x: X, y: Y } = chart.scales,
      { data } = chart,
      color = nn.theme.color;
    pen.fillStyle = color('pale');
    pen.lineWidth = 1;
    pen.textBaseline = 'middle';
    pen.textAlign = 'right';
    for (const v of chart.yTicks) {
      const y = Math.round(Y.place(v)) + 0.5;
      pen.strokeStyle = color('line');
      pen.beginPath();
      pen.moveTo(box.left, y);
      pen.lineTo(box.right, y);
      pen.stroke();
      pen.fillText(show(v), box.left - 6, y);
    }
    pen.textBaseline = 'top';
    pen.textAlign = 'center';
    const about = Math.max(2, Math.floor((box.right - box.left) / 80));
    const xs = data.xWords
      ? data.xWords.map((_, i) => i).filter(i => i % Math.ceil(data.xWords.length / about) === 0)
      : (data.xKind === 'clock' || data.xKind === 'ago' ? nn.scale.clock : nn.scale.ticks)(X, about);
    for (const v of xs.filter(v => v >= X.low && v <= X.high)) {
      const x = Math.round(X.place(v)) + 0.5,
        text = xWords(v),
        half = pen.measureText(text).width / 2;
      pen.beginPath();
      pen.moveTo(x, box.bottom);
      pen.lineTo(x, box.bottom + 4);
      pen.stroke();
      if (x + half < box.width) pen.fillText(text, x, box.bottom + 7);
    }
    pen.strokeStyle = color('frame');
    pen.beginPath();
    pen.moveTo(box.left + 0.5, box.top);
    pen.lineTo(box.left + 0.5, box.bottom + 0.5);
    pen.lineTo(box.right, box.bottom + 0.5);
    pen.stroke();
    pen.textAlign = 'right';
    pen.textBaseline = 'bottom';
    if (data.xName) pen.fillText(data.xName, box.right, box.height - 1);
    pen.textAlign = 'left';
    pen.textBaseline = 'top';
    if (data.yName) pen.fillText(data.yName, 2, 0);
  };

  chart.draw = () => {
    const { clientWidth: width, clientHeight: hh } = element;
    if (!width) return;
    const pen = size(below),
      { x, y } = ranges();
    pen.font = `11px ${getComputedStyle(element).fontFamily}`;
    const top = chart.data.yName ? 18 : 8,
      bottom = hh - (chart.data.xName ? 34 : 20);
    const tall = nn.scale.make(y, bottom, top, chart.data.log);
    chart.yTicks = nn.scale.ticks(tall, Math.max(3, Math.floor((bottom - top) / 36)));
    const left = Math.ceil(Math.max(20, ...chart.yTicks.map(v => pen.measureText(show(v)).width))) + 12;
    const box = (chart.box = { left, right: width - 8, top, bottom, width, height: hh });
    chart.scales = { x: nn.scale.make(x, left, box.right, chart.data.xLog), y: tall };
    axes(pen, box);
    const series = chart.visible();
    cost = series.length;
    if (!series.some(s => s.ys.some(v => v - v === 0))) {
      pen.textAlign = 'center';
      pen.fillText(
        chart.data.series.length > series.length ? 'all curves are hidden' : 'no values yet',
        (left + box.right) / 2,
        (top + bottom) / 2,
      );
    }
    pen.save();
    pen.beginPath();
    pen.rect(left, top - 2, box.right - left + 2, bottom - top + 4);
    pen.clip();
    pen.lineJoin = cost > 20 ? 'bevel' : 'round';
    if (chart.data.smooth && cost <= 12) for (const s of series) line(pen, s, 1, 0.28, s.raw);
    for (const s of series) paint(pen, s, false);
    pen.restore();
    chart.light();
  };

  // What follows the pointer: a curve brought out, a cross, a frame of what is being zoomed into.
  chart.light = frame => {
    const pen = size(above),
      { box, lit } = chart;
    if (!box) return;
    pen.save();
    pen.beginPath();
    pen.rect(box.left, box.top - 6, box.right - box.left + 6, box.bottom - box.top + 12);
    pen.clip();
    if (lit?.series && !lit.series.hidden) paint(pen, lit.series, true);
    if (lit?.x !== undefined) {
      pen.strokeStyle = nn.theme.color('pale');
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(Math.round(lit.x) + 0.5, box.top);
      pen.lineTo(Math.round(lit.x) + 0.5, box.bottom);
      pen.stroke();
      pen.fillStyle = lit.series.color;
      pen.beginPath();
      pen.arc(lit.x, lit.y, 4.5, 0, 7);
      pen.fill();
    }
    if (frame) {
      pen.fillStyle = pen.strokeStyle = nn.theme.color('accent');
      pen.globalAlpha = 0.15;
      pen.fillRect(frame.x, frame.y, frame.w, frame.h);
      pen.globalAlpha = 1;
      pen.strokeRect(frame.x + 0.5, frame.y + 0.5, frame.w, frame.h);
    }
    pen.restore();
  };

  const sized = new ResizeObserver(() => chart.draw());
  sized.observe(element);
  nn.theme.heard.add(chart.draw);
  chart.close = () => {
    sized.disconnect();
    nn.theme.heard.delete(chart.draw);
  };
  nn.pointer(chart);
  return chart;
};
