import { signal } from '@preact/signals';
import { type Key, type Language, languages, loadWords } from '../generated/words';
import { keep, note } from '../platform/store';

const words = signal({} as Record<Key, string>);
export const language = signal<Language>(choose());

function known(tag: string | null | undefined): Language | null {
  const start = tag?.toLowerCase().split('-')[0];
  return start === 'no' ? 'nb' : languages.find(one => one === start) ?? null;
}

function choose(): Language {
  const asked = known(new URLSearchParams(location.search).get('lang'));
  if (asked) keep('lang', asked);
  return asked ?? known(note('lang')) ?? navigator.languages.map(known).find(one => one !== null) ?? 'en';
}

/** Parts of the app that come later bring their words with them. */
const more: ((language: Language) => Promise<object>)[] = [];

/** The texts of the chosen language; nothing is drawn before they are here. */
export async function speak(chosen: Language): Promise<void> {
  words.value = Object.assign({}, ...await Promise.all([loadWords, ...more].map(load => load(chosen)))) as Record<Key, string>;
  language.value = chosen;
  document.documentElement.lang = chosen;
}

export async function learn(part: typeof more[number]): Promise<void> {
  more.push(part);
  await speak(language.value);
}

export async function change(chosen: Language): Promise<void> {
  keep('lang', chosen);
  await speak(chosen);
}

/** The text under `key`, with `{0}`, `{1}` … filled in. */
export const t = (key: Key, ...values: (string | number)[]): string =>
  words.value[key].replace(/\{(\d)\}/g, (_, at: string) => String(values[Number(at)] ?? ''));
