import { type Bytes, b64u, random, utf8 } from '../core/bytes';
import { type Account, keep, note, type PinCheck } from './store';

// For phones without an unlock of their own. What approves is the server's count of five tries over HMAC(K, PIN), for a PIN
// checked in a script is worth little. The check below only opens the app's own lock. It can be tried by one who has copied
// the phone's storage; that one already holds the seed of the codes. It is slow, and such a phone is marked as weaker.

export const makeKey = (): Promise<CryptoKey> => crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);

/** What the server sees instead of the PIN. */
export const value = async (key: CryptoKey, pin: string): Promise<string> => b64u(await crypto.subtle.sign('HMAC', key, utf8(pin)));

async function slow(key: CryptoKey, pin: string, salt: Bytes): Promise<Bytes> {
  const mac = await crypto.subtle.sign('HMAC', key, utf8(`lock:${pin}`));
  const material = await crypto.subtle.importKey('raw', mac, 'PBKDF2', false, ['deriveBits']);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 600_000 }, material, 256));
}

export async function makeCheck(key: CryptoKey, pin: string): Promise<PinCheck> {
  const salt = random(16);
  return { salt, hash: await slow(key, pin, salt) };
}

export async function matches(key: CryptoKey, pin: string, check: PinCheck): Promise<boolean> {
  const hash = await slow(key, pin, check.salt);
  return hash.reduce((difference, byte, at) => difference | (byte ^ (check.hash[at] ?? 0)), 0) === 0;
}

/** After five wrong PINs each further try costs a minute. */
const free = 5;
const pause = 60_000;

/** Whether it is the PIN of one of the accounts: `null`, or what to say. */
export async function prove(accounts: readonly Account[], entered: string): Promise<{ key: 'PinWait' | 'PinWrong' } | null> {
  const [tries = 0, until = 0] = (note('pin-wait') ?? '').split(' ').map(Number);
  if (Date.now() < until) return { key: 'PinWait' };
  for (const { bound: { unlock } } of accounts) {
    if (unlock.kind === 'pin' && await matches(unlock.key, entered, unlock.check)) {
      keep('pin-wait', null);
      return null;
    }
  }
  keep('pin-wait', `${tries + 1} ${tries + 1 >= free ? Date.now() + pause : 0}`);
  return { key: 'PinWrong' };
}
