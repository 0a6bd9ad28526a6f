// The list of runs: filtered by an expression, sorted by a heading, grouped by sweep, with the columns that tell the runs
// apart or those that were chosen. What is selected stays selected while the filter changes, and can be compared.
'use strict';

nn.state = (() => {
  const h = nn.h;
  // A state with its colour; of a running run how far it is.
  const standing = row =>
    row.state + (row.progress > 0 && row.state === 'running' ? ` ${nn.words.percent(row.progress)}` : '');
  const badge = row => h('span', { class: 'state ' + row.state }, standing(row));
  const fill = (cell, row) => {
    const text = nn.state.text(row);
    if (cell.textContent !== text || cell.dataset.state !== row.state) {
      cell.dataset.state = row.state;
      const warned =
        row.warnings > 0 &&
        h('span', { class: 'warned', title: nn.words.count(row.warnings, 'warning') }, ` ⚠${row.warnings}`);
      cell.replaceChildren(badge(row), ...(warned ? [warned] : []));
    }
  };
  const text = row => standing(row) + (row.warnings > 0 ? ` ⚠${row.warnings}` : '');
  const ORDER = ['running', 'submitted', 'queued', 'held', 'failed', 'cancelled', 'done'];
  const counts = rows => {
    const found = new Map();
    for (const row of rows) found.set(row.state, (found.get(row.state) ?? 0) + 1);
    return [...found].sort((a, b) => ORDER.indexOf(a[0]) - ORDER.indexOf(b[0]));
  };
  return { badge, fill, text, counts };
})();

// A column as a table of runs shows it.
nn.runColumn = (column, rows) => {
  const { word, kind } = column;
  const link = (cell, row) => {
    const text = column.text(row),
      to = `#/run/${row.run}`;
    let a = cell.firstChild;
    if (!(a instanceof HTMLAnchorElement)) cell.replaceChildren((a = nn.h('a', { tabindex: -1 })));
    if (a.textContent !== text) a.textContent = text;
    if (a.getAttribute('href') !== to) a.setAttribute('href', to);
  };
  column.numeric =
    kind === 'metric' ||
    ['run', 'priority', 'attempt', 'duration', 'left', 'exit', 'warnings', 'progress'].includes(word) ||
    (kind !== 'built-in' && rows.slice(0, 200).every(row => typeof (column.value(row) ?? 0) === 'number'));
  column.lead = ['run', 'state', 'name', 'command'].includes(word);
  column.grow = word === 'note' || word === 'command';
  column.title =
    kind === 'param' ? `parameter ${column.name}` : kind === 'metric' ? `${column.name}: ${column.pick}` : undefined;
  if (word === 'state') Object.assign(column, { fill: nn.state.fill, text: nn.state.text, extra: 14 });
  if (word === 'run' || word === 'name') column.fill = link;
  return column;
};

