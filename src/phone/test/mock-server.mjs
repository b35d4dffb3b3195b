// A server that speaks docs/protocol.md and believes nothing: the unit tests talk to it, and a developer can open the app on it
// (`node test/mock-server.mjs`, after a build). It keeps everything in memory and is no part of the product.
import { createServer } from 'node:http';
import { createHash, createHmac, hkdfSync, randomBytes, webcrypto } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

const { subtle } = webcrypto;
const b64u = bytes => Buffer.from(bytes).toString('base64url');
const bytes = text => Buffer.from(text, 'base64url');
const sha256 = data => createHash('sha256').update(data).digest();
const labelled = (label, data) => sha256(Buffer.concat([Buffer.from(label), Buffer.alloc(1), Buffer.from(data)]));
const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const randomCode = length => [...randomBytes(length)].map(byte => base32[byte & 31]).join('');
const es256 = { name: 'ECDSA', hash: 'SHA-256' };
const p256 = { name: 'ECDSA', namedCurve: 'P-256' };

class Refusal extends Error {
  constructor(status, code, more = {}) {
    super(code);
    Object.assign(this, { status, code, more });
  }
}
const must = (holds, status, code, why) => {
  if (!holds) throw new Refusal(status, code, { why });
};

export const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; "
  + "worker-src 'self'; media-src 'self' blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types portvakt";

async function verifyJws(jws, typ, find) {
  const [head, payload, signature] = jws.split('.');
  const header = JSON.parse(bytes(head));
  must(header.alg === 'ES256' && header.typ === typ && header.crit === undefined, 401, 'proof', 'header');
  const key = await subtle.importKey('jwk', find(header), p256, true, ['verify']);
  must(await subtle.verify(es256, key, bytes(signature), Buffer.from(`${head}.${payload}`)), 401, 'proof', 'signature');
  return { header, payload: bytes(payload) };
}

const thumbprint = ({ crv, kty, x, y }) => b64u(sha256(JSON.stringify({ crv, kty, x, y })));

/** Authenticator data out of an attestation object with format "none" and an ES256 key: enough CBOR for this one shape. */
function readAttestation(attestation) {
  const at = attestation.indexOf(Buffer.from('authData')) + 8;
  const long = attestation[at] === 0x59;
  const data = attestation.subarray(at + (long ? 3 : 2));
  const idLength = data.readUInt16BE(53);
  const cose = data.subarray(55 + idLength);
  const after = marker => cose.subarray(cose.indexOf(Buffer.from(marker)) + marker.length).subarray(0, 32);
  return { rpIdHash: data.subarray(0, 32), flags: data[32], credentialId: b64u(data.subarray(55, 55 + idLength)),
    jwk: { kty: 'EC', crv: 'P-256', x: b64u(after([0x21, 0x58, 0x20])), y: b64u(after([0x22, 0x58, 0x20])) } };
}

function rawSignature(der) {
  const part = at => {
    const value = der.subarray(at + 2, at + 2 + der[at + 1]);
    return { value: Buffer.concat([Buffer.alloc(32), value]).subarray(-32), next: at + 2 + der[at + 1] };
  };
  const r = part(2);
  return Buffer.concat([r.value, part(r.next).value]);
}

