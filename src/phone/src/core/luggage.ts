import type { Luggage } from '../generated/contract';
import { fromJson, toJson } from './backup';
import { fromText, importKey, open, seal, toText } from './box';
import { b64u, fromB64u, fromUtf8, random, utf8 } from './bytes';
import type { Found, OtherAccount } from './other';

// Other accounts on their way from one phone to another: docs/protocol.md, section 9. The server keeps the box, and the key stands in the picture alone.
const label = 'portvakt/luggage/v1';

/** In steps of so many bytes, so that the box tells little of what is in it; the server takes five of them. */
const step = 8192;
const most = 5 * step;

/** `null` when there are too many. */
export async function pack(accounts: readonly OtherAccount[]): Promise<{ key: string; luggage: Luggage } | null> {
  const bytes = utf8(toJson(accounts));
  if (bytes.length > most) return null;
  const padded = new Uint8Array(Math.ceil(bytes.length / step) * step).fill(0x20); // JSON does not mind spaces at its end.
  padded.set(bytes);
  const raw = random(32);
  const luggage = toText(await seal(await importKey(raw), label, padded));
  return { key: b64u(raw), luggage };
}

/** The key of the picture, which cannot be read out again. */
export const luggageKey = (text: string): Promise<CryptoKey> => importKey(fromB64u(text));

/** `null` when the key is another, or one bit has changed. */
export async function unpack(key: CryptoKey, luggage: Luggage): Promise<Found[] | null> {
  try {
    return fromJson(fromUtf8(await open(key, label, fromText(luggage))));
  } catch {
    return null;
  }
}
