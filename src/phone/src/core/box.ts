import { type Bytes, b64u, fromB64u, random, utf8 } from './bytes';

/** AES-256-GCM: 96 bits of chance, and the sealed bytes with their tag. */
export type Box = { iv: Bytes; sealed: Bytes };

const aes = { name: 'AES-GCM', length: 256 } as const;

/** A key that seals and opens, and cannot be read out. */
export const importKey = (raw: Bytes): Promise<CryptoKey> => crypto.subtle.importKey('raw', raw, aes, false, ['encrypt', 'decrypt']);
export const makeKey = (): Promise<CryptoKey> => crypto.subtle.generateKey(aes, false, ['encrypt', 'decrypt']);

/** The label is sealed with it, so that a box put in another's place does not open. */
export async function seal(key: CryptoKey, label: string, bytes: Bytes): Promise<Box> {
  const iv = random(12);
  return { iv, sealed: new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: utf8(label) }, key, bytes)) };
}

/** Rejects when the key is another, or one bit has changed. */
export const open = async (key: CryptoKey, label: string, { iv, sealed }: Box): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: utf8(label) }, key, sealed));

/** The key that the phone's unlock releases: HKDF-SHA-256 over what the passkey's PRF answered (WebAuthn Level 3, section 10.1.4). */
export async function unlockKey(secret: Bytes, salt: Bytes): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
  return crypto.subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt, info: utf8('portvakt/others/v1') }, material, aes, false, ['encrypt', 'decrypt']);
}

/** A key from a password that a person chose. */
export async function passwordKey(password: string, salt: Bytes, iterations: number): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', utf8(password.normalize('NFC')), 'PBKDF2', false, ['deriveKey']);
  return crypto.subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, material, aes, false, ['encrypt', 'decrypt']);
}

export const toText = ({ iv, sealed }: Box): { iv: string; sealed: string } => ({ iv: b64u(iv), sealed: b64u(sealed) });
export const fromText = ({ iv, sealed }: { iv: string; sealed: string }): Box => ({ iv: fromB64u(iv), sealed: fromB64u(sealed) });
