import type { Bytes } from '../core/bytes';
import { type PublicJwk, thumbprint } from '../core/jws';

export type NewDeviceKey = { key: CryptoKey; jwk: PublicJwk; kid: string };

/** The key that says which phone this is. The browser will sign with it, but never show it. */
export async function makeDeviceKey(): Promise<NewDeviceKey> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  const { x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey) as { x: string; y: string };
  const jwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y };
  return { key: pair.privateKey, jwk, kid: await thumbprint(jwk) };
}

/** A key for one answer: the seed of the codes comes back under it. */
export async function makeSeedKey(): Promise<{ privateKey: CryptoKey; publicKey: Bytes }> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']);
  return { privateKey: pair.privateKey, publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)) };
}
