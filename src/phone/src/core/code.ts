export type Scanned =
  /** `key`: opens the other accounts that come along from another phone. */
  | { kind: 'binding'; host: string; code: string; key?: string }
  | { kind: 'other'; text: string }
  | { kind: 'unknown' };

/** The text of a picture: a binding of a Portvakt server, accounts of others, or something this app has no use for. */
export function readPicture(text: string): Scanned {
  const move = /^https?:\/\/([^/?#@\s]+)\/phone\/#e=([a-z2-7]{26})&k=([\w-]{43})$/i.exec(text.trim());
  if (move) return { kind: 'binding', host: move[1]!.toLowerCase(), code: move[2]!.toUpperCase(), key: move[3]! };
  const binding = /^https?:\/\/([^/?#@\s]+)\/e\/([a-z2-7]{26})$/i.exec(text.trim());
  if (binding) return { kind: 'binding', host: binding[1]!.toLowerCase(), code: binding[2]!.toUpperCase() };
  return /^otpauth(?:-migration)?:\/\//i.test(text.trim()) ? { kind: 'other', text: text.trim() } : { kind: 'unknown' };
}

/** A typed code: 12 characters (or the 26 of the picture), forgiving about case, spaces and dashes; `null` when it cannot be one. */
export function readTyped(text: string): string | null {
  const code = text.toUpperCase().replace(/[\s\u00a0\u2010-\u2015-]/g, '');
  return /^(?:[A-Z2-7]{12}|[A-Z2-7]{26})$/.test(code) ? code : null;
}

/** Groups of four while it is typed, as the computer shows it. */
export const group = (text: string): string =>
  text.toUpperCase().replace(/[^A-Z0-9]/g, '').slice(0, 26).replace(/(.{4})(?=.)/g, '$1-');
