// Searches the whole website in the browser. The index is fetched when somebody goes to the field, and nothing that is typed leaves the page.
'use strict';

const search = document.querySelector('search');
const field = search.querySelector('input');
const found = search.querySelector('.found');
const [status, list] = found.children;
let index; // [address, title of the page, heading, text], section by section
search.hidden = false;

const escape = text => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const plain = text => text.normalize('NFC').toLocaleLowerCase('en');

function load() {
  if (index) return;
  index = [];
  const script = document.createElement('script');
  script.src = field.dataset.index;
  script.onload = () => {
    index = globalThis.portvaktIndex.map(section => [...section, ...section.slice(1).map(plain)]);
    show();
  };
  script.onerror = () => { index = undefined; };
  document.head.append(script);
}

/** Every word must stand somewhere. One in a title weighs most, a whole word more than a part of one, and all of them together as they were typed more still. */
function weigh([, , , , title, heading, text], words) {
  let sum = 0;
  for (const word of words) {
    const weight = (where, much) => {
      if (!where.includes(word)) return 0;
      const beginning = `(?<![\\p{L}\\p{N}])${escape(word)}`;
      return new RegExp(`${beginning}(?![\\p{L}\\p{N}])`, 'u').test(where) ? much : new RegExp(beginning, 'u').test(where) ? much / 2 : much / 4;
    };
    const own = Math.max(weight(title, heading ? 4 : 12), weight(heading, 9), weight(text, 3));
    if (!own) return 0;
    sum += own;
  }
  const typed = words.join(' ');
  return sum + [title, heading, text].filter(where => words.length > 1 && where.includes(typed)).length * 6;
}

/** The words around the first hit, with every hit marked. */
function excerpt(text, low, words) {
  const first = Math.min(...words.map(word => low.indexOf(word)).filter(at => at >= 0), low.length);
  const from = first === low.length ? 0 : text.lastIndexOf(' ', Math.max(0, first - 40)) + 1;
  const end = text.indexOf(' ', from + 140);
  const piece = text.slice(from, end < 0 ? text.length : end);
  const line = document.createElement('span');
  line.append(from ? '… ' : '');
  const hits = new RegExp(words.map(escape).join('|'), 'giu');
  let at = 0;
  for (const hit of piece.matchAll(hits)) {
    const mark = document.createElement('mark');
    mark.textContent = hit[0];
    line.append(piece.slice(at, hit.index), mark);
    at = hit.index + hit[0].length;
  }
  line.append(piece.slice(at), end < 0 ? '' : ' …');
  return line;
}

function show() {
  const words = plain(field.value).split(/\s+/u).filter(Boolean);
  const hits = words.length ? index.map(section => [weigh(section, words), section]).filter(([weight]) => weight).sort(([a], [b]) => b - a) : [];
  found.hidden = !words.length;
  status.textContent = !words.length ? '' : hits.length === 0 ? 'Nothing found' : hits.length === 1 ? '1 place' : hits.length > 12 ? `${hits.length} places, the best 12` : `${hits.length} places`;
  list.replaceChildren(...hits.slice(0, 12).map(([, [address, title, heading, text, , , low]]) => {
    const item = document.createElement('li');
    const link = document.createElement('a');
    link.href = field.dataset.up + address;
    link.textContent = heading ? `${title}: ${heading}` : title;
    item.append(link, excerpt(text, low, words));
    return item;
  }));
}

function close() {
  found.hidden = true;
}

field.addEventListener('focus', load);
field.addEventListener('input', () => { load(); show(); });

// Down and up go through the hits, Enter in the field opens the best, Escape puts it all away.
search.addEventListener('keydown', event => {
  const links = [...list.querySelectorAll('a')];
  const at = links.indexOf(document.activeElement);
  if (event.key === 'Escape') {
    close();
    field.focus();
  } else if (event.key === 'ArrowDown' && at < links.length - 1) {
    if (found.hidden) show();
    links[at + 1]?.focus();
    event.preventDefault();
  } else if (event.key === 'ArrowUp' && at >= 0) {
    (links[at - 1] ?? field).focus();
    event.preventDefault();
  } else if (event.key === 'Enter' && document.activeElement === field) {
    links[0]?.click();
  }
});
search.addEventListener('focusout', event => { if (event.relatedTarget && !search.contains(event.relatedTarget)) close(); });
document.addEventListener('pointerdown', event => { if (!search.contains(event.target)) close(); });
search.addEventListener('click', event => { if (event.target.closest('a')) close(); });
