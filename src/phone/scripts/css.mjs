// Cuts the design system's CSS to what this app uses: selectors that can match nothing in its source, then custom properties
// that nobody reads. The theme alone is 50 kB, of which a phone needs a tenth.

/** Rules as a tree: `{ head, rules }` for a group, `{ head, text }` for declarations, `{ text }` for a statement. */
function parse(css) {
  const rules = [];
  let start = 0;
  for (let at = 0; at < css.length; at++) {
    const letter = css[at];
    if (letter === '"' || letter === "'") at = css.indexOf(letter, at + 1);
    else if (letter === ';') {
      rules.push({ text: css.slice(start, at) });
      start = at + 1;
    } else if (letter === '{') {
      const end = closing(css, at, '{', '}');
      const head = css.slice(start, at).trim();
      const body = css.slice(at + 1, end);
      rules.push(head.startsWith('@') && !head.startsWith('@font-face') ? { head, rules: parse(body) } : { head, text: body });
      start = (at = end) + 1;
    }
  }
  const rest = css.slice(start).trim();
  if (rest) rules.push({ text: rest });
  return rules;
}

function closing(text, at, open, close) {
  for (let depth = 0; at < text.length; at++) {
    if (text[at] === '"' || text[at] === "'") at = text.indexOf(text[at], at + 1);
    else if (text[at] === open) depth++;
    else if (text[at] === close && --depth === 0) return at;
  }
  throw new Error('unbalanced CSS');
}

function split(text, separator) {
  const parts = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') at = closing(text, at, '(', ')');
    else if (text[at] === '"' || text[at] === "'") at = text.indexOf(text[at], at + 1);
    else if (text[at] === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

export function prune(css, source) {
  const has = (pattern, name) => new RegExp(pattern.replace('%', name.replace(/[.*+?^$()[\]{}|\\]/g, '\\$&'))).test(source);

  /** The selector without the branches that match nothing, or `null` when none is left. */
  function living(selector) {
    let kept = '';
    let bare = '';
    for (let at = 0; at < selector.length;) {
      const group = /^:(is|where|has|not)\(/.exec(selector.slice(at));
      if (!group) {
        kept += selector[at];
        bare += selector[at++];
        continue;
      }
      const end = closing(selector, at + group[0].length - 1, '(', ')');
      const inside = split(selector.slice(at + group[0].length, end), ',');
      const branches = inside.map(living).filter(branch => branch !== null);
      // What is excluded by a branch that matches nothing is not excluded.
      if (group[1] === 'not') kept += `:not(${inside.join(',')})`;
      else if (branches.length === 0) return null;
      else kept += `${group[0]}${branches.join(',')})`;
      at = end + 1;
    }
    if (/\\/.test(bare)) return null; // Escaped names belong to components that bring their own scripts.
    for (const [, name] of bare.matchAll(/\.([a-z][\w-]*)/gi)) if (!has('(?<![\\w-])%(?![\\w-])', name)) return null;
    for (const [, name, value] of bare.matchAll(/\[([\w-]+)(?:[|^$*~]?=["']?([^\]"']*)["']?)?\]/g)) {
      if (!has('%', name) || (value !== undefined && !has('[\'"]%[\'"]', value))) return null;
    }
    for (const [, name] of bare.replace(/\[[^\]]*\]/g, '').matchAll(/(?:^|[\s>+~])([a-z][\w-]*)/gi)) {
      if (!['html', 'body', 'to', 'from'].includes(name) && !has('<%[\\s>]', name)) return null;
    }
    return kept;
  }

  function sift(rules) {
    return rules.flatMap(rule => {
      if (rule.rules) {
        // The app follows the system's choice: its light colours are the ground, and the dark ones the exception.
        if (/^@media ?\(prefers-color-scheme: ?light\)$/.test(rule.head)) return [];
        const inner = /^@(-webkit-)?keyframes/.test(rule.head) ? rule.rules : sift(rule.rules);
        return inner.length > 0 || /^@layer [^{]*$/.test(rule.head) && rule.rules.length === 0 ? [{ ...rule, rules: inner }] : [];
      }
      if (rule.head === undefined) return [rule];
      const heads = split(rule.head, ',').map(living).filter(head => head !== null);
      return heads.length > 0 ? [{ ...rule, head: heads.join(',') }] : [];
    });
  }

  const print = rules => rules.map(rule =>
    rule.rules ? `${rule.head}{${print(rule.rules)}}` : rule.head === undefined ? `${rule.text};` : rule.text ? `${rule.head}{${rule.text}}` : '').join('');

  function unread(rules, read) {
    return rules.flatMap(rule => {
      if (rule.rules) {
        const inner = unread(rule.rules, read);
        return inner.length > 0 ? [{ ...rule, rules: inner }] : [];
      }
      if (rule.head === undefined) return [rule];
      const kept = split(rule.text, ';').filter(line => {
        const name = /^\s*(--[\w-]+)\s*:/.exec(line)?.[1];
        return line.trim() !== '' && (name === undefined || read.has(name));
      });
      return kept.length > 0 ? [{ ...rule, text: kept.join(';') }] : [];
    });
  }

  let tree = sift(parse(css));
  for (let before = '', text = print(tree); text !== before; text = print(tree)) {
    before = text;
    tree = unread(tree, new Set([...text.matchAll(/var\(\s*(--[\w-]+)/g)].map(([, name]) => name)));
  }
  return print(tree);
}
