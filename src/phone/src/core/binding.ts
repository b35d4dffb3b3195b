import type { BindingPayload, Seed } from '../generated/contract';
import { type Bytes, b64u, concat, fromB64u, utf8 } from './bytes';
import { codeHash } from './hash';
import { type PublicJwk, sign } from './jws';

/** The message that binds this phone, signed by the device key it carries. */
export async function bindingMessage(
  key: CryptoKey, jwk: PublicJwk, code: string, rest: Omit<BindingPayload, 'v' | 'codeHash'>): Promise<string> {
  const payload: BindingPayload = { v: 1, codeHash: b64u(await codeHash(code)), ...rest };
  return sign(key, { typ: 'portvakt-bind+jws', jwk }, utf8(JSON.stringify(payload)));
}

/** The seed of the codes, sent under a key that only this binding knows: ECDH P-256, HKDF-SHA-256, AES-256-GCM. */
export async function openSeed(privateKey: CryptoKey, challenge: Bytes, kid: string, seed: Seed): Promise<Bytes> {
  const theirs = await crypto.subtle.importKey('raw', fromB64u(seed.key), { name: 'ECDH', namedCurve: 'P-256' }, false, []);
  const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, privateKey, 256);
  const material = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
  const info = concat(utf8('portvakt/seed/v1'), new Uint8Array(1), utf8(kid));
  const key = await crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: challenge, info }, material, { name: 'AES-GCM', length: 256 }, false, ['decrypt']);
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: fromB64u(seed.iv) }, key, fromB64u(seed.ciphertext)));
}
