import { b64u, random, utf8 } from './bytes';
import { sha256 } from './hash';
import { sign } from './jws';

export type DeviceKey = { kid: string; key: CryptoKey };

/** The header `Portvakt-Proof`: this phone asks this, now, with this body (RFC 9449 in spirit). */
export async function proof(
  { kid, key }: DeviceKey, method: string, address: string, now: number, nonce: string, body: string | null): Promise<string> {
  return sign(key, { typ: 'portvakt-proof+jws', kid }, utf8(JSON.stringify({
    htm: method,
    htu: address.replace(/[?#].*/, ''),
    iat: now,
    jti: b64u(random(16)),
    nonce,
    ...(body === null ? {} : { bh: b64u(await sha256(utf8(body))) }),
  })));
}
