import { toBase32 } from './base32';
import { b64u, fromB64u, fromUtf8, random, utf8 } from './bytes';
import { fromText, open, passwordKey, seal, toText } from './box';
import { type Found, judge, type OtherAccount, type Raw } from './other';

// The file in which accounts travel; docs/security/other-accounts.md describes it, so that another program can read it.
const format = 'portvakt-accounts';
const label = 'portvakt-accounts/1';
const iterations = 600_000;

export type BackupFile = {
  format: typeof format;
  version: 1;
  kdf: { name: 'PBKDF2-SHA256'; iterations: number; salt: string };
  cipher: { name: 'AES-256-GCM'; iv: string };
  sealed: string;
};

/** Accounts with their secrets as JSON, and back; what comes back is believed in nothing. */
export const toJson = (accounts: readonly OtherAccount[]): string => JSON.stringify({ accounts: accounts.map(({ secret, ...rest }) => ({ ...rest, secret: toBase32(secret) })) });
export const fromJson = (text: string): Found[] => (JSON.parse(text) as { accounts: Raw[] }).accounts.map(judge);

export async function writeBackup(accounts: readonly OtherAccount[], password: string): Promise<string> {
  const salt = random(16);
  const box = toText(await seal(await passwordKey(password, salt, iterations), label, utf8(toJson(accounts))));
  const file: BackupFile = {
    format, version: 1, kdf: { name: 'PBKDF2-SHA256', iterations, salt: b64u(salt) }, cipher: { name: 'AES-256-GCM', iv: box.iv }, sealed: box.sealed,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Whether it is such a file at all, of a version this app knows. More than ten times our own work is done for no file. */
export function isBackup(value: unknown): value is BackupFile {
  const file = value as Partial<BackupFile> | null;
  return typeof file === 'object' && file?.format === format && file.version === 1 && file.kdf?.name === 'PBKDF2-SHA256' && file.cipher?.name === 'AES-256-GCM'
    && Number.isInteger(file.kdf.iterations) && file.kdf.iterations >= iterations && file.kdf.iterations <= 10 * iterations
    && typeof file.kdf.salt === 'string' && typeof file.cipher.iv === 'string' && typeof file.sealed === 'string';
}

export const isNewerBackup = (value: unknown): boolean => {
  const file = value as { format?: unknown; version?: unknown } | null;
  return typeof file === 'object' && file?.format === format && file.version !== 1;
};

/** The accounts in it; `null` when the password is another or the file was changed: the two cannot be told apart. */
export async function readBackup(file: BackupFile, password: string): Promise<Found[] | null> {
  try {
    const key = await passwordKey(password, fromB64u(file.kdf.salt), file.kdf.iterations);
    return fromJson(fromUtf8(await open(key, label, fromText({ iv: file.cipher.iv, sealed: file.sealed }))));
  } catch {
    return null;
  }
}
