// An export has files and nobody to ask: what a server works out from a query, the page works out here from the files of
// the runs: curves (one variable of several runs) and diff (two runs side by side).
'use strict';

nn.files = (() => {
  const number = nn.words.number;

  const curves = async (query, load) => {
    const { y, x = 'step' } = query;
    const one = async run => {
      const { series = {} } = await load(`runs/${run}/history`).catch(() => ({}));
      const found = series[y];
      if (!found) return null;
      const along = x === 'time' ? found.t : found[x];
      return { run, x: along ?? found.y.map((_, i) => i + 1), y: found.y };
    };
    const found = await Promise.all(nn.words.parseRuns(query.runs).map(one));
    return { y, x, curves: found.filter(Boolean) };
  };

  // Every scalar below a value, under its path.
  const flatten = (path, value, into) => {
    if (value && typeof value === 'object') {
      for (const [name, below] of Object.entries(value)) {
        const [key, version] = Array.isArray(value) && String(below).includes('==') ? String(below).split('==') : [];
        if (key) into.set(`${path} ${key}`.trim(), version);
        else if (!['t', 'pid', 'taken'].includes(name)) flatten(`${path} ${name}`.trim(), below, into);
      }
    } else into.set(path, value);
  };

  const side = row => {
    const found = new Map();
    for (const name of ['state', 'how', 'name', 'group', 'note', 'command'])
      if (row[name] !== undefined) found.set(name, row[name]);
    if (row.job?.cwd) found.set('dir', row.job.cwd);
    for (const [name, value] of Object.entries(row.params ?? {})) found.set(`param ${name}`, value);
    if (row.job?.needs) flatten('need', row.job.needs, found);
    flatten('', row.facts ?? {}, found);
    for (const [name, value] of Object.entries(row.metrics ?? {}))
      for (const pick of ['last', 'min', 'max']) found.set(`${name}@${pick}`, value[pick]);
    return found;
  };

  const diff = async (query, load) => {
    const [a, b] = (await Promise.all([load(`runs/${query.a}`), load(`runs/${query.b}`)])).map(side);
    const same = name =>
      a.get(name) === b.get(name) || (Number.isNaN(number(a.get(name))) && Number.isNaN(number(b.get(name))));
    const rows = [...new Set([...a.keys(), ...b.keys()])].filter(name => !same(name));
    return {
      a: Number(query.a),
      b: Number(query.b),
      rows: rows.map(what => ({ what, a: a.get(what), b: b.get(what) })),
    };
  };

  const get = (path, load) => {
    const [name, query = ''] = path.split('?');
    const asked = Object.fromEntries(new URLSearchParams(query));
    if (name === 'curves') return curves(asked, load);
    if (name === 'diff') return diff(asked, load);
    return load(name);
  };
  return { get, flatten };
})();
