import { type Bytes, fromB64u, fromUtf8 } from './bytes';
import { type Found, judge } from './other';

/** One of the pictures in which Google Authenticator hands its accounts on. */
export type Batch = { id: number; size: number; index: number; found: Found[] };

type Value = { field: number; number: bigint; bytes: Bytes };
const nothing = new Uint8Array(0);

/** Protocol Buffers, encoding: each field is a tag and a number, or a tag, a length and bytes. Throws when it ends too early. */
function* fields(bytes: Bytes): Generator<Value> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError('varint');
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Number(tag >> 3n);
    const type = Number(tag & 7n);
    if (type === 0) yield { field, number: varint(), bytes: nothing };
    else {
      const length = type === 2 ? Number(varint()) : type === 1 ? 8 : type === 5 ? 4 : Number.NaN;
      if (!(length <= bytes.length - at)) throw new RangeError('length');
      yield { field, number: 0n, bytes: bytes.slice(at, at += length) };
    }
  }
}

// MigrationPayload.OtpParameters: what its enumerations stand for. What is not named here is refused by name below.
const algorithms = ['SHA1', 'SHA1', 'SHA256', 'SHA512', 'MD5'];
const digits = [6, 6, 8];
const kinds = ['totp', 'hotp', 'totp'];

function readAccount(bytes: Bytes): Found {
  const raw = { secret: nothing as Bytes, account: '', issuer: '', algorithm: 'SHA1', digits: 6, kind: 'totp', counter: 0 };
  for (const { field, number, bytes: value } of fields(bytes)) {
    const choice = Number(number);
    if (field === 1) raw.secret = value;
    else if (field === 2) raw.account = fromUtf8(value);
    else if (field === 3) raw.issuer = fromUtf8(value);
    else if (field === 4) raw.algorithm = algorithms[choice] ?? 'unknown';
    else if (field === 5) raw.digits = digits[choice] ?? 0;
    else if (field === 6) raw.kind = kinds[choice] ?? 'unknown';
    else if (field === 7) raw.counter = choice;
  }
  // Without an issuer the name may carry it, as in an otpauth address.
  const colon = raw.account.indexOf(':');
  if (raw.issuer === '' && colon > 0) [raw.issuer, raw.account] = [raw.account.slice(0, colon), raw.account.slice(colon + 1)];
  return judge(raw);
}

/** `otpauth-migration://offline?data=…`; `null` when it is something else, or is damaged. */
export function readMigration(text: string): Batch | null {
  const data = /^otpauth-migration:\/\/[^?#]*\?(?:[^#]*&)?data=([^&#]+)/i.exec(text.trim())?.[1];
  if (data === undefined || data.length > 16_384) return null;
  const batch: Batch = { id: 0, size: 1, index: 0, found: [] };
  try {
    const base64 = decodeURIComponent(data).replace(/\s/g, '+').replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
    for (const { field, number, bytes } of fields(fromB64u(base64))) {
      if (field === 1) batch.found.push(readAccount(bytes));
      else if (field === 3) batch.size = Number(number);
      else if (field === 4) batch.index = Number(number);
      else if (field === 5) batch.id = Number(BigInt.asIntN(32, number));
    }
  } catch {
    return null;
  }
  return batch.size >= 1 && batch.size <= 100 && batch.index < batch.size && batch.found.length > 0 ? batch : null;
}
