import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBase32 } from '../src/core/base32';
import { b64u, fromB64u, utf8 } from '../src/core/bytes';
import { clock } from '../src/core/clock';
import { group, readPicture } from '../src/core/code';
import { proof } from '../src/core/proof';
import { prepare, readQuestion } from '../src/core/statement';
import { secondsLeft } from '../src/core/totp';
import { atLeast } from '../src/core/version';
import { deviceName, isPhone } from '../src/platform/device';
import { makeDeviceKey } from '../src/platform/keys';
import * as pin from '../src/platform/pin';

const context = {
  v: 1, id: 'r1', aud: 'https://id.example.no', application: 'Timeliste', purpose: 'sign-in', place: null, address: '192.0.2.x', browser: 'Firefox, Windows',
  nonce: 'AAAAAAAAAAAAAAAAAAAAAA', iat: 1790000000, exp: 1790000060, digits: 2,
};
const request = (change: object = {}) => ({ id: 'r1', context: b64u(utf8(JSON.stringify({ ...context, ...change }))) });
const read = (jws: string, part: number) => JSON.parse(Buffer.from(jws.split('.')[part]!, 'base64url').toString()) as Record<string, unknown>;

test('Base64url refuses what is not base64url', () => {
  for (const text of ['A', 'AA==', 'A+/A', 'A A']) assert.throws(() => fromB64u(text), text);
  assert.deepEqual([...fromB64u('_-8')], [255, 239]);
});

test('Base32 is read as people paste it, and refused when it is something else', () => {
  assert.equal(Buffer.from(fromBase32('jbsw y3dp-ehpk 3pxp')!).toString('hex'), '48656c6c6f21deadbeef');
  assert.equal(Buffer.from(fromBase32('MZXW6===')!).toString(), 'foo');
  for (const text of ['', 'A', '0189', 'ÆØÅ']) assert.equal(fromBase32(text), null, text);
});

