import type { TotpAlgorithm } from '../generated/contract';
import type { Bytes } from './bytes';

const hashes: Record<TotpAlgorithm, string> = { SHA1: 'SHA-1', SHA256: 'SHA-256', SHA512: 'SHA-512' };

/** The seed goes in and cannot be read out again, not even by this app. */
export const totpKey = (secret: Bytes, algorithm: TotpAlgorithm): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: hashes[algorithm] }, false, ['sign']);

/** RFC 4226, section 5.3. */
export async function hotp(key: CryptoKey, counter: number, digits: number): Promise<string> {
  const moving = new DataView(new ArrayBuffer(8));
  moving.setBigUint64(0, BigInt(counter));
  const mac = new DataView(await crypto.subtle.sign('HMAC', key, moving.buffer));
  const offset = mac.getUint8(mac.byteLength - 1) & 0xf;
  return String((mac.getUint32(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0');
}

/** RFC 6238. `now` in Unix seconds. */
export const totp = (key: CryptoKey, now: number, digits: number, period: number): Promise<string> => hotp(key, Math.floor(now / period), digits);

export const secondsLeft = (now: number, period: number): number => period - (Math.floor(now) % period);
