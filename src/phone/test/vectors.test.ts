import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSeed } from '../src/core/binding';
import { fromBase32 } from '../src/core/base32';
import { b64u, fromB64u, fromUtf8, utf8 } from '../src/core/bytes';
import { readPicture, readTyped } from '../src/core/code';
import { moveChallenge } from '../src/core/move';
import { codeHash, decisionChallenge, enrolChallenge, labelled } from '../src/core/hash';
import { type PublicJwk, thumbprint } from '../src/core/jws';
import { rebindChallenge } from '../src/core/rebinding';
import { totp, totpKey } from '../src/core/totp';
import type { TotpAlgorithm } from '../src/generated/contract';

declare const ROOT: string;

type Vectors = {
  h: { label: string; inputB64u: string; outputB64u: string }[];
  kid: { jwk: PublicJwk; kid: string }[];
  totp: { secretB32: string; time: number; code: string; algorithm: TotpAlgorithm; digits: number; period: number }[];
  enrolChallenge: { challenge: string; kid: string; out: string }[];
  rebindChallenge: { challenge: string; kid: string; out: string }[];
  decisionChallenge: { statement: string; out: string }[];
  moveChallenge: { statement: string; out: string }[];
  codeHash: { code: string; out: string }[];
  qrText: { text: string; code: string | null }[];
  typedCode: { typed: string; code: string | null }[];
  seed: { privateKeyPkcs8B64u: string; serverPublicB64u: string; challenge: string; kid: string; iv: string; ciphertext: string; secretB32: string }[];
  jws: { jwk: PublicJwk; jws: string; header: unknown; payload: unknown }[];
};

const folder = join(ROOT, 'tests/vectors');
const all = readdirSync(folder).filter(file => file.endsWith('.json')).map(file => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Partial<Vectors>);

/** One test per kind of vector; a kind that no file holds is a failure, not a success. */
function each<K extends keyof Vectors>(kind: K, sentence: string, check: (vector: Vectors[K][number]) => Promise<void> | void): void {
  void test(sentence, async () => {
    const vectors = all.flatMap(file => (file[kind] ?? []) as Vectors[K][number][]);
    assert.notEqual(vectors.length, 0, `no vectors of the kind "${kind}"`);
    for (const vector of vectors) await check(vector);
  });
}

each('h', 'A labelled hash is the server’s', async v => assert.equal(b64u(await labelled(v.label, fromB64u(v.inputB64u))), v.outputB64u));
each('kid', 'A key has the server’s name for it', async v => assert.equal(await thumbprint(v.jwk), v.kid));
each('totp', 'A code is the one of RFC 6238', async v =>
  assert.equal(await totp(await totpKey(fromBase32(v.secretB32)!, v.algorithm), v.time, v.digits, v.period), v.code));
each('enrolChallenge', 'A passkey is made over the challenge and the device key', async v => assert.equal(b64u(await enrolChallenge(fromB64u(v.challenge), v.kid)), v.out));
each('rebindChallenge', 'The passkey that was left signs the challenge and the new device key', async v => assert.equal(b64u(await rebindChallenge(fromB64u(v.challenge), v.kid)), v.out));
each('decisionChallenge', 'An approval is made over the exact bytes of the statement', async v => assert.equal(b64u(await decisionChallenge(utf8(v.statement))), v.out));
each('moveChallenge', 'A step of a move is made over the exact bytes of its statement', async v => assert.equal(b64u(await moveChallenge(utf8(v.statement))), v.out));
each('codeHash', 'A code is hashed as the server hashes it', async v => assert.equal(b64u(await codeHash(v.code)), v.out));
each('qrText', 'A picture gives its code, and nothing else does', v => {
  const picture = readPicture(v.text);
  assert.equal(picture.kind === 'binding' ? picture.code : null, v.code, v.text);
});
each('typedCode', 'A typed code is forgiven its case, spaces and dashes', v => assert.equal(readTyped(v.typed), v.code, v.typed));
each('seed', 'A seed is opened with the key it was made for', async v => {
  const key = await crypto.subtle.importKey('pkcs8', fromB64u(v.privateKeyPkcs8B64u), { name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']);
  const sent = { key: v.serverPublicB64u, iv: v.iv, ciphertext: v.ciphertext };
  assert.equal(b64u(await openSeed(key, fromB64u(v.challenge), v.kid, sent)), b64u(fromBase32(v.secretB32)!));
  await assert.rejects(openSeed(key, fromB64u(v.challenge), `${v.kid}x`, sent), 'under another phone’s name it stays shut');
});
each('jws', 'A signature of the server’s making holds, and is one over the bytes that came', async v => {
  const [head, payload, signature] = v.jws.split('.') as [string, string, string];
  assert.deepEqual(JSON.parse(fromUtf8(fromB64u(head))), v.header);
  const said = fromUtf8(fromB64u(payload));
  if (typeof v.payload === 'string') assert.equal(said, v.payload);
  else assert.deepEqual(JSON.parse(said), v.payload);
  const key = await crypto.subtle.importKey('jwk', v.jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
  const es256 = { name: 'ECDSA', hash: 'SHA-256' };
  assert.ok(await crypto.subtle.verify(es256, key, fromB64u(signature), utf8(`${head}.${payload}`)));
  assert.ok(!await crypto.subtle.verify(es256, key, fromB64u(signature), utf8(`${head}.${payload}A`)));
});
