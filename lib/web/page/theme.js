// Dark or light: what the system prefers, until the person says otherwise. Runs before the page is drawn, so that it
// never flashes; the colours themselves are in style.css, under [data-theme].
'use strict';
var nn = { views: {}, selected: new Set() };

nn.theme = (() => {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const heard = new Set();
  const kept = () => {
    try {
      return localStorage.getItem('nn-theme');
    } catch {
      return null;
    }
  };
  const set = theme => {
    document.documentElement.dataset.theme = theme;
    for (const act of heard) act();
  };
  const apply = () => set(kept() || (system.matches ? 'dark' : 'light'));
  const toggle = () => {
    const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    try {
      localStorage.setItem('nn-theme', next);
    } catch {
      /* not kept, then */
    }
    set(next);
  };
  system.addEventListener('change', apply);
  apply();
  // A colour of style.css by its name, for the canvas.
  const color = name =>
    getComputedStyle(document.documentElement)
      .getPropertyValue('--' + name)
      .trim();
  return { toggle, color, heard };
})();
