import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadMoveWords } from '../src/generated/move';
import { loadOtherWords } from '../src/generated/others';
import { type FirstKey, type Language, languages, loadWords } from '../src/generated/words';

/** The labels of the employee's guide, letter by letter: who holds the guide must recognise each screen. */
const guide: [FirstKey, Record<Language, string>][] = [
  ['Agree', { nb: 'Jeg er enig', nn: 'Eg er einig', en: 'I agree' }],
  ['ScanQr', { nb: 'Skann en QR-kode', nn: 'Skann ein QR-kode', en: 'Scan a QR code' }],
  ['EnterCode', { nb: 'Skriv inn koden', nn: 'Skriv inn koden', en: 'Enter the code' }],
  ['WorkAccount', { nb: 'Jobb- eller skolekonto', nn: 'Jobb- eller skulekonto', en: 'Work or school account' }],
  ['OtherAccount', { nb: 'Annen konto', nn: 'Annan konto', en: 'Other account' }],
  ['Activating', { nb: 'Aktiverer kontoen …', nn: 'Aktiverer kontoen …', en: 'Activating the account …' }],
  ['Allow', { nb: 'Tillat', nn: 'Tillat', en: 'Allow' }],
  ['NotNow', { nb: 'Ikke nå', nn: 'Ikkje no', en: 'Not now' }],
  ['ApproveTitle', { nb: 'Godkjenne påloggingen?', nn: 'Godkjenne pålogginga?', en: 'Approve sign-in?' }],
  ['Approve', { nb: 'Godkjenn', nn: 'Godkjenn', en: 'Approve' }],
  ['NotMe', { nb: 'Det var ikke meg', nn: 'Det var ikkje meg', en: "It wasn't me" }],
  ['Cancel', { nb: 'Avbryt', nn: 'Avbryt', en: 'Cancel' }],
];

for (const language of languages) {
  void test(`The labels of the guide are its own, letter by letter (${language})`, async () => {
    const words = await loadWords(language);
    for (const [key, label] of guide) assert.equal(words[key], label[language]);
  });

  void test(`No sentence is longer than twenty words (${language})`, async () => {
    for (const [key, text] of Object.entries({ ...await loadWords(language), ...await loadOtherWords(language), ...await loadMoveWords(language) })) {
      for (const sentence of text.split(/(?<=[.?!])\s/)) assert.ok(sentence.split(/\s+/).length <= 20, `${key}: ${sentence}`);
    }
  });
}

void test('Nynorsk is not bokmål with another name', async () => {
  const nynorsk = Object.values({ ...await loadWords('nn'), ...await loadOtherWords('nn'), ...await loadMoveWords('nn') }).join(' ');
  for (const word of ['ikke', 'jeg', 'en', 'hvor', 'hva', 'noe', 'fra', 'på nytt fra']) assert.ok(!new RegExp(`(?<![\\p{L}-])${word}(?![\\p{L}-])`, 'iu').test(nynorsk), word);
});
