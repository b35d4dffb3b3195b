import type { TotpAlgorithm } from '../generated/contract';
import { type Bytes, fromBase32 } from './bytes';

/** An account that only has codes, as `otpauth://totp/…` describes it. */
export type OtherAccount = {
  issuer: string; account: string; secret: Bytes; algorithm: TotpAlgorithm; digits: number; period: number;
};

export type Scanned =
  | { kind: 'binding'; host: string; code: string }
  | { kind: 'other'; account: OtherAccount }
  | { kind: 'unknown' };

/** The text of a picture: a binding of a Portvakt server, another account's seed, or something this app has no use for. */
export function readPicture(text: string): Scanned {
  const binding = /^https?:\/\/([^/?#@\s]+)\/e\/([a-z2-7]{26})$/i.exec(text.trim());
  if (binding) return { kind: 'binding', host: binding[1]!.toLowerCase(), code: binding[2]!.toUpperCase() };
  const account = readOtpauth(text.trim());
  return account ? { kind: 'other', account } : { kind: 'unknown' };
}

/** A typed code: 12 characters (or the 26 of the picture), forgiving about case, spaces and dashes; `null` when it cannot be one. */
export function readTyped(text: string): string | null {
  const code = text.toUpperCase().replace(/[\s\u00a0\u2010-\u2015-]/g, '');
  return /^(?:[A-Z2-7]{12}|[A-Z2-7]{26})$/.test(code) ? code : null;
}

/** Groups of four while it is typed, as the computer shows it. */
export const group = (text: string): string =>
  text.toUpperCase().replace(/[^A-Z0-9]/g, '').slice(0, 26).replace(/(.{4})(?=.)/g, '$1-');

export function readOtpauth(text: string): OtherAccount | null {
  // Not every engine parses the host of a scheme it does not know; the address is taken apart by hand.
  const parts = /^otpauth:\/\/totp\/([^?#]*)\?([^#]*)/i.exec(text);
  if (!parts) return null;
  const query = new URLSearchParams(parts[2]);
  let label: string;
  try {
    label = decodeURIComponent(parts[1]!);
  } catch {
    return null;
  }
  const colon = label.indexOf(':');
  const secret = fromBase32(query.get('secret') ?? '');
  const algorithm = (query.get('algorithm') ?? 'SHA1').toUpperCase().replace('-', '');
  const digits = Number(query.get('digits') ?? 6);
  const period = Number(query.get('period') ?? 30);
  if (!secret || !['SHA1', 'SHA256', 'SHA512'].includes(algorithm)
    || ![6, 7, 8].includes(digits) || !Number.isInteger(period) || period < 5 || period > 300) return null;
  return {
    issuer: (query.get('issuer') ?? (colon < 0 ? '' : label.slice(0, colon))).trim(),
    account: label.slice(colon + 1).trim(),
    secret, algorithm: algorithm as TotpAlgorithm, digits, period,
  };
}
