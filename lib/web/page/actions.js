// What changes runs: buttons that are only there when the server says that writing is possible. Cancel asks once more.
// Each call is one POST; what the server says is told at the foot of the page.
'use strict';

nn.actions = (() => {
  const h = nn.h;
  const FITS = {
    cancel: ['queued', 'held', 'submitted', 'running'],
    retry: ['failed', 'done', 'cancelled'],
    hold: ['queued', 'submitted'],
    release: ['held'],
  };

  const act = async (runs, action, body) => {
    let done = 0,
      said;
    for (const run of runs) {
      try {
        said = (await nn.post(`runs/${run}/${action}`, body)).said;
        done++;
      } catch (error) {
        nn.say(`run ${run}: ${error.message}`, true);
        if (runs.length === 1 || error.status === 401 || error.status === 403 || !error.status) return;
      }
    }
    if (done)
      nn.say(
        runs.length === 1
          ? (said ?? `run ${runs[0]}: ${action}`)
          : `${action}: ${done} of ${nn.words.count(runs.length, 'run')}`,
      );
  };

  const note = async row => {
    const field = h('input', { name: 'note', value: row.note ?? '', autocomplete: 'off', size: 50 });
    const values = await nn.ask(`Note on run ${row.run}`, [h('label', {}, 'Note', field)], 'Keep');
    if (values) await act([row.run], 'note', { note: values.note });
  };

  // The button that asks once more, which may be drawn anew meanwhile.
  let asking = null;
  const calm = () => {
    if (!asking) return;
    clearTimeout(asking.timer);
    asking.button.textContent = asking.plain;
    asking = null;
  };
  const sure = (key, plain, text, then) => {
    const click = () => {
      const isSure = asking?.key === key;
      calm();
      if (isSure) return then();
      asking = { key, plain, button, timer: setTimeout(calm, 4000) };
      button.textContent = text;
    };
    const button = nn.button(plain, click, { class: 'danger' });
    if (asking?.key === key) {
      asking.button = button;
      button.textContent = text;
    }
    return button;
  };

  // Buttons for these rows.
  const buttons = rows => {
    if (!nn.store.about.write || !rows.length) return [];
    const found = Object.keys(FITS).map(action => {
      const runs = rows.filter(row => FITS[action].includes(row.state)).map(row => row.run);
      if (!runs.length) return null;
      const all = runs.length > 1 ? ` ${runs.length}` : '',
        words = action[0].toUpperCase() + action.slice(1) + all;
      const now = () => act(runs, action);
      return action === 'cancel'
        ? sure(`${action} ${runs}`, words, `Really cancel${all}?`, now)
        : nn.button(words, now);
    });
    if (rows.length === 1) found.push(nn.button('Note…', () => note(rows[0])));
    return found.filter(Boolean);
  };
  return { buttons };
})();