nn.views.runs = (root, { query }) => {
  const h = nn.h,
    { count } = nn.words,
    folded = (nn.views.runs.folded ??= new Set());
  let columns = [],
    shown = [],
    asked = false,
    catalogue,
    listed;

  const filter = h('input', {
    type: 'search',
    id: 'where',
    value: query.where ?? '',
    placeholder: 'lr>0.01 state=failed valid_cost@min<1 name~rnn',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-label': 'Filter',
    'aria-describedby': 'wrong',
    enterkeyhint: 'search',
    'aria-keyshortcuts': '/',
  });
  const wrong = h('p', { id: 'wrong', role: 'status' }),
    chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'States' });
  const state = { sort: query.sort, cols: query.cols, group: query.group === '1' };
  const bar = h('div', { class: 'picked', role: 'group', 'aria-label': 'What is selected' });
  const chooser = h('details', { class: 'chooser' }, h('summary', {}, 'Columns'));
  const empty = nn.empty('', { hidden: true });

  const keep = () =>
    nn.app.keep('runs', {
      where: filter.value.trim(),
      sort: state.sort,
      cols: state.cols,
      group: state.group ? 1 : '',
    });

  const sort = column => {
    const best = column.kind === 'metric' && nn.columns.rises(column.name ?? '');
    const [up, down] = [column.word, '-' + column.word];
    const order = best ? [down, up, undefined] : [up, down, undefined];
    state.sort = order[(order.indexOf(state.sort) + 1) % 3];
    update(true);
    keep();
  };
  const fold = name => {
    if (folded.has(name)) folded.delete(name);
    else folded.add(name);
    update(false);
  };
  const table = nn.table({
    label: 'Runs',
    selected: nn.selected,
    sort,
    fold,
    open: row => {
      location.hash = `#/run/${row.run}`;
    },
    onselect: () => pickBar(),
  });

  const bestOf = rows => {
    const name = nn.columns.main(rows)[0];
    if (name === undefined) return '';
    const pick = nn.columns.best(name);
    const first = nn.columns.sort(rows, nn.columns.parse(`${name}@${pick}`), pick === 'max')[0],
      value = nn.columns.metric(first, name, pick);
    return value === undefined ? '' : ` · best ${name} ${nn.words.plain(value)} (run ${first.run})`;
  };
  const grouped = rows => {
    const groups = new Map();
    for (const row of rows) {
      const name = row.group ?? '';
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(row);
    }
    return [...groups].flatMap(([name, members]) => {
      const open = !folded.has(name),
        states = nn.state
          .counts(members)
          .map(([s, n]) => `${n} ${s}`)
          .join(', ');
      const words = `${name === '' ? 'no group' : name}: ${count(members.length, 'run')}: ${states}${bestOf(members)}`;
      return [
        { key: 'group ' + name, group: name, words, open },
        ...(open ? members.map(row => ({ key: row.run, row })) : []),
      ];
    });
  };

  const pickBar = () => {
    const rows = [...nn.selected].map(run => nn.store.rows.get(run)).filter(Boolean);
    bar.hidden = rows.length === 0;
    nn.redraw(
      bar,
      h('span', {}, `${rows.length} selected`),
      h('a', { class: 'button main', href: compareLink() }, `Compare ${rows.length}`),
      ...nn.actions.buttons(rows),
      nn.button('Select none', selectNone, { class: 'plain' }),
    );
  };
  const selectNone = () => {
    nn.selected.clear();
    table.refresh();
    pickBar();
  };
  const compareLink = () => nn.app.link('compare', { runs: nn.words.showRuns(nn.selected) });

  const setWhere = text => {
    filter.value = text;
    update(false);
    keep();
  };
  const showChips = () => {
    const now = filter.value.trim();
    chips.replaceChildren(
      ...nn.state.counts(nn.store.list).map(([name, n]) => {
        const on = now === `state=${name}`;
        return nn.button(`${n.toLocaleString('en')} ${name}`, () => setWhere(on ? '' : `state=${name}`), {
          class: 'chip ' + name,
          'aria-pressed': String(on),
        });
      }),
    );
  };

  const setColumns = words => {
    state.cols = words?.join(',');
    update(true);
    keep();
  };
  // Where there are no headings.
  const showSorts = () => {
    const ways = columns.flatMap(c => [
      [c.word, `${c.heading} ↑`],
      ['-' + c.word, `${c.heading} ↓`],
    ]);
    const set = way => {
      state.sort = way || undefined;
      update(true);
      keep();
    };
    sorts.replaceChildren(nn.choice('sort', state.sort ?? '', [['', 'by number'], ...ways], set));
  };
  const choose = () => {
    const chosen = columns.map(c => c.word);
    const flip = word => on =>
      setColumns(on ? [...columns.map(c => c.word), word] : columns.map(c => c.word).filter(w => w !== word));
    const list = (title, words) =>
      words.length > 0 &&
      h(
        'fieldset',
        {},
        h('legend', {}, title),
        words.map(word => nn.tick(word.replace(/^p\./, ''), chosen.includes(word), flip(word))),
      );
    const { params, metrics } = catalogue;
    chooser.replaceChildren(
      chooser.firstChild,
      h(
        'div',
        { class: 'sheet' },
        nn.button('What tells the runs apart', () => {
          setColumns();
          choose();
        }),
        list(
          'Parameters',
          [...params.keys()].map(name => 'p.' + name),
        ),
        list(
          'Variables',
          [...metrics.keys()].flatMap(name => [name + '@last', `${name}@${nn.columns.best(name)}`]),
        ),
        list('Of every run', nn.columns.BUILT_IN),
      ),
    );
  };

  const pickColumns = (rows, force) => {
    let words = state.cols
      ?.split(',')
      .map(w => w.trim())
      .filter(Boolean);
    if (!words && rows.length < 2 && columns.length && !force) words = columns.map(c => c.word);
    const all = rows.length === listed.length ? catalogue : undefined;
    const next = words ? words.map(nn.columns.parse) : nn.columns.telling(rows, all);
    const same = !force && next.length === columns.length && next.every((c, i) => c.word === columns[i].word);
    if (!same) columns = next.map(column => nn.runColumn(column, rows));
    return !same;
  };

  const update = force => {
    if (listed !== nn.store.list) {
      listed = nn.store.list;
      catalogue = nn.columns.names(listed);
    }
    const { conditions, error, holds } = nn.expr.compile(filter.value);
    const said = error ?? (nn.store.list.length ? nn.expr.check(conditions, catalogue) : undefined);
    wrong.textContent = said ?? '';
    filter.setAttribute('aria-invalid', String(Boolean(said)));
    shown = nn.store.list.filter(holds);
    const changed = pickColumns(shown, force);
    const by = state.sort && { word: state.sort.replace(/^-/, ''), reverse: state.sort.startsWith('-') };
    const sorting = by && nn.columns.parse(by.word);
    nn.more.need([...conditions.map(c => c.column), ...columns, sorting], soon);
    const rows = by ? nn.columns.sort(shown, sorting, by.reverse) : shown;
    table.show(
      state.group ? grouped(rows) : rows.map(row => ({ key: row.run, row })),
      changed || force ? columns : undefined,
      by,
    );
    const none = nn.store.list.length ? 'No run is like that.' : 'No runs yet. nn-run or nn-queue add makes one.';
    empty.textContent = none;
    empty.hidden = rows.length > 0;
    table.element.hidden = rows.length === 0;
    showChips();
    if (changed || force) showSorts();
    pickBar();
    total.textContent =
      shown.length === nn.store.list.length
        ? count(shown.length, 'run')
        : `${shown.length.toLocaleString('en')} of ${count(nn.store.list.length, 'run')}`;
  };
  const soon = () => {
    if (!asked)
      requestAnimationFrame(() => {
        asked = false;
        update(false);
      });
    asked = true;
  };

  const sorts = h('span', { class: 'narrow' });
  const bySweep = on => {
    state.group = on;
    update(false);
    keep();
  };
  const total = h('span', { class: 'total', role: 'status' });
  filter.addEventListener('input', () => {
    soon();
    keep();
  });
  filter.addEventListener('keydown', event => {
    if (event.key === 'Enter' || event.key === 'ArrowDown') {
      event.preventDefault();
      update(false);
      table.element.focus();
    }
  });
  chooser.addEventListener('toggle', () => {
    if (chooser.open) choose();
  });
  root.addEventListener('click', event => {
    // What was clicked may be gone by now, drawn anew.
    if (event.target.isConnected && !chooser.contains(event.target)) chooser.open = false;
  });
  root.append(
    h('h1', { class: 'unseen' }, 'Runs'),
    h(
      'div',
      { class: 'bar', role: 'search' },
      filter,
      nn.tick('By sweep', state.group, bySweep),
      chooser,
      sorts,
      total,
    ),
    wrong,
    chips,
    bar,
    table.element,
    empty,
  );
  update(true);
  nn.views.runs.listed ??= performance.now();

  return {
    heard: { runs: soon },
    keys: {
      ...table.keys,
      '/': () => {
        filter.focus();
        filter.select();
      },
      c: () => {
        if (nn.selected.size) location.hash = compareLink();
      },
      Escape: () => {
        if (chooser.open) chooser.open = false;
        else if (filter.value) setWhere('');
      },
    },
    close: () => table.close(),
  };
};
