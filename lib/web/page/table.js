// A table of many rows of which only those in sight exist. Rows have one height, so the place of each is known; elements
// that scroll out of sight are used again for those that come in. Headings sort, a cursor moves by keys, rows can be
// selected, and items with `group` are headings of the rows that follow. On a narrow screen a row is a card of two lines:
// the leading columns, and the rest in words.
// items: [{key, row} | {key, group, words, open}]
// columns: [{heading, text(row), fill?(cell, row), numeric, lead, word}]
'use strict';

nn.table = ({ label, open, sort, fold, selected, onselect }) => {
  const h = nn.h;
  const head = h('div', { class: 'head', role: 'row', 'aria-rowindex': 1 });
  const body = h('div', { class: 'body', role: 'rowgroup' });
  const inner = h('div', { class: 'inner' }, h('div', { role: 'rowgroup', class: 'heads' }, head), body);
  const element = h(
    'div',
    { class: 'grid', role: 'grid', tabindex: 0, 'aria-label': label, 'aria-multiselectable': 'true' },
    inner,
  );
  const narrow = matchMedia('(max-width: 640px)');
  const free = [],
    used = new Map();
  let items = [],
    columns = [],
    cursor = 0,
    height = 28,
    lastPicked = -1;

  const makeRow = () => {
    const check = h('input', { type: 'checkbox', tabindex: -1, 'aria-label': 'Select' });
    const box = h('label', { class: 'check', role: 'gridcell' }, check);
    const cells = shownColumns().map(c =>
      h('div', { role: 'gridcell', class: `cell${c.numeric ? ' number' : ''}${c.lead ? ' lead' : ''}` }),
    );
    const rest = narrow.matches ? h('div', { role: 'gridcell', class: 'rest' }) : null;
    const element = h('div', { role: 'row', class: 'row' }, box, cells, rest);
    const group = h('div', { role: 'gridcell', class: 'fold' });
    check.addEventListener('click', event => {
      event.stopPropagation();
      pick(Number(element.dataset.at), event.shiftKey);
    });
    return { element, check, box, cells, rest, group };
  };
  const shownColumns = () => (narrow.matches ? columns.filter(c => c.lead) : columns);

  const others = () => columns.filter(c => !c.lead).sort((a, b) => (b.kind === 'metric') - (a.kind === 'metric'));
  const put = (cell, text) => {
    if (cell.textContent !== text) cell.textContent = text;
  };
  const fill = (parts, at) => {
    const item = items[at],
      { element } = parts;
    element.dataset.at = at;
    element.id = 'row-' + at;
    element.setAttribute('aria-rowindex', at + 2);
    element.style.transform = `translateY(${at * height}px)`;
    const isGroup = item.group !== undefined;
    element.className = `row${isGroup ? ' group' : ''}${at === cursor ? ' cursor' : ''}${at % 2 ? ' odd' : ''}`;
    if (isGroup !== (parts.group.parentNode === element))
      element.replaceChildren(...(isGroup ? [parts.group] : [parts.box, ...parts.cells, parts.rest].filter(Boolean)));
    if (isGroup) {
      element.removeAttribute('aria-selected');
      put(parts.group, `${item.open ? '▾' : '▸'} ${item.words}`);
      return;
    }
    const on = selected.has(item.key);
    element.setAttribute('aria-selected', on);
    element.classList.toggle('selected', on);
    parts.check.checked = on;
    shownColumns().forEach((column, i) =>
      column.fill ? column.fill(parts.cells[i], item.row) : put(parts.cells[i], column.text(item.row)),
    );
    if (parts.rest)
      put(
        parts.rest,
        others()
          .map(c => [c.heading, c.text(item.row)])
          .filter(p => p[1])
          .map(p => p.join(' '))
          .join(' · '),
      );
  };

  // Brings what is in sight, and a few rows around it, into being.
  const draw = all => {
    const from = Math.max(0, Math.floor(element.scrollTop / height) - 6);
    const to = Math.min(items.length, Math.ceil((element.scrollTop + element.clientHeight) / height) + 6);
    for (const [at, parts] of used)
      if (at < from || at >= to) {
        used.delete(at);
        free.push(parts);
      }
    for (let at = from; at < to; at++) {
      let parts = used.get(at);
      if (parts && !all) continue;
      if (!parts) {
        parts = free.pop();
        if (!parts) body.append((parts = makeRow()).element);
        used.set(at, parts);
      }
      fill(parts, at);
    }
    for (const parts of free.splice(0)) parts.element.remove();
    if (items.length) element.setAttribute('aria-activedescendant', 'row-' + cursor);
  };

  // The widths: of the longest texts among the rows, measured.
  const measure = () => {
    const pen = (measure.pen ??= document.createElement('canvas').getContext('2d'));
    const { fontSize, fontFamily } = getComputedStyle(element);
    pen.font = `${fontSize} ${fontFamily}`;
    const sample = items
      .filter((item, i) => item.row && (items.length < 400 || i % Math.ceil(items.length / 400) === 0))
      .map(i => i.row);
    const width = column => {
      const texts = sample
        .map(column.text)
        .sort((a, b) => b.length - a.length)
        .slice(0, 4);
      const widest = Math.max(
        pen.measureText(column.heading).width * 1.04 + 14,
        ...texts.map(t => pen.measureText(t).width + (column.extra ?? 0)),
      );
      return Math.ceil(Math.min(widest, 340)) + 22;
    };
    const widths = columns.map(width);
    const tracks = widths.map((w, i) =>
      i === widths.length - 1 || columns[i].grow ? `minmax(${w}px, 1fr)` : `${w}px`,
    );
    inner.style.setProperty('--tracks', `34px ${tracks.join(' ')}`);
    inner.style.setProperty('--width', `${34 + widths.reduce((a, b) => a + b, 0)}px`);
  };

  const heading = (column, sorted) => {
    const way = sorted?.word === column.word ? (sorted.reverse ? 'descending' : 'ascending') : undefined;
    const button = h(
      'button',
      { type: 'button', tabindex: -1, click: () => sort(column) },
      column.heading,
      way && h('span', { 'aria-hidden': 'true', class: 'way' }, way === 'ascending' ? '↑' : '↓'),
    );
    return h(
      'div',
      { role: 'columnheader', class: `cell${column.numeric ? ' number' : ''}`, 'aria-sort': way, title: column.title },
      button,
    );
  };

  const show = (newItems, newColumns, sorted) => {
    const key = items[cursor]?.key;
    items = newItems;
    const found = key === undefined ? -1 : items.findIndex(item => item.key === key);
    cursor = Math.max(0, found >= 0 ? found : Math.min(cursor, items.length - 1));
    if (newColumns) {
      columns = newColumns;
      for (const parts of used.values()) parts.element.remove();
      used.clear();
      const all = h('input', {
        type: 'checkbox',
        tabindex: -1,
        'aria-label': 'Select all that are shown',
        click: e => pickAll(e.target.checked),
      });
      head.replaceChildren(
        h('label', { class: 'check', role: 'columnheader' }, all),
        ...columns.map(c => heading(c, sorted)),
      );
      height = narrow.matches ? 54 : 28;
      element.classList.toggle('cards', narrow.matches);
      measure();
    }
    element.setAttribute('role', items.some(i => i.group !== undefined) ? 'treegrid' : 'grid');
    element.setAttribute('aria-rowcount', items.length + 1);
    body.style.height = `${items.length * height}px`;
    draw(true);
  };

  const move = to => {
    cursor = Math.max(0, Math.min(items.length - 1, to));
    const top = cursor * height,
      seen = element.clientHeight - head.offsetHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + height > element.scrollTop + seen) element.scrollTop = top + height - seen;
    draw(true);
  };

  const pick = (at, range) => {
    const item = items[at];
    if (!item || item.group !== undefined) return;
    const on = !selected.has(item.key);
    const [a, b] = range && lastPicked >= 0 ? [Math.min(at, lastPicked), Math.max(at, lastPicked)] : [at, at];
    for (const { key, group } of items.slice(a, b + 1))
      if (group === undefined) on ? selected.add(key) : selected.delete(key);
    lastPicked = at;
    onselect();
    draw(true);
  };
  const pickAll = on => {
    for (const { key, group } of items) if (group === undefined) on ? selected.add(key) : selected.delete(key);
    onselect();
    draw(true);
  };

  const page = () => Math.max(1, Math.floor(element.clientHeight / height) - 2);
  const act = item => item && (item.group === undefined ? open(item.row) : fold(item.group));
  const KEYS = {
    j: () => move(cursor + 1),
    ArrowDown: () => move(cursor + 1),
    k: () => move(cursor - 1),
    ArrowUp: () => move(cursor - 1),
    PageDown: () => move(cursor + page()),
    PageUp: () => move(cursor - page()),
    Home: () => move(0),
    End: () => move(items.length - 1),
    x: () => pick(cursor),
    ' ': () => pick(cursor),
    Enter: () => act(items[cursor]),
  };

  let asked = false;
  element.addEventListener(
    'scroll',
    () => {
      if (!asked)
        requestAnimationFrame(() => {
          asked = false;
          draw(false);
        });
      asked = true;
    },
    { passive: true },
  );
  body.addEventListener('click', event => {
    const at = event.target.closest('.row')?.dataset.at;
    if (at === undefined || event.target.closest('a, .check')) return;
    move(Number(at));
    if (items[cursor].group !== undefined) fold(items[cursor].group);
  });
  body.addEventListener('dblclick', event => {
    if (!event.target.closest('a, .check')) act(items[cursor]);
  });
  const changed = () => show(items, columns);
  narrow.addEventListener('change', changed);
  const sized = new ResizeObserver(() => draw(false));
  sized.observe(element);

  return {
    element,
    show,
    refresh: () => draw(true),
    keys: KEYS,
    close: () => {
      sized.disconnect();
      narrow.removeEventListener('change', changed);
    },
  };
};
