// Filter expressions: conditions as nn-table's --where has them, joined by blanks or `and`: `lr>0.01 state=failed
// valid_cost@min<1 name~rnn note~"two words"`. Numbers compare as numbers; a condition on a value that is missing does
// not hold, but for `!=`. A word without a comparison is looked for in what a person has written about the run.
'use strict';

nn.expr = (() => {
  const { number, plain } = nn.words;
  const PART = /\s*(?:and\s+)?(?:("(?:[^"]*)"|[^\s=!<>~"]+)\s*(?:(!=|<=|>=|==|=|<|>|~)\s*("[^"]*"|[^\s"]*))?)/y;
  const bare = word => (word.startsWith('"') ? word.slice(1, -1) : word);

  const compare = (value, word, test) => {
    const a = number(value),
      b = number(word);
    const [x, y] = a !== undefined && b !== undefined ? [a, b] : [plain(value), word];
    switch (test) {
      case '=':
      case '==':
        return x === y;
      case '!=':
        return x !== y;
      case '<':
        return x < y;
      case '<=':
        return x <= y;
      case '>':
        return x > y;
      default:
        return x >= y;
    }
  };

  const condition = (name, test, word) => {
    const column = nn.columns.parse(name);
    const holds = row => {
      const value = column.value(row);
      if (value === undefined) return test === '!=';
      return test === '~' ? plain(value).includes(word) : compare(value, word, test);
    };
    return { column, holds };
  };

  const SAID = ['run', 'name', 'group', 'note', 'command', 'host', 'state', 'how'];
  const contains = word => {
    const low = word.toLowerCase();
    const holds = row =>
      SAID.some(key => row[key] !== undefined && String(row[key]).toLowerCase().includes(low)) ||
      row.tags?.some(tag => String(tag).toLowerCase().includes(low));
    return { holds };
  };

  // {conditions, error}: the error in words, when a part is no condition.
  const parse = text => {
    const conditions = [];
    const end = text.trimEnd().length;
    for (PART.lastIndex = 0; PART.lastIndex < end;) {
      const from = PART.lastIndex,
        m = PART.exec(text);
      if (!m)
        return {
          conditions,
          error: `'${text.slice(from).trim()}': expected COLUMN=VALUE, or != < <= > >= ~ (contains)`,
        };
      if (m[2]) conditions.push(condition(bare(m[1]), m[2], bare(m[3])));
      else if (m[1] !== 'and') conditions.push(contains(bare(m[1])));
    }
    return { conditions };
  };

  // Steps from one word to another: letters left out, put in or changed.
  const distance = (a, b) => {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++)
        next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      row = next;
    }
    return row[b.length];
  };

  // A name that means nothing for any of the runs, in words; undefined: all mean something.
  const check = (conditions, { params, metrics }) => {
    for (const { column } of conditions) {
      if (nn.isExport && column?.asked) return `${column.word}: an export does not have it, nn-table(1) does`;
      if (!column || column.kind === 'built-in') continue;
      if (
        (column.kind !== 'metric' && params.has(column.name)) ||
        (column.kind !== 'param' && metrics.has(column.name))
      )
        continue;
      const known = [...params.keys(), ...metrics.keys(), ...nn.columns.BUILT_IN];
      const near = known.map(name => [distance(column.name, name), name]).sort((a, b) => a[0] - b[0])[0];
      const hint = near && near[0] <= Math.max(1, column.name.length / 3) ? ` (did you mean '${near[1]}'?)` : '';
      return `no run has '${column.name}'${hint}`;
    }
    return undefined;
  };

  return {
    check,
    compile: text => {
      const { conditions, error } = parse(text);
      return { conditions, error, holds: row => conditions.every(c => c.holds(row)) };
    },
  };
})();
