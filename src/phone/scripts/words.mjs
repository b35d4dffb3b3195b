// Writes src/generated/*.ts from the server's .resx files, the single source of every word. `--verify` only compares.
import { readFileSync, writeFileSync } from 'node:fs';

const languages = { nb: '.nb', nn: '.nn', en: '' };
const entities = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function read(file) {
  const xml = readFileSync(new URL(`../../Portvakt.Server/Resources/${file}`, import.meta.url), 'utf8');
  const found = [...xml.matchAll(/<data name="([^"]+)"[^>]*>\s*<value>([^<]*)<\/value>/g)];
  return Object.fromEntries(found.map(([, key, text]) => [key, text.replace(/&(\w+);/g, (_, name) => entities[name])]));
}

const gaps = text => [...text.matchAll(/\{\d\}/g)].map(([gap]) => gap).sort().join();

/** One resource in every language, and its keys. */
function readAll(resource) {
  const words = Object.fromEntries(Object.entries(languages).map(([language, ending]) => [language, read(`${resource}${ending}.resx`)]));
  for (const [language, texts] of Object.entries(words)) {
    for (const key of new Set([...Object.keys(words.en), ...Object.keys(texts)])) {
      if (!words.en[key] || !texts[key]) throw new Error(`${language}: "${key}" is missing`);
      if (gaps(words.en[key]) !== gaps(texts[key])) throw new Error(`${language}: "${key}" has other gaps than English`);
    }
  }
  return { words, keys: Object.keys(words.en).sort() };
}

const first = readAll('Phone');
const others = readAll('PhoneOthers'); // Words of a part that is loaded later.
const move = readAll('PhoneMove'); // As well.
const all = [first, others, move].flatMap(part => part.keys);
const twice = all.filter((key, at) => all.indexOf(key) !== at);
if (twice.length > 0) throw new Error(`twice: ${twice.join()}`);

const head = '// Written by scripts/words.mjs from the .resx files of the server; changes belong there.\n';
const quote = text => `'${text.replace(/[\\']/g, '\\$&')}'`;
const files = {};
const union = keys => keys.map(key => `  | '${key}'`).join('\n');
const perLanguage = make => Object.keys(languages).map(make).join('');

/** A file for each language, and the text that loads one of them. */
function part(file, type, { words, keys }) {
  for (const language of Object.keys(languages)) {
    const table = keys.map(key => `  ${key}: ${quote(words[language][key])},\n`).join('');
    files[`${file}.${language}.ts`] = `${head}import type { ${type} } from './${file}';\n\nexport const words: ${type} = {\n${table}};\n`;
  }
  return `const chunks: Record<Language, () => Promise<{ words: ${type} }>> = {
${perLanguage(language => `  ${language}: () => import('./${file}.${language}'),\n`)}};
export const load${type} = async (language: Language): Promise<${type}> => (await chunks[language]()).words;
`;
}

files['words.ts'] = `${head}import type { MoveKey } from './move';
import type { OtherKey } from './others';

export type FirstKey =\n${union(first.keys)};
export type Key = FirstKey | MoveKey | OtherKey;
export type Words = Record<FirstKey, string>;
export type Language = 'nb' | 'nn' | 'en';
export const languages: readonly Language[] = ['nb', 'nn', 'en'];

${part('words', 'Words', first)}
/** For the service worker, which carries no other words. */
export const neutralPush: Record<Language, string> = {
${perLanguage(language => `  ${language}: ${quote(first.words[language].PushNeutral)},\n`)}};
`;
files['others.ts'] = `${head}import type { Language } from './words';

export type OtherKey =\n${union(others.keys)};
export type OtherWords = Record<OtherKey, string>;

${part('others', 'OtherWords', others)}`;
files['move.ts'] = `${head}import type { Language } from './words';

export type MoveKey =\n${union(move.keys)};
export type MoveWords = Record<MoveKey, string>;

${part('move', 'MoveWords', move)}`;

for (const [name, text] of Object.entries(files)) {
  const path = new URL(`../src/generated/${name}`, import.meta.url);
  if (!process.argv.includes('--verify')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`src/generated/${name} differs from the .resx files: run "npm run generate" and commit.`);
    process.exit(1);
  }
}
