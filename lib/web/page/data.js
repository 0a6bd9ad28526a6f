// Where the data comes from. nn.get(path) asks the server; in an export (<meta name="nn-data" content="files">) it loads
// data/PATH.js, which calls nn.put. nn.store keeps all rows of runs and the hosts, fed by server-sent events: whoever
// wants to know of changes gives nn.store.heard an object {runs, hosts, points, log, event, live}.
'use strict';

nn.isExport = document.querySelector('meta[name=nn-data]')?.content === 'files';

nn.get = (() => {
  const asked = new Map();
  const put = (path, data) => {
    const entry = asked.get(path);
    if (!entry) return;
    entry.isThere = true;
    entry.done(data);
  };

  const load = path => {
    const kept = asked.get(path);
    if (kept) return kept.promise;
    const entry = {};
    entry.promise = new Promise((done, fail) => {
      entry.done = done;
      const script = nn.h('script');
      const missing = () => {
        asked.delete(path);
        fail(new Error(`there is no ${path} in this export`));
      };
      script.addEventListener('error', missing);
      script.addEventListener('load', () => {
        script.remove();
        if (!entry.isThere) missing();
      });
      script.src = `data/${path}.js`;
      asked.set(path, entry);
      document.head.append(script);
    });
    return entry.promise;
  };

  const answer = async response => {
    const data = await response.json().catch(() => ({}));
    if (response.ok) return data;
    throw Object.assign(new Error(data.error || `the server said ${response.status}`), { status: response.status });
  };

  const JSON_TYPE = { 'Content-Type': 'application/json' };
  const login = async () => {
    const token = nn.h('input', { type: 'password', name: 'token', autocomplete: 'current-password' });
    for (;;) {
      const values = await nn.ask('This page asks for its token', [nn.h('label', {}, 'Token', token)], 'Show the runs');
      if (!values) throw new Error('no token was given');
      const response = await fetch('api/login', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(values) });
      if (response.ok) return;
      nn.say('That is not the token.', true);
    }
  };

  let pending = null;
  const ask = async path => {
    let response = await fetch('api/' + path);
    if (response.status === 401 || response.status === 403) {
      pending ??= login().finally(() => {
        pending = null;
      });
      await pending;
      response = await fetch('api/' + path);
    }
    return answer(response);
  };

  nn.put = put;
  nn.answer = answer;
  return path => (nn.isExport ? nn.files.get(path, load) : ask(path));
})();

// Changes something: only with the token, which is asked for once and forgotten with the tab.
nn.post = async (path, body = {}) => {
  let token = sessionStorage.getItem('nn-token');
  if (!token) {
    const field = nn.h('input', { type: 'password', name: 'token', autocomplete: 'off' });
    const values = await nn.ask(
      'To change runs, this page needs the token',
      [nn.h('label', {}, 'Token', field)],
      'Go on',
    );
    if (!values) throw new Error('nothing was changed');
    token = values.token;
  }
  const headers = { Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' };
  const response = await fetch('api/' + path, { method: 'POST', headers, body: JSON.stringify(body) });
  if (response.status === 401 || response.status === 403) sessionStorage.removeItem('nn-token');
  else sessionStorage.setItem('nn-token', token);
  return nn.answer(response);
};

nn.store = (() => {
  const store = { about: {}, rows: new Map(), list: [], version: undefined, hosts: null, heard: {}, state: '' };
  let source, wanted, timer;

  const tell = (what, data) => store.heard[what]?.(data);
  const take = ({ version, runs, gone = [], all }) => {
    let added = Boolean(all);
    if (all) store.rows.clear();
    for (const row of runs) {
      row.how ??= row.error;
      added ||= !store.rows.has(row.run);
      store.rows.set(row.run, row);
    }
    for (const run of gone) store.rows.delete(run);
    store.version = version;
    store.list = [...store.rows.values()];
    if (added) store.list.sort((a, b) => a.run - b.run);
    if (all || runs.length || gone.length) tell('runs', { runs: runs.map(r => r.run), gone });
  };
  const sign = state => {
    store.state = state;
    tell('live', state);
  };

  // The stream begins with what has changed since the version that is here; when the line breaks the browser asks again,
  // with the last version that it was told.
  const open = () => {
    clearTimeout(timer);
    source?.close();
    const own = (source = new EventSource(`api/live?since=${store.version}${wanted ? `&run=${wanted}` : ''}`));
    const on = (name, act) => own.addEventListener(name, event => own === source && act(JSON.parse(event.data)));
    own.onopen = () => own === source && sign('live');
    own.onerror = () => {
      if (own !== source) return;
      if (!store.state.startsWith('away')) sign(`away since ${nn.words.clock(new Date()).slice(0, 5)}`);
      if (own.readyState === EventSource.CLOSED) timer = setTimeout(open, 3000);
    };
    on('runs', take);
    on('hosts', data => {
      store.hosts = data;
      tell('hosts', data);
    });
    for (const name of ['points', 'log', 'event']) on(name, data => tell(name, data));
  };

  // A browser has six lines to a server: a tab that nobody sees gives its own back, and catches up when it is seen again.
  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const seen = () => {
    if (document.hidden) close();
    else if (!source && wanted !== undefined) open();
  };
  document.addEventListener('visibilitychange', seen);
  addEventListener('pagehide', close);
  addEventListener('pageshow', seen);

  // Follows everything, and one run more closely.
  store.follow = run => {
    if (nn.isExport) return sign('a copy');
    if (source && wanted === (run ?? 0)) return;
    wanted = run ?? 0;
    open();
  };
  store.start = async () => {
    store.about = await nn.get('about');
    take(await nn.get('runs'));
  };
  return store;
})();
