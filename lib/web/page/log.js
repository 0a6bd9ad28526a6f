// The log of a run, from its last 64 KiB on, and on as it grows. Escape codes are left out, of a line that was written
// over by carriage returns the last text stands, other control characters are shown as ^X: what is left is text. Follows
// the end while the end is in sight.
'use strict';

nn.log = run => {
  const h = nn.h,
    { bytes } = nn.words,
    MOST = 600;
  const text = h('pre', { tabindex: 0, 'aria-label': 'Log', role: 'log' }),
    last = document.createTextNode('');
  const about = h('span', { class: 'about' }),
    earlier = h('button', { type: 'button', hidden: true }, 'Earlier');
  const element = h('section', { class: 'log', 'aria-label': 'Log' }, h('h2', {}, 'Log', about, earlier), text);
  let at = { from: 0, to: 0, size: 0 },
    partial = '',
    busy = null,
    closed = false;

  const CODES = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?/g;
  const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
  const caret = c => (c < ' ' ? '^' + String.fromCharCode(c.charCodeAt(0) + 64) : `<${c.charCodeAt(0).toString(16)}>`);
  const clean = line => {
    const plain = line.replace(CODES, '').replace(/\r+$/, '');
    return plain.slice(plain.lastIndexOf('\r') + 1).replace(CONTROLS, caret);
  };

  const append = chunk => {
    const all = partial + chunk,
      end = all.lastIndexOf('\n') + 1;
    const isAtEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 40;
    if (end) last.before(document.createTextNode(all.slice(0, end).split('\n').map(clean).join('\n')));
    partial = all.slice(end);
    if (partial.length > 65536) partial = partial.slice(-65536);
    last.data = clean(partial);
    while (text.childNodes.length > MOST) text.firstChild.remove();
    if (isAtEnd) text.scrollTop = text.scrollHeight;
  };

  const take = part => {
    at = { from: at.to === 0 ? part.from : at.from, to: part.to, size: part.size };
    append(part.text);
    about.textContent =
      part.size === 0
        ? 'nothing yet'
        : at.from > 0
          ? `the last ${bytes(at.to - at.from)} of ${bytes(part.size)}`
          : bytes(part.size);
    earlier.hidden = at.from === 0 || nn.isExport;
  };

  // Reads from there to the end, one call after the other.
  const read = async from => {
    for (let next = from; !closed;) {
      const part = await nn.get(`runs/${run}/log?from=${next}`);
      if (closed) return;
      take(part);
      if (nn.isExport || part.to >= part.size || part.to === next) return;
      next = part.to;
    }
  };
  const once = from =>
    (busy ??= read(from)
      .catch(error => {
        about.textContent = error.message;
      })
      .finally(() => {
        busy = null;
      }));

  const start = from => {
    [at, partial] = [{ from: 0, to: 0, size: 0 }, ''];
    last.data = '';
    text.replaceChildren(last);
    return once(from);
  };
  earlier.addEventListener('click', async () => {
    const below = text.scrollHeight - text.scrollTop;
    await start(Math.max(0, at.from - 262144));
    text.scrollTop = text.scrollHeight - below;
  });

  // News from the server: what follows on what is here, or a reason to ask for it.
  const news = part => {
    if (busy || part.to <= at.to) return;
    if (part.from === at.to) take(part);
    else once(at.to);
  };
  start(-65536).then(() => {
    text.scrollTop = text.scrollHeight;
  });
  return {
    element,
    news,
    catchUp: () => once(at.to || -65536),
    close: () => {
      closed = true;
    },
  };
};
