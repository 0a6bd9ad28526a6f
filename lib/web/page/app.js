// The frame: which view the address names, the keys, and the line to the server. The state of a view is in the hash, so
// that an address can be kept and sent: #/runs?where=lr>0.01&sort=-valid_cost@min, #/run/17, #/compare?runs=1-12,
// #/hosts, #/queue. A view is nn.views.NAME(root, {arg, query}); it gives back what it wants to hear (runs, hosts,
// points, log, event), its keys, and close().
'use strict';

nn.app = (() => {
  const h = nn.h,
    main = document.getElementById('main');
  const decode = text => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const encode = text => encodeURIComponent(text).replace(/%(3E|3C|3D|40|2C|7E|3A|2F|21)/g, decodeURIComponent);

  const parse = hash => {
    const [path, rest = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
    const [view = '', arg] = path.split('/');
    const query = {};
    for (const part of rest.split('&').filter(Boolean)) {
      const [key, value = ''] = part.split(/=(.*)/s);
      query[decode(key)] = decode(value);
    }
    return { view: Object.hasOwn(nn.views, view) ? view : 'runs', arg, query };
  };
  const link = (path, query = {}) => {
    const parts = Object.entries(query)
      .filter(([, v]) => v !== undefined && v !== '' && v !== false)
      .map(([k, v]) => `${encode(k)}=${encode(String(v))}`);
    return `#/${path}${parts.length ? '?' + parts.join('&') : ''}`;
  };

  let view = {},
    shown = '',
    list = '#/runs',
    timer,
    pending;
  const lists = {};
  const remember = () => {
    lists[parse(location.hash).view] = location.hash || '#/runs';
    list = lists.runs ?? '#/runs';
    const compare = document.querySelector('nav a[data-view=compare]');
    document.querySelector('nav a[data-view=runs]').setAttribute('href', list);
    if (lists.compare) compare.setAttribute('href', lists.compare);
  };

  // Writes the state of the view shown into the address, without a step of history for each letter typed.
  const keep = (path, query) => {
    clearTimeout(timer);
    pending = link(path, query);
    timer = setTimeout(flush, 150);
  };
  const flush = () => {
    clearTimeout(timer);
    if (pending && pending !== location.hash) history.replaceState(null, '', pending);
    pending = undefined;
    remember();
  };

  const show = () => {
    clearTimeout(timer);
    pending = undefined;
    const { view: name, arg, query } = parse(location.hash);
    view.close?.();
    remember();
    for (const a of document.querySelectorAll('nav a')) {
      if (a.dataset.view === name || (name === 'run' && a.dataset.view === 'runs'))
        a.setAttribute('aria-current', 'page');
      else a.removeAttribute('aria-current');
    }
    document.title = name === 'run' ? `run ${arg} · nn` : `${name} · nn`;
    const root = h('section', { class: 'view ' + name, 'aria-label': name === 'run' ? `Run ${arg}` : name });
    main.replaceChildren(root);
    document.querySelectorAll('dialog').forEach(d => d.close());
    nn.store.heard = { live };
    view = nn.views[name](root, { arg, query }) ?? {};
    Object.assign(nn.store.heard, view.heard);
    nn.store.follow(name === 'run' && /^\d+$/.test(arg) ? Number(arg) : undefined);
    if (shown && shown !== name) main.focus({ preventScroll: true });
    shown = name;
  };

  const live = state => {
    const sign = document.getElementById('live');
    sign.textContent = state;
    sign.className = state === 'live' ? 'on' : state.startsWith('away') ? 'off' : '';
  };

  const HELP = [
    ['j k ↓ ↑', 'next, previous'],
    ['Enter', 'open'],
    ['x, space', 'select'],
    ['/', 'filter'],
    ['c', 'compare what is selected'],
    ['g r', 'runs'],
    ['g c', 'compare'],
    ['g h', 'hosts'],
    ['g q', 'queue'],
    ['Esc', 'back'],
    ['d', 'dark or light'],
    ['?', 'these keys'],
    ['in a chart', '← → ↑ ↓ walk, + − zoom, 0 all; drag or wheel zooms, a double click shows all'],
  ];
  const help = () => {
    const dialog = h(
      'dialog',
      { 'aria-label': 'Keys' },
      h('h2', {}, 'Keys'),
      h(
        'dl',
        { class: 'keys' },
        HELP.map(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)]),
      ),
      h(
        'p',
        { class: 'buttons' },
        nn.button('Close', () => dialog.close()),
      ),
    );
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };

  const GO = { r: () => list, c: () => lists.compare ?? '#/compare', h: () => '#/hosts', q: () => '#/queue' };
  let g = 0;
  const back = () => {
    const { view: name } = parse(location.hash);
    if (name !== 'runs') location.hash = list;
    else view.keys?.Escape?.();
  };
  const typing = target => target.matches('input:not([type=checkbox]):not([type=range]), textarea, select');
  const press = event => {
    if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector('dialog[open]')) return;
    const { key, target } = event,
      element = target instanceof Element ? target : document.body;
    if (typing(element)) {
      if (key === 'Escape') element.blur();
      return;
    }
    if ((key === 'Enter' || key === ' ') && element.closest('button, a, input, summary')) return;
    const going = Date.now() - g < 1200 && GO[key];
    g = key === 'g' ? Date.now() : 0;
    const act = going
      ? () => {
          location.hash = going();
        }
      : ({ '?': help, d: nn.theme.toggle, Escape: back }[key] ?? view.keys?.[key]);
    if (!act || key === 'g') return;
    event.preventDefault();
    flush();
    act();
  };

  const start = async () => {
    document.getElementById('theme').addEventListener('click', nn.theme.toggle);
    document.getElementById('help').addEventListener('click', help);
    document.addEventListener('keydown', press);
    document.addEventListener('click', flush, true);
    document.querySelector('.skip').addEventListener('click', event => {
      event.preventDefault();
      main.focus();
    });
    try {
      await nn.store.start();
    } catch (error) {
      const again = nn.button('Try again', () => location.reload());
      main.replaceChildren(nn.empty(`The runs cannot be read: ${error.message}.`, { role: 'alert' }), nn.empty(again));
      return;
    }
    const { spool, host, version } = nn.store.about;
    const place = document.getElementById('spool');
    place.textContent = [host, spool].filter(Boolean).join(':');
    place.title = `nn-tools ${version ?? ''}`;
    addEventListener('hashchange', show);
    show();
  };

  return { start, link, keep };
})();

nn.app.start();
