// Elements. nn.h(tag, attributes, children…) is the only way in which this page makes any: a child that is no element
// becomes a text node, attributes come from a fixed list, and an address must begin with '#'. Names, notes and logs are
// written by others; nothing of them can become markup here.
'use strict';

nn.h = (() => {
  const PLAIN = [
    'class',
    'id',
    'title',
    'type',
    'role',
    'name',
    'value',
    'placeholder',
    'tabindex',
    'scope',
    'autocomplete',
    'min',
    'max',
    'step',
    'spellcheck',
    'list',
    'size',
    'datetime',
    'open',
    'method',
    'enterkeyhint',
  ];

  const set = (element, name, value) => {
    if (value === undefined || value === null || value === false) return;
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (name === 'checked' || name === 'disabled' || name === 'selected' || name === 'hidden')
      element[name] = true;
    else if (name === 'style') for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else if (name === 'href' && String(value).startsWith('#')) element.setAttribute(name, value);
    else if (PLAIN.includes(name) || /^(aria|data)-[a-z]+$/.test(name))
      element.setAttribute(name, value === true ? '' : value);
    else throw new Error('no such attribute: ' + name);
  };

  const add = (element, child) => {
    if (Array.isArray(child)) for (const c of child) add(element, c);
    else if (child !== undefined && child !== null && child !== false)
      element.append(child instanceof Node ? child : String(child));
  };

  return (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) set(element, name, value);
    add(element, children);
    return element;
  };
})();

// Draws what is in an element anew. What had the focus, or has its place now, has it afterwards.
nn.redraw = (element, ...children) => {
  const way = [];
  for (let at = document.activeElement; element !== at && element.contains(at); at = at.parentNode)
    way.unshift([...at.parentNode.children].indexOf(at));
  element.replaceChildren(...children);
  if (way.length) way.reduce((at, i) => at?.children[i], element)?.focus({ preventScroll: true });
};

// The parts that views are made of.
nn.button = (words, click, attributes = {}) => nn.h('button', { type: 'button', click, ...attributes }, words);
nn.empty = (words, attributes = {}) => nn.h('p', { class: 'empty', ...attributes }, words);
nn.section = (title, ...children) => nn.h('section', { 'aria-label': title }, nn.h('h2', {}, title), children);
nn.tick = (words, checked, set) => {
  const box = nn.h('input', { type: 'checkbox', checked, change: () => set(box.checked) });
  return nn.h('label', { class: 'inline' }, box, words);
};
nn.choice = (words, value, options, set) => {
  const option = ([name, text = name]) => nn.h('option', { value: name, selected: name === value }, text);
  const select = nn.h('select', { change: () => set(select.value) }, options.map(option));
  return nn.h('label', { class: 'inline' }, words, select);
};
nn.slider = (words, value, set) => {
  const range = { type: 'range', min: 0, max: 0.98, step: 0.02, value, input: () => set(Number(input.value)) };
  const input = nn.h('input', range);
  return nn.h('label', { class: 'inline' }, words, input);
};
// A table of two columns: a name, and what it is.
nn.pairs = (pairs, heads) => {
  const head =
    heads &&
    nn.h(
      'thead',
      {},
      nn.h(
        'tr',
        {},
        heads.map(words => nn.h('th', { scope: 'col' }, words)),
      ),
    );
  const line = ([name, ...values]) =>
    nn.h(
      'tr',
      {},
      nn.h('th', { scope: 'row' }, name),
      values.map(v => nn.h('td', {}, nn.words.plain(v))),
    );
  return nn.h('table', { class: 'pairs' }, head, nn.h('tbody', {}, pairs.map(line)));
};

// One line at the foot of the page, also for screen readers.
nn.say = (() => {
  let timer;
  return (text, bad = false) => {
    const place = document.getElementById('said');
    place.textContent = text;
    place.className = bad ? 'bad' : text ? 'good' : '';
    clearTimeout(timer);
    if (text) timer = setTimeout(() => nn.say(''), bad ? 12000 : 6000);
  };
})();

// A dialog with a form: resolves with the values by name, or with null when it is left.
nn.ask = (title, fields, button) =>
  new Promise(done => {
    const h = nn.h;
    const form = h(
      'form',
      { method: 'dialog' },
      h('h2', {}, title),
      fields,
      h(
        'p',
        { class: 'buttons' },
        nn.button('Not now', () => dialog.close(), { class: 'plain' }),
        h('button', { type: 'submit', class: 'main' }, button),
      ),
    );
    const dialog = h('dialog', { 'aria-label': title }, form);
    let values = null;
    form.addEventListener('submit', event => {
      event.preventDefault();
      values = Object.fromEntries(new FormData(form));
      dialog.close();
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      done(values);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
