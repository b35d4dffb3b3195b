import type { TotpAlgorithm } from '../generated/contract';
import type { Bytes } from './bytes';

const hashes: Record<TotpAlgorithm, string> = { SHA1: 'SHA-1', SHA256: 'SHA-256', SHA512: 'SHA-512' };

/** The seed goes in and cannot be read out again, not even by this app. */
export const totpKey = (secret: Bytes, algorithm: TotpAlgorithm): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: hashes[algorithm] }, false, ['sign']);

/** RFC 6238, with the truncation of RFC 4226, section 5.3. `now` in Unix seconds. */
export async function totp(key: CryptoKey, now: number, digits: number, period: number): Promise<string> {
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(Math.floor(now / period)));
  const mac = new DataView(await crypto.subtle.sign('HMAC', key, counter.buffer));
  const offset = mac.getUint8(mac.byteLength - 1) & 0xf;
  return String((mac.getUint32(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0');
}

export const secondsLeft = (now: number, period: number): number => period - (Math.floor(now) % period);
