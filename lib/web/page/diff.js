// What a run has that another one has not; of a failed run against the last good one without being asked.
'use strict';

nn.diff = run => {
  const h = nn.h,
    field = h('input', {
      type: 'text',
      name: 'other',
      size: 6,
      'aria-label': 'Another run',
      placeholder: 'run',
      autocomplete: 'off',
    }),
    place = h('div');
  const show = async other => {
    field.value = other;
    try {
      const { rows } = await nn.get(`diff?a=${other}&b=${run}`);
      const lines = rows.map(r => [r.what, r.a, r.b]);
      place.replaceChildren(
        rows.length ? nn.pairs(lines, ['', `run ${other}`, `run ${run}`]) : nn.empty('Nothing differs.'),
      );
    } catch (error) {
      place.replaceChildren(nn.empty(error.message, { role: 'alert' }));
    }
  };
  const submit = event => {
    event.preventDefault();
    if (/^\d+$/.test(field.value.trim())) show(field.value.trim());
  };
  const good = h('span'),
    form = h('form', { class: 'inline', submit }, field, h('button', { type: 'submit' }, 'Show'), good);
  let said;
  const about = row => {
    if (row.good === said || row.good === undefined) return;
    said = row.good;
    good.replaceChildren(nn.button(`last good: ${row.good}`, () => show(row.good)));
    if (row.state === 'failed' && !field.value) show(row.good);
  };
  return {
    element: h('section', { class: 'diff', 'aria-label': 'Difference' }, h('h2', {}, 'Difference to'), form, place),
    about,
    show,
  };
};
