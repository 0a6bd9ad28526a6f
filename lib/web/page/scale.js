// From values to places on the screen: a range of values, linear or logarithmic, and round numbers in it. A value that
// has no place (NaN, infinite, or not above zero on a logarithmic scale) is at NaN.
'use strict';

nn.scale = (() => {
  // The least and the greatest of what has a place, with a little room.
  const range = (lists, log, room = 0.04) => {
    let low = Infinity,
      high = -Infinity;
    for (const list of lists) {
      for (let i = 0; i < list.length; i++) {
        const v = list[i];
        if (v - v !== 0 || (log && v <= 0)) continue;
        if (v < low) low = v;
        if (v > high) high = v;
      }
    }
    if (low > high) return log ? [1, 10] : [0, 1];
    const [a, b] = log ? [Math.log10(low), Math.log10(high)] : [low, high];
    const pad = b > a ? (b - a) * room : log ? 0.1 : Math.abs(a) * 0.05 || 0.5;
    return log ? [10 ** (a - pad), 10 ** (b + pad)] : [a - pad, b + pad];
  };

  const make = ([low, high], from, to, log) => {
    const f = log ? Math.log10 : v => v;
    const a = f(low),
      k = (to - from) / (f(high) - a);
    const place = v => {
      const p = from + (f(v) - a) * k;
      return p - p === 0 ? p : NaN;
    };
    const value = p => {
      const v = a + (p - from) / k;
      return log ? 10 ** v : v;
    };
    return { place, value, low, high, log, from, to };
  };

  const linear = (low, high, about) => {
    const raw = (high - low) / Math.max(1, about),
      size = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map(m => m * size).find(s => s >= raw) ?? 10 * size;
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && found.length < 50; i++)
      found.push(Number((i * step).toPrecision(12)));
    return found;
  };
  const ticks = ({ low, high, log }, about) => {
    if (!log) return linear(low, high, about);
    const [a, b] = [Math.log10(low), Math.log10(high)];
    if (b - a < 1) return linear(low, high, about).filter(v => v > 0);
    const found = [],
      every = Math.max(1, Math.ceil((b - a) / about)),
      within = b - a < about / 2.5 ? [1, 2, 5] : [1];
    for (let e = Math.floor(a); e <= b; e += every)
      for (const m of within) if (m * 10 ** e >= low && m * 10 ** e <= high) found.push(Number(`${m}e${e}`));
    return found;
  };

  // Seconds along an axis in words, with steps of the clock.
  const STEPS = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800,
  ];
  const clock = ({ low, high }, about) => {
    if (high - low < 3 || high - low > 604800 * about) return linear(low, high, about);
    const step = STEPS.find(s => (high - low) / s <= about) ?? 604800,
      found = [];
    for (let v = Math.ceil(low / step) * step; v <= high; v += step) found.push(v);
    return found;
  };

  // Colours that tell apart also for the colour-blind (Okabe and Ito), then the same with dashes.
  const DASHES = [[], [7, 3.5], [1.5, 3], [9, 3, 1.5, 3], [14, 4]];
  const COLORS = 7;
  const look = i => ({
    color: nn.theme.color('c' + (i % COLORS)),
    dash: DASHES[Math.floor(i / COLORS) % DASHES.length],
  });

  // From little to much: dark blue over teal to yellow, lightness rising evenly; the end that a
  // background would hide is left out.
  const STOPS = [
    [68, 1, 84],
    [59, 82, 139],
    [33, 145, 140],
    [94, 201, 98],
    [233, 215, 40],
  ];
  const shade = part => {
    const within = Math.max(0, Math.min(1, part)) * 0.8 + (document.documentElement.dataset.theme === 'dark' ? 0.2 : 0);
    const p = within * (STOPS.length - 1),
      i = Math.min(STOPS.length - 2, Math.floor(p));
    const mix = STOPS[i].map((v, k) => Math.round(v + (STOPS[i + 1][k] - v) * (p - i)));
    return `rgb(${mix.join(' ')})`;
  };

  return { range, make, ticks, clock, look, shade, COLORS, LOOKS: COLORS * DASHES.length };
})();
