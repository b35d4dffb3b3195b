import type { Bytes } from './bytes';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648 base32, forgiving about case, spaces, dashes and padding, as people paste it; `null` when it is something else. */
export function fromBase32(text: string): Bytes | null {
  const clean = text.toUpperCase().replace(/[\s-]|=+$/g, '');
  const bytes = new Uint8Array(Math.floor((clean.length * 5) / 8));
  let bits = 0;
  let value = 0;
  let at = 0;
  for (const letter of clean) {
    const digit = alphabet.indexOf(letter);
    if (digit < 0) return null;
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (value >> bits) & 0xff;
    }
  }
  return at > 0 ? bytes : null;
}

export function toBase32(bytes: Bytes): string {
  const bits = Array.from(bytes, byte => byte.toString(2).padStart(8, '0')).join('');
  return bits.replace(/.{1,5}/g, five => alphabet[parseInt(five.padEnd(5, '0'), 2)]!);
}