test('A picture of another service is recognised, and anything else refused', () => {
  for (const text of ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP', ' OTPAUTH://HOTP/x ', 'otpauth-migration://offline?data=AA']) assert.equal(readPicture(text).kind, 'other', text);
  for (const text of ['otpauth:totp', 'xotpauth://totp/kari', 'https://example.no/', '']) assert.equal(readPicture(text).kind, 'unknown', text);
});

test('A picture says whose server made it, so that its code is shown to no other', () => {
  const picture = readPicture('HTTPS://ID.EXAMPLE.NO:8443/E/ABCDEFGHIJKLMNOPQRSTUVWXYZ');
  assert.equal(picture.kind === 'binding' && picture.host, 'id.example.no:8443');
  assert.equal(readPicture('HTTPS://EVIL@ID.EXAMPLE.NO/E/ABCDEFGHIJKLMNOPQRSTUVWXYZ').kind, 'unknown');
});

test('A code is grouped while it is typed', () => {
  assert.equal(group('abcdefgh2'), 'ABCD-EFGH-2');
  assert.equal(group('abcd-'), 'ABCD');
});

test('The phone’s clock is set by the server, and small differences are left alone', () => {
  let own = 1000;
  const time = clock(() => own);
  assert.equal(time.now(), 1000);
  assert.equal(time.learn(1001), false);
  assert.equal(time.now(), 1000, 'a second is no skew');
  assert.equal(time.learn(1000 + 172_800), true, 'two days are worth asking again');
  assert.equal(time.now(), 173_800);
  assert.equal(time.skew(), -172_800);
  own += 10;
  assert.equal(time.now(), 173_810);
  assert.equal(time.learn(Number.NaN), false);
  assert.equal(time.now(), 173_810, 'an answer without a time changes nothing');
});

test('A question is only shown when it is for this account and this request', async () => {
  assert.equal((await readQuestion(request(), context.aud))?.context.application, 'Timeliste');
  for (const change of [{ aud: 'https://evil.example' }, { id: 'r2' }, { v: 2 }, { purpose: 'payment' }, { digits: 0 }, { digits: 40 }, { exp: 'soon' }]) {
    assert.equal(await readQuestion(request(change), context.aud), null, JSON.stringify(change));
  }
  assert.equal(await readQuestion({ id: 'r1', context: '%%%' }, context.aud), null);
  assert.equal(await readQuestion({ id: 'r1', context: b64u(utf8('{')) }, context.aud), null);
});

test('An approval states the number and the hash of the bytes that came; a no states no number', async () => {
  const device = await makeDeviceKey();
  const question = (await readQuestion(request(), context.aud))!;
  const yes = await prepare(question, 'approve', '42', 1790000010, device);
  assert.deepEqual(read(yes.jws, 0), { alg: 'ES256', typ: 'portvakt-decision+jws', kid: device.kid });
  const hash = b64u(await crypto.subtle.digest('SHA-256', fromB64u(request().context)));
  assert.deepEqual(read(yes.jws, 1), { v: 1, id: 'r1', aud: context.aud, ctx: hash, nonce: context.nonce, decision: 'approve', num: '42', iat: 1790000010 });
  assert.ok(!('num' in read((await prepare(question, 'not-me', null, 1790000010, device)).jws, 1)));
  const other = await prepare(question, 'approve', '43', 1790000010, device);
  assert.notEqual(b64u(yes.challenge), b64u(other.challenge), 'what is unlocked is the number, too');
});

test('A proof names the address without its query, and counts once', async () => {
  const device = await makeDeviceKey();
  const make = () => proof(device, 'POST', 'https://id.example.no/phone/api/report?x=1#y', 5, 'n', '{}');
  const [one, two] = [read(await make(), 1), read(await make(), 1)];
  assert.equal(one['htu'], 'https://id.example.no/phone/api/report');
  assert.equal(one['bh'], 'RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o');
  assert.notEqual(one['jti'], two['jti']);
  assert.ok(!('bh' in read(await proof(device, 'GET', 'https://id.example.no/phone/api/pending', 5, 'n', null), 1)));
});

test('The device key cannot be read out', async () => {
  const { key } = await makeDeviceKey();
  assert.equal(key.extractable, false);
  await assert.rejects(crypto.subtle.exportKey('jwk', key));
});

test('A PIN opens the app’s lock only when it is right, and the server sees neither PIN nor check', async () => {
  const key = await pin.makeKey();
  const check = await pin.makeCheck(key, '2580');
  assert.equal(await pin.matches(key, '2580', check), true);
  assert.equal(await pin.matches(key, '2581', check), false);
  assert.equal(await pin.matches(await pin.makeKey(), '2580', check), false, 'not on another phone');
  assert.notEqual(await pin.value(key, '2580'), b64u(check.hash));
});

test('Versions are compared as numbers', () => {
  assert.ok(atLeast('0.10.0', '0.9.0'));
  assert.ok(atLeast('1.0.0', '1.0'));
  assert.ok(!atLeast('0.1.0', '0.1.1'));
});

test('The seconds that are left count down to the next code', () => {
  assert.equal(secondsLeft(60, 30), 30);
  assert.equal(secondsLeft(89.9, 30), 1);
});

test('The phone is named as its owner would know it', () => {
  const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1';
  const pixel = 'Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36';
  const reduced = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36';
  const ipad = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15';
  assert.equal(deviceName(iphone, 5), 'iPhone · Safari');
  assert.equal(deviceName(pixel, 5), 'Pixel 9 · Chrome');
  assert.equal(deviceName(reduced, 5), 'Android · Chrome');
  assert.equal(deviceName(ipad, 5), 'iPad · Safari');
  assert.equal(deviceName(ipad, 0), 'Mac · Safari');
  assert.equal(isPhone(iphone, 5), true);
  assert.equal(isPhone(pixel, 5), true);
  assert.equal(isPhone(ipad, 5), true);
  assert.equal(isPhone(ipad, 0), false);
});
