// Columns: what a word means for a run, as in nn-table. A built-in name first, then a parameter, then a variable of
// interest; `p.NAME` is always a parameter, and `cost@min`, @max, @first, @last always a variable. Without a choice a
// table shows what tells the runs apart: parameters that differ, and the last and best values of the main variables.
'use strict';

nn.columns = (() => {
  const { number, plain, show, duration, time, percent } = nn.words;
  const BUILT_IN = [
    'run',
    'state',
    'how',
    'name',
    'group',
    'note',
    'tags',
    'command',
    'dir',
    'priority',
    'attempt',
    'added',
    'started',
    'ended',
    'duration',
    'date',
    'host',
    'commit',
    'branch',
    'dirty',
    'exit',
    'progress',
    'left',
    'warnings',
    'waits',
  ];
  // Of these, and of a variable's value at an epoch, a row tells nothing.
  const ASKED = ['dir', 'commit', 'branch', 'dirty', 'exit'];
  const PICKS = ['last', 'min', 'max', 'first'];

  const builtIn = name => row => {
    if (name === 'tags') return row.tags?.length ? row.tags.join(' ') : undefined;
    if (name === 'date') return row.started && time(row.started).slice(0, 10);
    return ASKED.includes(name) ? nn.more.value(row, name) : row[name];
  };
  const metric = (row, name, pick) =>
    row.metrics && Object.hasOwn(row.metrics, name) ? row.metrics[name][pick] : undefined;
  const param = (row, name) => (row.params && Object.hasOwn(row.params, name) ? row.params[name] : undefined);

  const SHOWN = {
    added: time,
    started: time,
    ended: time,
    duration,
    left: duration,
    progress: percent,
    commit: v => String(v).slice(0, 10),
    date: plain,
  };
  const cell = value => {
    const x = typeof value === 'string' ? undefined : number(value);
    return x === undefined ? plain(value) : show(x);
  };

  // A word as a column: {word, heading, kind, value(row), text(row)}.
  const parse = word => {
    const column = { word, heading: word, kind: 'either' };
    const at = word.lastIndexOf('@');
    const epoch = at > 0 ? number(word.slice(at + 1)) : undefined;
    if (BUILT_IN.includes(word))
      Object.assign(column, { kind: 'built-in', value: builtIn(word), asked: ASKED.includes(word) });
    else if (word.startsWith('p.')) {
      const name = word.slice(2);
      Object.assign(column, { kind: 'param', name, heading: name, value: row => param(row, name) });
    } else if (Number.isFinite(epoch)) {
      const [name, pick] = [word.slice(0, at), `at epoch ${epoch}`];
      Object.assign(column, { kind: 'metric', name, pick, value: row => nn.more.value(row, word), asked: true });
    } else if (at > 0 && PICKS.includes(word.slice(at + 1))) {
      const [name, pick] = [word.slice(0, at), word.slice(at + 1)];
      Object.assign(column, {
        kind: 'metric',
        name,
        pick,
        value: row => metric(row, name, pick),
        heading: pick === 'last' ? name : word,
      });
    } else Object.assign(column, { name: word, value: row => param(row, word) ?? metric(row, word, 'last') });
    const words = column.kind === 'built-in' && SHOWN[word];
    column.text = row => {
      const value = column.value(row);
      return value === undefined ? '' : words ? words(value) : cell(value);
    };
    return column;
  };

  // All names of parameters and variables, in the order of their first appearance.
  const names = rows => {
    const params = new Map(),
      metrics = new Map();
    for (const row of rows) {
      for (const name in row.params) params.set(name, (params.get(name) ?? 0) + 1);
      for (const name in row.metrics) metrics.set(name, (metrics.get(name) ?? 0) + 1);
    }
    return { params, metrics };
  };

  // Parameters that do not have one value in all runs; of one run all.
  const differing = (rows, { params } = names(rows)) =>
    [...params.keys()].filter(
      name =>
        rows.length < 2 ||
        params.get(name) < rows.length ||
        rows.some(row => plain(param(row, name)) !== plain(param(rows[0], name))),
    );

  // What a variable's name tells: the lesser says more; and whether more of it is better.
  const weight = name => {
    const low = name.toLowerCase();
    const held = ['valid', 'val', 'test', 'eval', 'dev'].some(w => low.startsWith(w));
    const judged = ['cost', 'loss', 'err', 'acc', 'ppl', 'score', 'return', 'reward', 'f1', 'bleu', 'auc'].some(w =>
      low.includes(w),
    );
    return (held ? 0 : 2) + (judged ? 0 : 1);
  };
  const GOOD = [
    'f1',
    'bleu',
    'auc',
    'auroc',
    'return',
    'returns',
    'reward',
    'rewards',
    'elbo',
    'score',
    'map',
    'iou',
    'miou',
    'dice',
    'precision',
    'recall',
    'r2',
    'psnr',
    'ssim',
    'ndcg',
    'mrr',
    'rouge',
    'success',
    'win',
    'winrate',
  ];
  const rises = name => {
    const low = name.toLowerCase();
    return (
      !['loss', 'cost', 'err', 'ppl'].some(w => low.includes(w)) &&
      low.split(/[^\p{L}\p{N}]+/u).some(w => GOOD.includes(w) || w.startsWith('acc') || w.endsWith('acc'))
    );
  };
  const best = name => (rises(name) ? 'max' : 'min');

  // Variables to judge by: those that most runs have, the telling ones first.
  const main = (rows, { metrics } = names(rows)) => {
    const most = Math.max(0, ...metrics.values());
    const often = [...metrics.keys()].filter(name => metrics.get(name) * 2 >= most);
    return often.sort((a, b) => weight(a) - weight(b));
  };

  const telling = (rows, all = names(rows)) => {
    const words = ['run', 'state'];
    if (rows.some(row => row.how)) words.push('how');
    words.push(rows.some(row => row.name !== undefined) ? 'name' : 'command');
    words.push(...differing(rows, all).map(name => 'p.' + name));
    for (const name of main(rows, all).slice(0, 2)) words.push(name + '@last', name + '@' + best(name));
    if (rows.some(row => row.note)) words.push('note');
    return words.map(parse);
  };

  // Numbers before texts before nothing (and NaN), in both directions; equal ones stay in their order.
  const sort = (rows, column, reverse) => {
    const keyed = rows.map(row => {
      const value = column.value(row),
        x = number(value);
      if (x !== undefined && !Number.isNaN(x)) return { row, rank: 0, x, text: '' };
      return {
        row,
        rank: x === undefined && value !== undefined ? 1 : 2,
        x: 0,
        text: x === undefined ? plain(value) : '',
      };
    });
    const sign = reverse ? -1 : 1;
    keyed.sort(
      (a, b) =>
        a.rank - b.rank || sign * (a.x < b.x ? -1 : a.x > b.x ? 1 : a.text < b.text ? -1 : a.text > b.text ? 1 : 0),
    );
    return keyed.map(k => k.row);
  };

  // What tells a run apart among others: `17 lr=0.1 activation=tanh`.
  const label = (row, params) => [row.run, ...params.map(name => `${name}=${plain(param(row, name))}`)].join(' ');

  return { BUILT_IN, parse, names, differing, main, best, rises, telling, sort, label, metric };
})();
