// How values are told to a person: numbers with up to six significant digits as %g prints them, durations in the two
// units that matter, bytes in binary units, local times; and lists of runs, `1-12,17`. The same words as the other tools.
'use strict';

nn.words = (() => {
  // A value of the API as a number, also when it stands as text ("NaN", "0.1"); undefined: it is none.
  const NUMBER = /^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|infinity|nan)$/i;
  const number = value => {
    if (typeof value === 'number') return value;
    if (typeof value !== 'string' || !NUMBER.test(value)) return undefined;
    const word = value.toLowerCase().replace('+', '');
    if (word.endsWith('nan')) return NaN;
    if (word.includes('inf')) return word.startsWith('-') ? -Infinity : Infinity;
    return Number(value);
  };

  const show = x => {
    if (Number.isNaN(x)) return 'NaN';
    if (!Number.isFinite(x)) return x > 0 ? 'Infinity' : '-Infinity';
    if (Number.isInteger(x) && Math.abs(x) < 1e15) return String(x);
    const size = Math.abs(x);
    if (size >= 1e-5 && size < 1e6) return String(Number(x.toPrecision(6)));
    return x
      .toExponential(5)
      .replace(/\.?0+e/, 'e')
      .replace(/e([+-])(\d)$/, 'e$10$2');
  };

  // Any value of the API, in a cell.
  const plain = value => {
    if (value === undefined || value === null) return '';
    if (typeof value === 'number') return show(value);
    if (typeof value === 'string') return value;
    if (Array.isArray(value) && value.every(v => typeof v !== 'object')) return value.join(' ');
    return JSON.stringify(value);
  };

  const two = (big, a, small, b) => (small ? `${big}${a}${small}${b}` : `${big}${a}`);
  const duration = seconds => {
    if (!(seconds >= 0 && seconds < 1e12)) return '';
    const s = Math.floor(seconds);
    if (s < 10 && seconds !== s) return `${Number(seconds.toFixed(2))}s`;
    if (s < 60) return `${s}s`;
    if (s < 3600) return two(Math.floor(s / 60), 'm', s % 60, 's');
    if (s < 86400) return two(Math.floor(s / 3600), 'h', Math.floor(s / 60) % 60, 'm');
    return two(Math.floor(s / 86400), 'd', Math.floor(s / 3600) % 24, 'h');
  };

  const bytes = n => {
    if (!(n >= 0)) return '';
    let i = 0;
    for (; n >= 1024 && i < 6; i++) n /= 1024;
    return `${i && n < 10 ? n.toFixed(1) : Math.round(n)}${['', 'K', 'M', 'G', 'T', 'P', 'E'][i]}`;
  };

  const pad = n => String(n).padStart(2, '0');
  const time = text => {
    const at = new Date(text);
    if (Number.isNaN(at.getTime())) return plain(text);
    return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clock(at)}`;
  };
  const clock = at => `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  const ago = text => {
    const seconds = (Date.now() - Date.parse(text)) / 1000;
    return Number.isFinite(seconds) ? `${duration(Math.max(0, Math.floor(seconds)))} ago` : '';
  };
  const percent = x => (x >= 0 ? `${Math.round(x * 100)} %` : '');

  // `1-3,7` to [1, 2, 3, 7] and back; at most so many.
  const parseRuns = (text, most = 10000) => {
    const found = new Set();
    for (const part of String(text || '').split(',')) {
      const m = /^(\d{1,12})(?:-(\d{1,12}))?$/.exec(part.trim());
      if (m) for (let n = Number(m[1]); n <= Number(m[2] ?? m[1]) && found.size < most; n++) found.add(n);
    }
    return [...found];
  };
  const showRuns = numbers => {
    const parts = [];
    for (const n of [...numbers].sort((a, b) => a - b)) {
      const last = parts[parts.length - 1];
      if (last && last[1] === n - 1) last[1] = n;
      else parts.push([n, n]);
    }
    return parts.map(([a, b]) => (a === b ? a : b === a + 1 ? `${a},${b}` : `${a}-${b}`)).join(',');
  };

  const count = (n, one, many = one + 's') => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
  return { number, show, plain, duration, bytes, time, clock, ago, percent, parseRuns, showRuns, count };
})();
