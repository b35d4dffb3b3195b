// What can be measured on a page as it stands, put into it once. Each check answers with how many things it looked at and what is wrong with them.
// Nothing is left changed behind: what was unfolded is folded again, and the focus goes back to where it was.
globalThis.pageChecks = (() => {
  const controls = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [role=button], [role=link], [contenteditable=true]';
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const say = one => {
    const text = one.outerHTML.replace(/\s+/g, ' ');
    return text.length > 160 ? `${text.slice(0, 160)} …` : text;
  };
  const seen = one => one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  // For screen readers alone: there, and nowhere to be seen.
  const unseen = one => {
    const hider = one.closest('.ds-sr-only, .ds-skip-link');
    if (hider && !hider.contains(document.activeElement)) return true;
    const { width, height } = one.getBoundingClientRect();
    return width <= 1 || height <= 1;
  };
  const shown = one => seen(one) && !unseen(one);

  // Colours in whatever notation, as a canvas paints them.
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = colour => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = colour => {
    const [r, g, b] = rgba(colour).map(part => (part / 255 <= .04045 ? part / 255 / 12.92 : ((part / 255 + .055) / 1.055) ** 2.4));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + .05) / (low + .05);
  };
  const ground = one => {
    for (let at = one; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (rgba(colour)[3] > 127) return colour;
    }
    return 'Canvas';
  };

  const unfolded = work => {
    const folded = all('details:not([open])').filter(seen);
    for (const one of folded) one.open = true;
    try {
      return work();
    } finally {
      for (const one of folded) one.open = false;
    }
  };

  /** The lines of all text that is seen, each with the element that it stands in. */
  const lines = () => {
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
    while (walker.nextNode()) {
      const text = walker.currentNode, owner = text.parentElement;
      if (!text.data.trim() || owner.closest('script, style, noscript, option') || !shown(owner)) continue;
      range.selectNodeContents(text);
      for (const box of range.getClientRects()) if (box.width > 1 && box.height > 1) found.push({ box, owner, text: text.data.trim() });
    }
    return found;
  };

  /** WCAG 1.4.10: nothing is pushed sideways; what scrolls within the page has a name and can be reached with the keyboard. */
  const sideways = () => unfolded(() => {
    const root = document.documentElement, wrong = [];
    let looked = 1;
    if (root.scrollWidth > root.clientWidth) {
      const wide = all('body *').filter(one => one.getBoundingClientRect().right > root.clientWidth + 1 && !one.closest('.pv-scroll'));
      wrong.push(`the page is ${root.scrollWidth} wide, in a window of ${root.clientWidth}, because of ${wide.slice(-2).map(say).join(' | ')}`);
    }
    for (const one of all('body *')) {
      if (!/auto|scroll/.test(getComputedStyle(one).overflowX) || one.scrollWidth <= one.clientWidth + 1 || one.matches('textarea, input, select')) continue;
      looked++;
      if (one.tabIndex !== 0 || one.getAttribute('role') !== 'region' || !(one.getAttribute('aria-label') || one.getAttribute('aria-labelledby'))) wrong.push(`scrolls sideways without a name: ${say(one)}`);
    }
    return { looked, wrong };
  });

  /** WCAG 1.4.4, 1.4.10, 1.4.12: no text is cut off by its box or by the window. */
  const cut = () => unfolded(() => {
    const wrong = new Set(), edge = document.documentElement.clientWidth;
    const boxes = all('body *').filter(one => shown(one) && !one.matches('svg, svg *, video, img, canvas, input, select, textarea') && /hidden|clip/.test(getComputedStyle(one).overflow) && one.textContent.trim());
    for (const one of boxes) {
      if (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1) wrong.add(`cut off: ${say(one)}`);
    }
    for (const one of all('button').filter(shown)) if (one.scrollWidth > one.clientWidth + 1) wrong.add(`wider than its button: ${say(one)}`);
    const text = lines();
    for (const { box, owner } of text) {
      if ((box.left < -1 || box.right > edge + 1) && !owner.closest('.pv-scroll')) wrong.add(`beyond the window: ${say(owner)}`);
    }
    return { looked: boxes.length + text.length, wrong: [...wrong] };
  });

  /** WCAG 1.4.4, 1.4.10, 1.4.12: no text lies upon another, and no field or button upon a text that is not its own. */
  const overlapping = () => unfolded(() => {
    const wrong = new Set();
    // The letters themselves: what a font reserves above and below them may overlap.
    const text = lines().map(({ box, owner }) => ({ owner, left: box.left + 1, right: box.right - 1, top: box.top + box.height * .22, bottom: box.bottom - box.height * .22 }));
    const boxes = all('button, input:not([type=hidden]), select, textarea, svg.pv-qr, img').filter(shown).map(owner => {
      const { left, right, top, bottom } = owner.getBoundingClientRect();
      return { owner, left: left + 1, right: right - 1, top: top + 1, bottom: bottom - 1 };
    });
    const things = [...text, ...boxes];
    for (let a = 0; a < text.length; a++) {
      for (let b = a + 1; b < things.length; b++) {
        const [one, other] = [things[a], things[b]];
        if (one.left >= other.right || other.left >= one.right || one.top >= other.bottom || other.top >= one.bottom) continue;
        if (one.owner.contains(other.owner) || other.owner.contains(one.owner)) continue;
        wrong.add(`lies upon another: ${say(one.owner)} | ${say(other.owner)}`);
      }
    }
    return { looked: things.length, wrong: [...wrong] };
  });

  /** WCAG 2.5.8, and 44 where a thumb is the pointer: what is pressed is large enough. A link within a sentence is as large as its letters. */
  const targets = least => {
    const wrong = [];
    const things = all(controls).filter(one => one.tabIndex >= 0 && !one.disabled && shown(one));
    const boxOf = one => {
      const boxes = [one, ...(one.labels ?? [])].map(part => part.getBoundingClientRect());
      const [left, top] = [Math.min(...boxes.map(box => box.left)), Math.min(...boxes.map(box => box.top))];
      return { left, top, width: Math.max(...boxes.map(box => box.right)) - left, height: Math.max(...boxes.map(box => box.bottom)) - top };
    };
    for (const one of things) {
      const { width, height } = boxOf(one);
      if (width >= least - .5 && height >= least - .5) continue;
      const block = one.parentElement;
      const inSentence = one.matches('a') && getComputedStyle(one).display === 'inline' && block.textContent.trim().length > one.textContent.trim().length;
      if (!inSentence) wrong.push(`${Math.round(width)} × ${Math.round(height)}, not ${least}: ${say(one)}`);
    }
    return { looked: things.length, wrong };
  };

  /** WCAG 2.4.3: nobody jumps the queue. */
  const queue = () => {
    const things = all('[tabindex]');
    return { looked: things.length + 1, wrong: things.filter(one => one.tabIndex > 0).map(one => `jumps the queue: ${say(one)}`) };
  };

  /** WCAG 2.2.2 for those who asked for no motion: nothing moves without an end. */
  const motion = () => {
    const moving = document.getAnimations().filter(one => one.playState === 'running');
    return { looked: moving.length + 1, wrong: moving.filter(one => one.effect.getComputedTiming().iterations === Infinity).map(one => `moves for ever: ${say(one.effect.target)}${one.effect.pseudoElement ?? ''}`) };
  };

  /** WCAG 1.4.11 where the system chooses the colours: a field, a button and a drawing are still to be seen. */
  const forced = () => {
    const wrong = [];
    const boxes = all('button, input:not([type=hidden]), select, textarea, a.ds-button').filter(shown);
    for (const one of boxes) {
      const style = getComputedStyle(one), below = ground(one.parentElement);
      const edged = parseFloat(style.borderTopWidth) >= 1 && style.borderTopStyle !== 'none' && contrast(style.borderTopColor, below) >= 3;
      const text = one.matches('button, a') && one.textContent.trim() && contrast(style.color, ground(one)) >= 4.5;
      const drawn = one.querySelector('svg') && contrast(style.color, ground(one)) >= 3;
      if (!edged && !text && !drawn && style.appearance === 'none') wrong.push(`cannot be seen: ${say(one)}`);
    }
    const strokes = all('svg :is(path, circle, rect, line, polyline), svg text').filter(one => shown(one.ownerSVGElement) && !one.closest('.pv-qr, .picture, [aria-hidden] .track'));
    const drawings = Map.groupBy(strokes, one => one.ownerSVGElement);
    for (const [svg, parts] of drawings) {
      const below = ground(svg.parentElement);
      const visible = parts.some(part => ['stroke', 'fill'].some(ink => {
        const colour = getComputedStyle(part)[ink];
        return colour !== 'none' && rgba(colour)[3] > 127 && contrast(colour, below) >= 3;
      }));
      if (!visible) wrong.push(`is drawn in a colour that cannot be seen: ${say(svg)}`);
    }
    return { looked: boxes.length + drawings.size, wrong };
  };

  // With the keyboard alone. The test presses the key; this looks where one is.
  let walk;

  const stops = () => {
    const groups = new Set();
    return all(controls).filter(one => {
      if (one.tabIndex < 0 || one.disabled || !seen(one) || one.closest('[inert]')) return false;
      if (!one.matches('input[type=radio]') || !one.name) return true;
      // One of a group takes the key, the arrows choose among them: the one that is chosen, or any.
      const group = all(`input[type=radio][name="${CSS.escape(one.name)}"]`).filter(other => other.form === one.form);
      if (group.some(other => other.checked)) return one.checked;
      const key = group[0];
      return !groups.has(key) && groups.add(key);
    });
  };

  const begin = () => {
    const expected = stops();
    // What appears only with the focus says enough by appearing.
    walk = { expected, hidden: expected.filter(unseen), reached: [], wrong: new Set(), from: document.activeElement, x: scrollX, y: scrollY };
    document.body.tabIndex = -1;
    document.body.focus({ preventScroll: true });
    document.body.removeAttribute('tabindex');
    document.activeElement?.blur();
    // The fields of a date are several stops within one.
    return expected.reduce((presses, one) => presses + (one.matches('[type=date], [type=time], [type=datetime-local]') ? 6 : 1), 2);
  };

  const step = () => {
    const one = document.activeElement, { reached, wrong } = walk, last = reached.at(-1);
    if (!one || one === document.body || (reached.length > 1 && one === reached[0])) return false;
    if (one === last) return true;
    if (reached.includes(one)) {
      wrong.add(`the key comes round to it again before the end: ${say(one)}`);
      return false;
    }
    if (last && !(last.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING)) wrong.add(`comes after what stands below it: ${say(one)}`);
    reached.push(one);
    // Round itself, or round the field that it belongs to.
    const ringed = [one, one.parentElement].some(at => {
      const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(at), below = ground(at.parentElement);
      const colours = at === one ? boxShadow.match(/(?:rgba?|color|oklch|oklab|hsla?|lab|lch)\([^)]*\)/g) ?? [] : [];
      if (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) colours.push(outlineColor);
      return colours.some(colour => rgba(colour)[3] > 127 && contrast(colour, below) >= 3);
    });
    if (!ringed && !(walk.hidden.includes(one) && !unseen(one))) wrong.add(`has the focus, and it cannot be seen: ${say(one)}`);
    const box = one.getBoundingClientRect();
    const [x, y] = [Math.min(Math.max(box.left + Math.min(box.width / 2, 20), 0), innerWidth - 1), Math.min(Math.max(box.top + Math.min(box.height / 2, 20), 0), innerHeight - 1)];
    if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) wrong.add(`has the focus outside the window: ${say(one)}`);
    else {
      const top = document.elementFromPoint(x, y);
      if (top && top !== one && !one.contains(top) && !top.contains(one) && ![...(one.labels ?? [])].some(label => label.contains(top))) wrong.add(`has the focus below something else: ${say(one)} | ${say(top)}`);
    }
    return true;
  };

  const end = () => {
    const { expected, reached, wrong, from, x, y } = walk;
    for (const one of expected) if (!reached.includes(one)) wrong.add(`the key never comes to it: ${say(one)}`);
    document.activeElement?.blur();
    from?.focus?.({ preventScroll: true });
    scrollTo(x, y);
    return { looked: expected.length, wrong: [...wrong] };
  };

  // WCAG 1.4.12, as a reader's own style does it.
  const wide = new CSSStyleSheet();
  wide.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; } p { margin-block-end: 2em !important; }');
  const spacing = on => {
    document.adoptedStyleSheets = [...document.adoptedStyleSheets.filter(one => one !== wide), ...(on ? [wide] : [])];
  };

  return { sideways, cut, overlapping, targets, queue, motion, forced, begin, step, end, spacing };
})();
