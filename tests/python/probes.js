// What tests/python/browser.py looks at inside the page: each function is run there and what it returns, or promises, is
// handed back. webdriver.py's probe() reads this file as one expression.
({
  // When two frames have been drawn: what has changed since shows in these numbers.
  settled: () =>
    new Promise(done => {
      const tell = () => done([performance.getEntriesByType('resource').length, document.body.innerText.length]);
      requestAnimationFrame(() => requestAnimationFrame(tell));
    }),

  // The numbers of the runs in the table, and the texts of its cells, from above.
  runs: () => {
    const rows = [...document.querySelectorAll('.grid .row:not(.group)')];
    return rows.sort((a, b) => a.dataset.at - b.dataset.at).map(r => Number(r.querySelector('a').textContent));
  },
  cells: () => {
    const rows = [...document.querySelectorAll('.grid .row')].sort((a, b) => a.dataset.at - b.dataset.at);
    return rows.map(row => [...row.querySelectorAll('.cell')].map(cell => cell.textContent));
  },
  lines: selector => [...document.querySelectorAll(selector)].map(r => [...r.children].map(c => c.innerText)),

  // What a canvas shows, as a fingerprint, and how many of its pixels are not empty.
  drawn: selector => {
    const canvas = document.querySelector(selector);
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let pixels = 0;
    let sum = 0;
    for (let i = 3; i < data.length; i += 4) {
      if (!data[i]) continue;
      pixels++;
      sum = (sum * 31 + data[i - 1] + data[i - 2] * 7 + i) % 2147483647;
    }
    return [sum, pixels];
  },

  // The widest gap in what is drawn in a colour, in columns of pixels.
  gap: (selector, color) => {
    const canvas = document.querySelector(selector);
    const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const isNear = at => data[at + 3] > 200 && color.every((c, i) => Math.abs(data[at + i] - c) < 40);
    const has = x => Array.from({ length: height }, (_, y) => (y * width + x) * 4).some(isNear);
    let widest = 0;
    let last = -1;
    for (let x = 0; x < width; x++) {
      if (!has(x)) continue;
      if (last >= 0) widest = Math.max(widest, x - last - 1);
      last = x;
    }
    return widest;
  },

  // Milliseconds from a letter typed into the filter to the next frame.
  filtering: where =>
    new Promise(done => {
      const input = document.querySelector('#where');
      const start = performance.now();
      input.value = where;
      input.dispatchEvent(new Event('input'));
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
    }),

  // From the click on Compare to the frame with so many curves: in all, and of that waiting for the server.
  comparing: (address, count) =>
    new Promise(done => {
      const start = performance.now();
      const tell = () => {
        const asked = performance.getEntriesByType('resource').filter(e => e.name.includes('curves?')).pop();
        done([performance.now() - start, asked.responseEnd - asked.startTime]);
      };
      const look = (_, observer) => {
        const label = document.querySelector('.chart canvas[role=img]')?.ariaLabel ?? '';
        if (!label.includes(`${count} curves`)) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(tell));
      };
      new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
      location.hash = address;
    }),
  drawing: () => {
    const box = document.querySelector('.controls input[type=checkbox]');
    const start = performance.now();
    box.click();
    document.querySelector('.chart canvas').getContext('2d').getImageData(0, 0, 1, 1);
    return performance.now() - start;
  },
  pointing: x => {
    const canvas = document.querySelector('.chart canvas[role=img]');
    const box = canvas.getBoundingClientRect();
    const start = performance.now();
    canvas.dispatchEvent(new PointerEvent('pointermove', { clientX: box.left + x, clientY: box.top + 200 }));
    return performance.now() - start;
  },

  // How long the server's reply with all runs took, and the page to list them after it.
  listing: () => {
    const asked = performance.getEntriesByType('resource').filter(e => e.name.endsWith('api/runs'))[0];
    return [asked.responseEnd - asked.requestStart, nn.views.runs.listed - asked.responseEnd];
  },
  // Scrolls for 120 frames, now and then by a leap: tasks of more than 50 ms, and the slowest frame.
  scrolling: () =>
    new Promise(done => {
      const grid = document.querySelector('.grid');
      const tasks = [];
      const frames = [];
      new PerformanceObserver(list => tasks.push(...list.getEntries().map(e => e.duration))).observe({ type: 'longtask' });
      let count = 0;
      let last = performance.now();
      const step = now => {
        frames.push(now - last);
        last = now;
        grid.scrollTop += count % 20 === 0 ? 9000 : 300;
        if (++count < 120) requestAnimationFrame(step);
        else setTimeout(() => done([tasks, Math.max(...frames.slice(1))]), 100);
      };
      grid.scrollTop = 0;
      requestAnimationFrame(step);
    }),

  // Whether a text of somebody else's ran; elements and attributes that this page does not make.
  strange: () => {
    const kinds = 'img svg iframe script b i body object embed'.split(' ').map(kind => 'main ' + kind);
    const known = /^(#.*|data:,|data\/.*|[a-z]+\.(js|css))$/;
    const odd = ({ name, value }) => /^on/i.test(name) || (/^(href|src|action)$/.test(name) && !known.test(value));
    const attributes = [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(odd);
    return [
      window.hit ?? null,
      Object.prototype.hit ?? null,
      document.querySelectorAll(kinds.join(', ')).length,
      attributes.map(a => a.name + '=' + a.value.slice(0, 60)),
    ];
  },
  // Opens whatever is folded, and points at every chart.
  unfold: () => {
    for (const details of document.querySelectorAll('details')) details.open = true;
    for (const canvas of document.querySelectorAll('canvas[role=img]')) {
      const box = canvas.getBoundingClientRect();
      const at = { clientX: box.left + box.width / 2, clientY: box.top + 80 };
      canvas.dispatchEvent(new PointerEvent('pointermove', at));
    }
  },

  // How wide the page, its content and its table are; what reaches beyond a width.
  widths: most => {
    const isBeyond = e => e.getBoundingClientRect().right > most + 1 && !e.closest('.scroll, details, .tip, .grid');
    const beyond = [...document.querySelectorAll('main *')].filter(isBeyond).map(e => e.tagName + '.' + e.className);
    const wide = selector => document.querySelector(selector)?.scrollWidth ?? 0;
    return [Math.max(wide('html'), wide('main'), wide('.grid')), beyond];
  },

  // What has no name for those who do not see.
  nameless: () => {
    const kinds = 'button, a[href], input, select, canvas[role], [role=grid], [role=treegrid], [role=meter], section, nav, dialog';
    const label = e => e.closest('label')?.innerText.trim() || e.labels?.[0]?.innerText;
    const hasName = e => e.innerText?.trim() || e.getAttribute('aria-label') || label(e);
    return [...document.querySelectorAll(kinds)].filter(e => !hasName(e)).map(e => e.outerHTML.slice(0, 120));
  },
  focused: () => {
    const e = document.activeElement;
    return [e === document.body ? 'body' : e.id || e.className || e.innerText, getComputedStyle(e).outlineStyle !== 'none'];
  },

  // Texts whose contrast with their ground is less than 4.5 to 1 (WCAG 2.2, 1.4.3).
  pale: () => {
    const parse = color => color.match(/[\d.]+/g).map(Number);
    const part = v => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * part(r / 255) + 0.7152 * part(g / 255) + 0.0722 * part(b / 255);
    const ground = element => {
      for (let e = element; e; e = e.parentElement) {
        const color = parse(getComputedStyle(e).backgroundColor);
        if (color.length < 4 || color[3] > 0) return color;
      }
      return [255, 255, 255];
    };
    const contrast = e => {
      const [low, high] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05);
    };
    const hasText = e => [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim());
    const seen = [...document.querySelectorAll('body *')].filter(e => hasText(e) && e.getClientRects().length);
    const found = seen.filter(e => !e.closest('.skip')).map(e => [contrast(e), `${e.className} ${e.innerText.slice(0, 30)}`]);
    return found.filter(([ratio]) => ratio < 4.5);
  },
})
