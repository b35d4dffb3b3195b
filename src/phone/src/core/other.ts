import type { TotpAlgorithm } from '../generated/contract';
import { fromBase32 } from './base32';
import type { Bytes } from './bytes';

/** An account of somebody else's service: it has codes, and nothing to do with a server of ours. */
export type OtherAccount = {
  issuer: string;
  account: string;
  secret: Bytes;
  algorithm: TotpAlgorithm;
  digits: number;
  /** By time (RFC 6238) or by count (RFC 4226). */
  kind: 'totp' | 'hotp';
  /** Seconds that a code of kind `totp` lasts. */
  period: number;
  /** What the next code of kind `hotp` is made of. */
  counter: number;
};

/** Why no code can be made from something: which part of it does not hold, or `kind`, a way of making codes that this app does not have. */
export type Flaw = 'kind' | 'secret' | 'algorithm' | 'digits' | 'period' | 'counter';
export type Flawed = { flaw: Flaw; name: string };
/** One account as a picture or a file describes it. */
export type Found = OtherAccount | Flawed;
export const isFlawed = (found: Found): found is Flawed => 'flaw' in found;

/** What stands in a picture or a file, believed in nothing. What is left out has the value that everybody takes for granted. */
export type Raw = { issuer?: unknown; account?: unknown; secret: unknown; kind?: unknown; algorithm?: unknown; digits?: unknown; period?: unknown; counter?: unknown };

const shortest = 5; // Bytes; below it is a slip of the hand, not a secret.
const longest = 256;

/** One line of at most 100 signs: no control signs, and none that turn the direction of what follows. */
export const clean = (text: unknown): string =>
  typeof text === 'string' ? [...text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ').replace(/\s+/g, ' ').trim()].slice(0, 100).join('').trim() : '';

const given = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

function whole(value: unknown, otherwise: number, least: number, most: number): number | null {
  if (!given(value)) return otherwise;
  const number = typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) && number >= least && number <= most ? number : null;
}

export const readSecret = (text: string): Bytes | null => {
  const secret = text.length <= 2 * longest ? fromBase32(text) : null;
  return secret && secret.length >= shortest && secret.length <= longest ? secret : null;
};

/** The account, or the first thing that is wrong with it. */
export function judge(raw: Raw): Found {
  const issuer = clean(raw.issuer);
  // Many write the service before the account as well.
  const whose = clean(raw.account);
  const account = issuer !== '' && whose.startsWith(`${issuer}:`) ? whose.slice(issuer.length + 1).trim() : whose;
  const flawed = (flaw: Flaw): Flawed => ({ flaw, name: [issuer, account].filter(part => part !== '').join(' · ') });

  const kind = given(raw.kind) ? String(raw.kind).toLowerCase() : 'totp';
  if (kind !== 'totp' && kind !== 'hotp') return flawed('kind');
  const secret = raw.secret instanceof Uint8Array ? raw.secret as Bytes : typeof raw.secret === 'string' ? readSecret(raw.secret) : null;
  if (!secret || secret.length < shortest || secret.length > longest) return flawed('secret');
  const algorithm = (given(raw.algorithm) ? String(raw.algorithm) : 'SHA1').toUpperCase().replace('-', '');
  if (algorithm !== 'SHA1' && algorithm !== 'SHA256' && algorithm !== 'SHA512') return flawed('algorithm');
  const digits = whole(raw.digits, 6, 6, 8);
  if (digits === null) return flawed('digits');
  const period = kind === 'totp' ? whole(raw.period, 30, 15, 120) : 30;
  if (period === null) return flawed('period');
  const counter = kind === 'hotp' ? whole(raw.counter, 0, 0, Number.MAX_SAFE_INTEGER - 1) : 0;
  if (counter === null) return flawed('counter');
  return { issuer, account, secret, algorithm, digits, kind, period, counter };
}

/** `otpauth://totp/ISSUER:ACCOUNT?secret=…`, as authenticator apps agree on it; `null` when it is no such address. */
export function readOtpauth(text: string): Found | null {
  // Not every engine parses the host of a scheme it does not know; the address is taken apart by hand.
  const parts = text.length <= 4096 ? /^otpauth:\/\/([^/?#]+)\/?([^?#]*)(?:\?([^#]*))?/i.exec(text.trim()) : null;
  if (!parts) return null;
  const query = new URLSearchParams(parts[3]);
  let label: string;
  try {
    label = decodeURIComponent(parts[2]!);
  } catch {
    return null;
  }
  const colon = label.indexOf(':');
  return judge({
    issuer: clean(query.get('issuer')) || (colon < 0 ? '' : label.slice(0, colon)), account: label.slice(colon + 1),
    secret: query.get('secret'), kind: parts[1], algorithm: query.get('algorithm'), digits: query.get('digits'),
    period: query.get('period'), counter: query.get('counter'),
  });
}

/** Whether both make the same codes, whatever they are called. */
export const same = (a: OtherAccount, b: OtherAccount): boolean =>
  a.kind === b.kind && a.algorithm === b.algorithm && a.digits === b.digits && (a.kind === 'hotp' || a.period === b.period)
  && a.secret.length === b.secret.length && a.secret.every((byte, at) => byte === b.secret[at]);
