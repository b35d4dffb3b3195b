import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bindingMessage, openSeed } from '../src/core/binding';
import { rebindChallenge, rebindingMessage } from '../src/core/rebinding';
import { b64u, fromB64u } from '../src/core/bytes';
import { prepare, readQuestion } from '../src/core/statement';
import { totp, totpKey } from '../src/core/totp';
import type { BeginAnswer, FinishAnswer, OutcomeAnswer, PendingAnswer, RebindAnswer } from '../src/generated/contract';
import { call, type Caller, time } from '../src/platform/api';
import { makeDeviceKey, makeSeedKey } from '../src/platform/keys';
import * as pin from '../src/platform/pin';
import { mock } from './mock-server.mjs';

// The real client against a server that believes nothing; the phone is one without an unlock of its own, since node has none.
let skew = 0;
const server = mock({ unlock: ['pin'], now: () => Math.floor(Date.now() / 1000) + skew });
const fetchAt = globalThis.fetch;
const shelf = new Map<string, string>();

before(async () => {
  await server.listen(0);
  globalThis.fetch = (address, options) => fetchAt(server.origin + String(address), options);
  globalThis.localStorage = { getItem: (key: string) => shelf.get(key) ?? null, setItem: (key: string, value: string) => shelf.set(key, value) } as unknown as Storage;
});
after(() => {
  globalThis.fetch = fetchAt;
  server.close();
});

async function bind() {
  const device = await makeDeviceKey();
  const { short } = server.newCode();
  const begin = await call<BeginAnswer>(null, 'POST', 'binding/begin', { code: short, kid: device.kid });
  assert.ok(begin.ok);
  const [pinKey, seedKey] = await Promise.all([pin.makeKey(), makeSeedKey()]);
  const value = await pin.value(pinKey, '2580');
  const jws = await bindingMessage(device.key, device.jwk, short, {
    aud: begin.value.audience, challenge: begin.value.challenge, kid: device.kid, passkey: null, pin: value, push: null,
    seedKey: b64u(seedKey.publicKey), consent: '2026-11', app: '0.1.0', device: 'iPhone · Safari',
  });
  const finish = await call<FinishAnswer>(null, 'POST', 'binding/finish', { jws });
  assert.ok(finish.ok, JSON.stringify(finish));
  const caller: Caller = { audience: begin.value.audience, kid: device.kid, key: device.key };
  return { caller, value, short, begin: begin.value, finish: finish.value, seedKey };
}

const decide = async (caller: Caller, decision: 'approve' | 'cancelled' | 'not-me', digits: string | null, value: string | null) => {
  const pending = await call<PendingAnswer>(caller, 'GET', 'pending');
  assert.ok(pending.ok && pending.value.request);
  const question = await readQuestion(pending.value.request, caller.audience);
  const { jws } = await prepare(question!, decision, digits, time.now(), caller);
  return call<OutcomeAnswer>(caller, 'POST', `approvals/${question!.context.id}/answer`, { jws, assertion: null, pin: value });
};

test('A phone is bound, and shows the codes that the server expects', async () => {
  const { begin, finish, seedKey, caller } = await bind();
  const secret = await openSeed(seedKey.privateKey, fromB64u(begin.challenge), caller.kid, finish.seed);
  const key = await totpKey(secret, finish.totp.algorithm);
  assert.equal(key.extractable, false);
  assert.equal(await totp(key, server.now(), finish.totp.digits, finish.totp.period), server.code());
});

test('The first question of a start has no nonce yet: it is repeated once with the fresh one', async () => {
  const { caller } = await bind();
  shelf.clear();
  server.log.length = 0;
  assert.ok((await call(caller, 'GET', 'pending')).ok);
  assert.deepEqual(server.log.map(line => line.split(' ')[2]), ['401', '200']);
});

test('A phone whose clock is two days wrong learns the time and is heard', async () => {
  const { caller } = await bind();
  skew = -172_800;
  assert.ok((await call(caller, 'GET', 'pending')).ok);
  assert.ok(Math.abs(time.now() - server.now()) <= 2);
  skew = 0;
  assert.ok((await call(caller, 'GET', 'pending')).ok);
});

test('The right number with the right PIN is approved', async () => {
  const { caller, value } = await bind();
  server.ask(caller.kid, '42');
  assert.deepEqual(await decide(caller, 'approve', '42', value), { ok: true, value: { outcome: 'approved' } });
});

test('The wrong number ends the request', async () => {
  const { caller, value } = await bind();
  server.ask(caller.kid, '42');
  assert.deepEqual(await decide(caller, 'approve', '24', value), { ok: true, value: { outcome: 'wrong-number' } });
  const after = await call<PendingAnswer>(caller, 'GET', 'pending');
  assert.ok(after.ok && after.value.request === null);
});

test('A no needs neither unlock nor number', async () => {
  const { caller } = await bind();
  server.ask(caller.kid, '42');
  assert.deepEqual(await decide(caller, 'not-me', null, null), { ok: true, value: { outcome: 'reported' } });
  server.ask(caller.kid, '42');
  assert.deepEqual(await decide(caller, 'cancelled', null, null), { ok: true, value: { outcome: 'denied' } });
});

test('A wrong PIN says how many tries are left, and the fifth is the last', async () => {
  const { caller } = await bind();
  server.ask(caller.kid, '42');
  for (let left = 4; left > 0; left--) {
    assert.deepEqual(await decide(caller, 'approve', '42', 'wrong'), { ok: false, failure: { code: 'pin', triesLeft: left } });
  }
  assert.deepEqual(await decide(caller, 'approve', '42', 'wrong'), { ok: false, failure: { code: 'pin-locked', triesLeft: null } });
});

