// Writes src/generated/words*.ts from the server's .resx files, the single source of every word. `--verify` only compares.
import { readFileSync, writeFileSync } from 'node:fs';

const languages = { en: 'Phone.resx', nb: 'Phone.nb.resx', nn: 'Phone.nn.resx' };
const entities = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function read(file) {
  const xml = readFileSync(new URL(`../../Portvakt.Server/Resources/${file}`, import.meta.url), 'utf8');
  const found = [...xml.matchAll(/<data name="([^"]+)"[^>]*>\s*<value>([^<]*)<\/value>/g)];
  return Object.fromEntries(found.map(([, key, text]) => [key, text.replace(/&(\w+);/g, (_, name) => entities[name])]));
}

const words = Object.fromEntries(Object.entries(languages).map(([language, file]) => [language, read(file)]));
const keys = Object.keys(words.en).sort();
const gaps = text => [...text.matchAll(/\{\d\}/g)].map(([gap]) => gap).sort().join();
for (const [language, texts] of Object.entries(words)) {
  for (const key of new Set([...keys, ...Object.keys(texts)])) {
    if (!words.en[key] || !texts[key]) throw new Error(`${language}: "${key}" is missing`);
    if (gaps(words.en[key]) !== gaps(texts[key])) throw new Error(`${language}: "${key}" has other gaps than English`);
  }
}

const head = '// Written by scripts/words.mjs from the .resx files of the server; changes belong there.\n';
const quote = text => `'${text.replace(/[\\']/g, '\\$&')}'`;
const table = texts => keys.map(key => `  ${key}: ${quote(texts[key])},\n`).join('');
const files = Object.fromEntries(Object.entries(words).map(([language, texts]) => [
  `words.${language}.ts`, `${head}import type { Words } from './words';\n\nexport const words: Words = {\n${table(texts)}};\n`]));
files['words.ts'] = `${head}
export type Key =\n${keys.map(key => `  | '${key}'`).join('\n')};
export type Words = Record<Key, string>;
export type Language = 'nb' | 'nn' | 'en';
export const languages: readonly Language[] = ['nb', 'nn', 'en'];

const chunks: Record<Language, () => Promise<{ words: Words }>> = {
  nb: () => import('./words.nb'),
  nn: () => import('./words.nn'),
  en: () => import('./words.en'),
};
export const loadWords = async (language: Language): Promise<Words> => (await chunks[language]()).words;

/** For the service worker, which carries no other words. */
export const neutralPush: Record<Language, string> = {
${Object.entries(words).map(([language, texts]) => `  ${language}: ${quote(texts.PushNeutral)},\n`).join('')}};
`;

for (const [name, text] of Object.entries(files)) {
  const path = new URL(`../src/generated/${name}`, import.meta.url);
  if (!process.argv.includes('--verify')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`src/generated/${name} differs from the .resx files: run "npm run generate" and commit.`);
    process.exit(1);
  }
}
