// The legend of a chart: a button a curve, which hides or shows it; pointing at it brings the curve out. Of many curves
// the first are named, the others when asked for: a chart is not to wait for names that nobody reads.
'use strict';

nn.legend = (chart, title) => {
  const h = nn.h,
    MOST = 60;
  const item = s => {
    const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
    swatch.style.borderTop = `3px ${s.dash?.length ? 'dashed' : 'solid'} ${s.color}`;
    const flip = () => {
      s.hidden = !s.hidden;
      button.setAttribute('aria-pressed', String(!s.hidden));
      chart.draw();
    };
    const light = on => () => {
      chart.lit = on ? { series: s } : null;
      chart.light();
    };
    const hears = { mouseenter: light(true), mouseleave: light(false), focus: light(true), blur: light(false) };
    const button = nn.button([swatch, h('span', {}, s.name)], flip, {
      'aria-pressed': String(!s.hidden),
      title: 'Hide or show',
      ...hears,
    });
    return h('li', {}, button, s.href && h('a', { href: s.href, 'aria-label': 'Open ' + s.name }, '→'));
  };
  const { series } = chart.data,
    list = h('ul', { class: 'legend', 'aria-label': title }, series.slice(0, MOST).map(item));
  if (series.length > MOST) {
    const more = h(
      'li',
      {},
      nn.button(`${series.length - MOST} more`, () => more.replaceWith(...series.slice(MOST).map(item))),
    );
    list.append(more);
  }
  return list;
};