test('A code that two phones present is void for both', async () => {
  const [one, two] = [await makeDeviceKey(), await makeDeviceKey()];
  const { long } = server.newCode();
  assert.ok((await call(null, 'POST', 'binding/begin', { code: long, kid: one.kid })).ok);
  for (const { kid } of [two, one]) {
    assert.deepEqual(await call(null, 'POST', 'binding/begin', { code: long, kid }), { ok: false, failure: { code: 'code-used-twice', triesLeft: null } });
  }
});

test('A phone that is no longer known is told so, once', async () => {
  const { caller } = await bind();
  assert.ok((await call(caller, 'POST', 'remove', {})).ok);
  server.log.length = 0;
  assert.deepEqual(await call(caller, 'GET', 'pending'), { ok: false, failure: { code: 'unknown-phone', triesLeft: null } });
  assert.equal(server.log.length, 1);
});

test('Without a network the app says that, and not that something is wrong with the phone', async () => {
  const { caller } = await bind();
  const working = globalThis.fetch;
  globalThis.fetch = async () => { throw new TypeError('failed'); };
  assert.deepEqual(await call(caller, 'GET', 'pending'), { ok: false, failure: { code: 'network', triesLeft: null } });
  globalThis.fetch = async () => new Response('<html>', { status: 502 });
  assert.deepEqual(await call(caller, 'GET', 'pending'), { ok: false, failure: { code: 'server', triesLeft: null } });
  globalThis.fetch = working;
});

/** What a phone's keychain keeps: signs as an authenticator does, in DER (WebAuthn sections 6.1 and 6.5.5). */
async function makePasskey() {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const hash = async (data: BufferSource) => new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  const credentialId = b64u(crypto.getRandomValues(new Uint8Array(16)));
  const integer = (part: Uint8Array) => {
    const from = part.findIndex(byte => byte !== 0);
    const positive = [...(part[from]! > 127 ? [0] : []), ...part.slice(from)];
    return [2, positive.length, ...positive];
  };
  const get = async (challenge: Uint8Array<ArrayBuffer>) => {
    const clientData = new TextEncoder().encode(JSON.stringify({ type: 'webauthn.get', challenge: b64u(challenge), origin: server.origin, crossOrigin: false }));
    const data = new Uint8Array([...await hash(new TextEncoder().encode(new URL(server.origin).hostname)), 0x05, 0, 0, 0, 0]);
    const raw = new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, new Uint8Array([...data, ...await hash(clientData)])));
    const body = [...integer(raw.slice(0, 32)), ...integer(raw.slice(32))];
    return { credentialId, authenticatorData: b64u(data), clientDataJson: b64u(clientData), signature: b64u(new Uint8Array([0x30, body.length, ...body])) };
  };
  return { credentialId, jwk: await crypto.subtle.exportKey('jwk', pair.publicKey), get };
}

test('A passkey that was left binds a new key; the old one is nobody', async () => {
  const phone = await bind();
  const passkey = await makePasskey();
  server.phones.get(phone.caller.kid)!.passkey = { credentialId: passkey.credentialId, jwk: passkey.jwk };
  const [device, seedKey] = await Promise.all([makeDeviceKey(), makeSeedKey()]);
  const begin = await call<RebindAnswer>(null, 'POST', 'rebind/begin', { kid: device.kid });
  assert.ok(begin.ok);
  const assertion = await passkey.get(await rebindChallenge(fromB64u(begin.value.challenge), device.kid));
  const jws = await rebindingMessage(device.key, device.jwk, {
    aud: begin.value.audience, challenge: begin.value.challenge, kid: device.kid, assertion, push: null, seedKey: b64u(seedKey.publicKey), consent: '2026-11', app: '0.1.0', device: 'Pixel 9',
  });
  const finish = await call<FinishAnswer>(null, 'POST', 'rebind/finish', { jws, password: null });
  assert.ok(finish.ok, JSON.stringify(finish));
  assert.equal((await openSeed(seedKey.privateKey, fromB64u(begin.value.challenge), device.kid, finish.value.seed)).length, 20);
  const asked = await call<PendingAnswer>(phone.caller, 'GET', 'pending');
  assert.ok(!asked.ok && asked.failure.code === 'unknown-phone');
  assert.ok((await call<PendingAnswer>({ audience: server.origin, kid: device.kid, key: device.key }, 'GET', 'pending')).ok);
  assert.ok(!(await call(null, 'POST', 'rebind/finish', { jws, password: null })).ok, 'once');
});

test('Cookies are sent and taken only where the server leaves its reminder', async () => {
  const before = globalThis.fetch;
  const sent: Record<string, RequestCredentials | undefined> = {};
  globalThis.fetch = (address, options) => { sent[String(address).slice(11)] = options?.credentials; return before(address, options); };
  try {
    for (const path of ['binding/begin', 'binding/finish', 'rebind/begin', 'rebind/finish', 'report', 'remove']) await call(null, 'POST', path, {});
  } finally {
    globalThis.fetch = before;
  }
  assert.deepEqual(sent, { 'binding/begin': 'omit', 'binding/finish': 'same-origin', 'rebind/begin': 'omit', 'rebind/finish': 'same-origin', report: 'same-origin', remove: 'omit' });
});
