import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handover } from '../src/worker/messages';
import { kindOf, onNotificationClick, readPush } from '../src/worker/notification';

const neutral = { body: 'Åpne appen for å svare.', lang: 'nb' };

function stage(pages: { visibilityState: string }[]) {
  const done: string[] = [];
  const open = pages.map((page, at) => ({
    ...page,
    focus: async () => { done.push(`focus ${at}`); },
    postMessage: (message: { type: string; id: string }) => { done.push(`${message.type} ${message.id} ${at}`); },
  }));
  return {
    done,
    pages: { matchAll: async () => open, openWindow: async (address: string) => { done.push(`window ${address}`); } },
    shelf: { put: async (key: string, value: Response) => { done.push(`shelf ${key} ${await value.text()}`); } },
  };
}

test('A tap with no page open opens one at the request, and leaves the id behind for a page that starts elsewhere', async () => {
  const { done, pages, shelf } = stage([]);
  await onNotificationClick('a/b', pages, shelf);
  assert.deepEqual(done, [`shelf ${handover.key} a/b`, 'window /phone/#r=a%2Fb']);
});

test('A tap with pages open tells the one that is seen', async () => {
  const { done, pages, shelf } = stage([{ visibilityState: 'hidden' }, { visibilityState: 'visible' }]);
  await onNotificationClick('r1', pages, shelf);
  assert.deepEqual(done, [`shelf ${handover.key} r1`, 'open r1 1', 'focus 1']);
});

test('A tap with only a hidden page wakes that one', async () => {
  const { done, pages, shelf } = stage([{ visibilityState: 'hidden' }]);
  await onNotificationClick('r1', pages, shelf);
  assert.deepEqual(done.slice(1), ['open r1 0', 'focus 0']);
});

test('A tap still opens the app when nothing can be left behind, and when the page may not be focused', async () => {
  const { done, pages } = stage([]);
  await onNotificationClick('r1', pages, { put: async () => { throw new Error('full'); } });
  assert.deepEqual(done, ['window /phone/#r=r1']);
  const stubborn = { visibilityState: 'visible', postMessage: () => undefined, focus: async () => { throw new Error('InvalidAccessError'); } };
  await onNotificationClick('r1', { matchAll: async () => [stubborn], openWindow: async () => undefined }, stage([]).shelf);
});

test('A tap on a notification without an id opens the app', async () => {
  const { done, pages, shelf } = stage([]);
  await onNotificationClick('', pages, shelf);
  assert.deepEqual(done, ['window /phone/']);
});

test('A push shows what the server says, in its language', () => {
  const text = JSON.stringify({ web_push: 8030, notification: { title: 'Portvakt', body: 'Opne appen.', navigate: 'https://x/phone/#r=r1', lang: 'nn', silent: false }, id: 'r1' });
  assert.deepEqual(readPush(text, neutral), { title: 'Portvakt', options: { body: 'Opne appen.', lang: 'nn', id: 'r1' } });
});

test('A notice shows its text, takes no request away and opens the app', async () => {
  const text = JSON.stringify({ web_push: 8030, notification: { title: 'Portvakt', body: 'Kontoen din er endra.', navigate: 'https://x/phone/', lang: 'nn', silent: false }, id: '' });
  const shown = readPush(text, neutral);
  assert.deepEqual(shown, { title: 'Portvakt', options: { body: 'Kontoen din er endra.', lang: 'nn', id: '' } });
  assert.notEqual(kindOf(shown.options.id).tag, kindOf('r1').tag);
  assert.deepEqual([kindOf('').requireInteraction, kindOf('r1').requireInteraction], [false, true]);
});

test('A push that cannot be read still shows something', () => {
  for (const text of [null, '', '{', 'null', '[]', '"x"', '{"notification":7}', '{"id":{}}']) {
    assert.deepEqual(readPush(text, neutral), { title: 'Portvakt', options: { ...neutral, id: '' } }, String(text));
  }
});