/** `now` in Unix seconds; `unlock` as policy allows; `seed` of every account. */
export function mock({ now = () => Math.floor(Date.now() / 1000), unlock = ['passkey'], digits = 2, lifetime = 60, seed = randomBytes(20), dist = null } = {}) {
  const state = { codes: new Map(), rebindings: new Map(), phones: new Map(), nonces: new Map(), jtis: new Set(), streams: new Set(), requests: [], reports: [], log: [], origin: '', digits, unlock, lifetime, now, minimumApp: '0.1.0', seed, pushAnswer: 'ok', latency: 0 };
  const vapid = subtle.generateKey(p256, true, ['sign']).then(async pair => b64u(await subtle.exportKey('raw', pair.publicKey)));
  const host = () => new URL(state.origin).host;

  state.newCode = (age = 0) => {
    const long = randomCode(26);
    const binding = { long, short: randomCode(12), made: state.now() - age, kid: null, void: false, used: false };
    for (const code of [binding.long, binding.short]) state.codes.set(code, binding);
    return { ...binding, picture: `HTTP://${host().toUpperCase()}/E/${long}` };
  };
  state.ask = (kid, number, more = {}) => {
    const id = b64u(randomBytes(12));
    const context = Buffer.from(JSON.stringify({ v: 1, id, aud: state.origin, application: 'Timeliste', purpose: 'sign-in', place: 'Oslo, Norge', address: '192.0.2.x',
      browser: 'Firefox, Windows', nonce: b64u(randomBytes(16)), iat: state.now(), exp: state.now() + state.lifetime, digits: state.digits, ...more }));
    const request = { id, kid, number, context, read: JSON.parse(context), outcome: null, evidence: null };
    state.requests = [...state.requests.filter(other => other.kid !== kid || other.outcome), request];
    state.tell(id);
    return request;
  };
  state.tell = id => { for (const stream of state.streams) stream.write(`event: pending\ndata: ${id}\n\n`); };

  function nonce() {
    const value = b64u(randomBytes(16));
    state.nonces.set(value, state.now());
    return value;
  }

  async function proven(request, path, body) {
    const text = request.headers['portvakt-proof'];
    must(text, 401, 'proof', 'missing');
    let phone;
    const { payload } = await verifyJws(text, 'portvakt-proof+jws', header => {
      phone = state.phones.get(header.kid);
      must(phone && !phone.removed, 401, 'unknown-phone');
      return phone.jwk;
    });
    const proof = JSON.parse(payload);
    must(state.nonces.has(proof.nonce) && state.now() - state.nonces.get(proof.nonce) <= 300, 401, 'nonce');
    must(proof.htm === request.method && proof.htu === state.origin + path, 401, 'proof', 'address');
    must(Math.abs(proof.iat - state.now()) <= 120, 401, 'proof', 'time');
    must(!state.jtis.has(proof.jti) && bytes(proof.jti).length === 16, 401, 'proof', 'jti');
    must(body === '' ? proof.bh === undefined : proof.bh === b64u(sha256(body)), 401, 'proof', 'body');
    state.jtis.add(proof.jti);
    return phone;
  }

  async function begin({ code, kid }) {
    const binding = state.codes.get(code);
    must(binding, 404, 'unknown-code');
    must(!binding.used, 409, 'code-used');
    if (binding.kid && binding.kid !== kid) binding.void = true;
    must(!binding.void, 409, 'code-used-twice');
    must(state.now() - binding.made <= 600, 410, 'code-expired');
    Object.assign(binding, { kid, challenge: b64u(randomBytes(32)) });
    return { audience: state.origin, organisation: 'Eksempel kommune', account: 'k••i@eksempel.no', challenge: binding.challenge, expiresAt: binding.made + 600,
      serverTime: state.now(), relyingParty: { id: new URL(state.origin).hostname, name: 'Eksempel kommune' },
      user: { id: b64u(randomBytes(32)), name: 'kari', displayName: 'Kari Nordmann' }, vapidPublicKey: await vapid, unlock: state.unlock, moves: false };
  }

  async function finish({ jws }) {
    const { header, payload } = await verifyJws(jws, 'portvakt-bind+jws', head => head.jwk);
    const p = JSON.parse(payload);
    const kid = thumbprint(header.jwk);
    const binding = [...state.codes].find(([code]) => p.codeHash === b64u(labelled('portvakt/code/v1', code)))?.[1];
    must(binding?.kid === kid && !binding.void && !binding.used, 422, 'binding', 'code');
    const { challenge } = binding;
    binding.challenge = null;
    must(challenge && p.challenge === challenge && p.kid === kid && p.aud === state.origin && p.v === 1, 422, 'binding', 'members');
    must((p.passkey === null) !== (p.pin === null), 422, 'binding', 'unlock');
    must(p.consent === '2026-11' && typeof p.device === 'string' && /^\d+\.\d+\.\d+$/.test(p.app), 422, 'binding', 'consent, device, app');
    const phone = { kid, jwk: header.jwk, push: p.push, device: p.device, pin: p.pin, wrong: 0 };
    if (p.passkey) {
      const client = JSON.parse(bytes(p.passkey.clientDataJson));
      must(client.type === 'webauthn.create' && client.origin === state.origin, 422, 'unlock', 'client data');
      must(client.challenge === b64u(labelled('portvakt/enrol/v1', Buffer.concat([bytes(challenge), Buffer.from(kid)]))), 422, 'unlock', 'challenge');
      phone.passkey = readAttestation(bytes(p.passkey.attestationObject));
      must((phone.passkey.flags & 0x45) === 0x45, 422, 'unlock', 'flags');
    }
    binding.used = true;
    state.phones.set(kid, phone);
    return bound(kid, p.seedKey, challenge);
  }

  /** What a phone gets that counts now: the seed, for it alone. */
  async function bound(kid, seedKey, challenge) {
    const ours = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const theirs = await subtle.importKey('raw', bytes(seedKey), { name: 'ECDH', namedCurve: 'P-256' }, false, []);
    const shared = await subtle.deriveBits({ name: 'ECDH', public: theirs }, ours.privateKey, 256);
    const info = Buffer.concat([Buffer.from('portvakt/seed/v1'), Buffer.alloc(1), Buffer.from(kid)]);
    const key = await subtle.importKey('raw', hkdfSync('sha256', shared, bytes(challenge), info, 32), 'AES-GCM', false, ['encrypt']);
    const iv = randomBytes(12);
    return { authenticatorId: kid.slice(0, 12), organisation: 'Eksempel kommune', account: 'kari', displayName: 'Kari Nordmann',
      seed: { key: b64u(await subtle.exportKey('raw', ours.publicKey)), iv: b64u(iv), ciphertext: b64u(await subtle.encrypt({ name: 'AES-GCM', iv }, key, state.seed)) },
      totp: { algorithm: 'SHA1', digits: 6, period: 30 } };
  }

  async function rebind({ kid }) {
    const challenge = b64u(randomBytes(32));
    state.rebindings.set(challenge, kid);
    return { audience: state.origin, organisation: 'Eksempel kommune', challenge, expiresAt: state.now() + 300, serverTime: state.now(),
      relyingParty: { id: new URL(state.origin).hostname, name: 'Eksempel kommune' }, vapidPublicKey: await vapid, helpdesk: 'Brukerstøtte, telefon 55 50 00 00' };
  }

  async function rebound({ jws, password }) {
    const { header, payload } = await verifyJws(jws, 'portvakt-rebind+jws', head => head.jwk);
    const p = JSON.parse(payload);
    const kid = thumbprint(header.jwk);
    must(p.kid === kid && p.aud === state.origin && p.v === 1 && p.consent === '2026-11', 422, 'rebinding', 'members');
    must(state.rebindings.get(p.challenge) === kid, 410, 'expired');
    state.rebindings.delete(p.challenge);
    const old = [...state.phones.values()].find(one => one.passkey?.credentialId === p.assertion.credentialId);
    must(old, 422, 'rebinding', 'credential');
    const client = JSON.parse(bytes(p.assertion.clientDataJson));
    const data = bytes(p.assertion.authenticatorData);
    must(client.type === 'webauthn.get' && client.origin === state.origin && !client.crossOrigin, 422, 'rebinding', 'client data');
    must(client.challenge === b64u(labelled('portvakt/rebind/v1', Buffer.concat([bytes(p.challenge), Buffer.from(kid)]))), 422, 'rebinding', 'challenge');
    must(data.subarray(0, 32).equals(sha256(new URL(state.origin).hostname)) && (data[32] & 5) === 5, 422, 'rebinding', 'data');
    const key = await subtle.importKey('jwk', old.passkey.jwk, p256, false, ['verify']);
    must(await subtle.verify(es256, key, rawSignature(bytes(p.assertion.signature)), Buffer.concat([data, sha256(bytes(p.assertion.clientDataJson))])), 422, 'rebinding', 'signature');
    must((data[32] & 8) === 0 || password === 'passord', 422, 'password');
    state.phones.delete(old.kid);
    state.phones.set(kid, { ...old, kid, jwk: header.jwk, push: p.push });
    return bound(kid, p.seedKey, p.challenge);
  }

  async function answer(phone, id, { jws, assertion, pin }) {
    const request = state.requests.find(one => one.id === id && one.kid === phone.kid);
    must(request, 404, 'unknown-request');
    const { header, payload } = await verifyJws(jws, 'portvakt-decision+jws', () => phone.jwk);
    must(header.kid === phone.kid, 401, 'proof', 'kid');
    must(!request.outcome, 409, 'answered');
    must(state.now() <= request.read.exp, 410, 'expired');
    const statement = JSON.parse(payload);
    must(statement.v === 1 && statement.id === id && statement.aud === state.origin && statement.nonce === request.read.nonce
      && statement.ctx === b64u(sha256(request.context)), 422, 'binding', 'statement');
    must((statement.decision === 'approve') === (statement.num !== undefined), 400, 'malformed', 'num');
    if (statement.decision !== 'approve') {
      must(assertion === null && pin === null, 400, 'malformed', 'assertion');
      request.outcome = statement.decision === 'not-me' ? 'reported' : 'denied';
      return { outcome: request.outcome };
    }
    if (phone.passkey) {
      must(assertion?.credentialId === phone.passkey.credentialId, 422, 'unlock', 'credential');
      const client = JSON.parse(bytes(assertion.clientDataJson));
      const data = bytes(assertion.authenticatorData);
      must(client.type === 'webauthn.get' && client.origin === state.origin && !client.crossOrigin, 422, 'unlock', 'client data');
      must(client.challenge === b64u(labelled('portvakt/decision/v1', payload)), 422, 'unlock', 'challenge');
      must(data.subarray(0, 32).equals(sha256(new URL(state.origin).hostname)) && (data[32] & 5) === 5, 422, 'unlock', 'data');
      const key = await subtle.importKey('jwk', phone.passkey.jwk, p256, false, ['verify']);
      const signed = Buffer.concat([data, sha256(bytes(assertion.clientDataJson))]);
      must(await subtle.verify(es256, key, rawSignature(bytes(assertion.signature)), signed), 422, 'unlock', 'signature');
    } else {
      must(phone.wrong < 5, 423, 'pin-locked');
      if (pin !== phone.pin) {
        phone.wrong++;
        must(phone.wrong < 5, 423, 'pin-locked');
        throw new Refusal(422, 'pin', { triesLeft: 5 - phone.wrong });
      }
    }
    request.evidence = { jws, assertion };
    request.outcome = statement.num === request.number ? 'approved' : 'wrong-number';
    return { outcome: request.outcome };
  }

  async function api(request, response, path, body) {
    response.setHeader('Portvakt-Nonce', nonce());
    response.setHeader('Date', new Date(state.now() * 1000).toUTCString());
    const json = body === '' ? null : JSON.parse(body);
    switch (`${request.method} ${path.slice('/phone/api/'.length)}`) {
      case 'POST binding/begin': return begin(json);
      case 'POST binding/finish': return finish(json);
      case 'POST rebind/begin': return rebind(json);
      case 'POST rebind/finish': return rebound(json);
    }
    const phone = await proven(request, path, body);
    const id = /^\/phone\/api\/approvals\/([^/]+)\/answer$/.exec(path)?.[1];
    if (request.method === 'POST' && id) return answer(phone, id, json);
    switch (`${request.method} ${path.slice('/phone/api/'.length)}`) {
      case 'GET pending': {
        const waiting = state.requests.find(one => one.kid === phone.kid && !one.outcome && one.read.exp > state.now());
        return { serverTime: state.now(), request: waiting ? { id: waiting.id, context: b64u(waiting.context) } : null, minimumApp: state.minimumApp };
      }
      case 'POST report':
        state.reports.push(json);
        return { serverTime: state.now(), push: json.push ? state.pushAnswer : 'missing', minimumApp: state.minimumApp };
      case 'POST remove':
        phone.removed = true;
        return null;
      case 'GET events':
        response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
        response.write(': ping\n\n');
        state.streams.add(response);
        response.on('close', () => state.streams.delete(response));
        return undefined;
      default: throw new Refusal(404, 'malformed');
    }
  }

  const types = { html: 'text/html; charset=utf-8', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml', png: 'image/png', webmanifest: 'application/manifest+json', txt: 'text/plain; charset=utf-8' };
  function file(response, path) {
    if (path.startsWith('/e/') || path.startsWith('/E/')) return response.writeHead(302, { Location: `/phone/#e=${path.slice(3)}` }).end();
    const name = path === '/phone/' ? 'index.html' : path.replace(/^\/phone\//, '');
    const source = dist && new URL(name, dist);
    if (!source || !source.href.startsWith(dist.href) || !existsSync(source)) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': types[name.split('.').pop()] ?? 'text/plain', 'Content-Security-Policy': csp, 'X-Content-Type-Options': 'nosniff',
      'Cache-Control': name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache' });
    return response.end(readFileSync(source));
  }

  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname;
    let body = '';
    for await (const part of request) body += part;
    if (!path.startsWith('/phone/api/')) return file(response, path);
    await new Promise(resolve => setTimeout(resolve, state.latency));
    try {
      const value = await api(request, response, path, body);
      state.log.push(`${request.method} ${path} 200`);
      if (value === null) response.writeHead(204).end();
      else if (value !== undefined) response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    } catch (error) {
      const { status = 500, code = String(error), more = {} } = error;
      state.log.push(`${request.method} ${path} ${status} ${code} ${more.why ?? ''}`);
      response.writeHead(status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify({ status, code, ...more }));
    }
    return undefined;
  });
  state.listen = port => new Promise(resolve => server.listen(port, '127.0.0.1', () => {
    state.origin = `http://localhost:${server.address().port}`;
    resolve(state.origin);
  }));
  state.close = () => {
    for (const stream of state.streams) stream.end();
    server.close();
    server.closeAllConnections();
  };
  state.code = () => {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(state.now() / 30)));
    const mac = createHmac('sha1', state.seed).update(counter).digest();
    return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
  };
  return state;
}

if (process.argv[1]?.endsWith('mock-server.mjs')) {
  const server = mock({ dist: new URL('../dist/', import.meta.url) });
  await server.listen(Number(process.env.PORT ?? 8030));
  const code = server.newCode();
  console.log(`${server.origin}/phone/ · code ${code.short.replace(/(.{4})(?=.)/g, '$1-')} · ${code.picture}`);
  // A number every half minute for whoever is bound.
  setInterval(() => server.phones.forEach(phone => console.log(`type ${server.ask(phone.kid, String(randomBytes(1)[0] % 90 + 10)).number}`)), 30_000);
}
