// More columns than a row has: what was found at the start of a run, and values at an epoch. nn-table tells them, for all
// runs at once; they are asked for when a filter, a heading or the sorting names one, and again when runs have changed
// meanwhile, but not sooner than after ten times as long as the last answer took. In an export there are none.
'use strict';

nn.more = (() => {
  const known = new Map(); // by word: the version of the runs, and the values by run
  let asking = false,
    rest = 0;

  const take = (words, version, { rows }) => {
    const values = words.map(() => new Map());
    for (const [run, ...row] of rows) row.forEach((value, i) => value !== null && values[i].set(run, value));
    words.forEach((word, i) => known.set(word, { version, values: values[i] }));
  };

  // Asks for what is missing of these columns; `then`: when it has come.
  const need = (columns, then) => {
    const isOld = word => known.get(word)?.version !== nn.store.version;
    const words = [...new Set(columns.filter(c => c?.asked).map(c => c.word))].filter(isOld);
    const isUrgent = words.some(word => !known.has(word));
    if (!words.length || asking || nn.isExport || (!isUrgent && performance.now() < rest)) return;
    const { version } = nn.store,
      begun = performance.now();
    asking = true;
    nn.get('columns?names=' + words.map(encodeURIComponent).join(','))
      .then(
        data => take(words, version, data),
        error => {
          words.forEach(word => known.set(word, { version, values: new Map() }));
          nn.say(error.message, true);
        },
      )
      .finally(() => {
        const now = performance.now();
        rest = now + Math.max(5000, 10 * (now - begun));
        asking = false;
        then();
      });
  };

  return { need, value: (row, word) => known.get(word)?.values.get(row.run) };
})();
