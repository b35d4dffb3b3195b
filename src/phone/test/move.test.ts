import assert from 'node:assert/strict';
import { test } from 'node:test';
import encode from 'qr';
import decode from 'qr/decode.js';
import { fromBase32 } from '../src/core/base32';
import { b64u, fromB64u, fromUtf8 } from '../src/core/bytes';
import { open } from '../src/core/box';
import { readPicture } from '../src/core/code';
import { luggageKey, pack, unpack } from '../src/core/luggage';
import { pictureOf, prepareMove } from '../src/core/move';
import { isFlawed, type OtherAccount } from '../src/core/other';
import { makeDeviceKey } from '../src/platform/keys';

const account = (change: Partial<OtherAccount> = {}): OtherAccount => ({
  issuer: 'GitHub', account: 'kari', secret: fromBase32('JBSWY3DPEHPK3PXP')!, algorithm: 'SHA1', digits: 6, kind: 'totp', period: 30, counter: 0, ...change });
const code = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

test('What is packed on one phone is unpacked on the other, with every member', async () => {
  const accounts = [account(), account({ issuer: 'Ærlig talt', account: '', algorithm: 'SHA512', digits: 8, period: 60 }), account({ kind: 'hotp', counter: 41 })];
  const { key, luggage } = (await pack(accounts))!;
  assert.deepEqual(await unpack(await luggageKey(key), luggage), accounts);
});

test('Nothing but the key of the picture opens it, and not with one bit changed', async () => {
  const { key, luggage } = (await pack([account()]))!;
  assert.equal(fromB64u(key).length, 32);
  const other = (await pack([account()]))!;
  assert.notEqual(other.key, key);
  assert.equal(await unpack(await luggageKey(other.key), luggage), null);
  const bent = fromB64u(luggage.sealed);
  bent[0]! ^= 1;
  assert.equal(await unpack(await luggageKey(key), { ...luggage, sealed: b64u(bent) }), null);
  await assert.rejects(open(await luggageKey(key), 'portvakt-accounts/1', { iv: fromB64u(luggage.iv), sealed: fromB64u(luggage.sealed) }), 'it does not open in another place');
  await assert.rejects(crypto.subtle.exportKey('raw', await luggageKey(key)), 'the new phone cannot show the key again');
});

test('The box says little of how much is in it, and is never more than a message may be', async () => {
  const length = async (count: number) => (await pack(Array.from({ length: count }, () => account())))?.luggage.sealed.length;
  assert.equal(await length(1), await length(20));
  assert.ok(await length(100));
  assert.ok(JSON.stringify((await pack(Array.from({ length: 250 }, () => account())))!.luggage).length < 65_536 - 200);
  assert.equal(await length(2000), undefined, 'too many: they go by the file');
});

test('What a stranger has packed is believed in nothing', async () => {
  const { key, luggage } = (await pack([account({ digits: 12 }), account({ secret: new Uint8Array(0) as OtherAccount['secret'] }), account()]))!;
  const found = (await unpack(await luggageKey(key), luggage))!;
  assert.deepEqual(found.map(one => isFlawed(one) ? one.flaw : 'none'), ['digits', 'secret', 'none']);
});

test('The picture is read as it is drawn, with the key and without', async () => {
  const { key } = (await pack([account()]))!;
  for (const [text, expected] of [
    [pictureOf('https://id.example.no', code, key), { kind: 'binding', host: 'id.example.no', code, key }],
    [pictureOf('https://id.example.no:8443', code, null), { kind: 'binding', host: 'id.example.no:8443', code }]] as const) {
    // Drawn and read: four points to a module, black on white.
    const modules = encode(text, 'raw', { ecc: 'medium', border: 4 });
    const [side, scale] = [modules.length * 4, 4];
    const data = new Uint8ClampedArray(side * side * 4).fill(255);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) if (modules[Math.floor(y / scale)]![Math.floor(x / scale)]) data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
    }
    assert.equal(decode({ width: side, height: side, data }), text);
    assert.deepEqual(readPicture(text), expected);
  }
  // An ordinary camera opens it in the app, and what stands behind # goes to no server.
  const address = new URL(pictureOf('https://id.example.no', code, key));
  assert.equal(address.pathname + address.search, '/phone/');
  assert.deepEqual(Object.fromEntries(new URLSearchParams(address.hash.slice(1))), { e: code, k: key });
});

test('A picture with a key of another form is none of ours', () => {
  const good = `https://id.example.no/phone/#e=${code}&k=${'A'.repeat(43)}`;
  assert.equal(readPicture(good).kind, 'binding');
  for (const bad of [good.slice(0, -1), `${good}A`, good.replace('&k=', '&x='), good.replace('/phone/', '/other/'), good.replace('#', '?'), good.replace('https', 'ftp'), good.replace('id.', 'evil@id.')]) {
    assert.equal(readPicture(bad).kind, 'unknown', bad);
  }
});

test('Each step of a move is signed over what it says and nothing else', async () => {
  const device = await makeDeviceKey();
  const begin = await prepareMove({ step: 'begin', aud: 'https://id.example.no', nonce: 'n', jti: 'j' }, 1790000000, device);
  const [head, payload] = begin.jws.split('.').slice(0, 2).map(part => fromUtf8(fromB64u(part))) as [string, string];
  assert.deepEqual(JSON.parse(head), { alg: 'ES256', typ: 'portvakt-move+jws', kid: device.kid });
  assert.deepEqual(JSON.parse(payload), { v: 1, step: 'begin', aud: 'https://id.example.no', nonce: 'n', jti: 'j', iat: 1790000000 });
});
