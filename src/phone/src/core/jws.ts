import { type Bytes, b64u, utf8 } from './bytes';
import { sha256 } from './hash';

export type PublicJwk = { kty: 'EC'; crv: 'P-256'; x: string; y: string };

/** RFC 7638: the members a key needs, in lexical order, without white space. */
export const thumbprint = async ({ crv, kty, x, y }: PublicJwk): Promise<string> =>
  b64u(await sha256(utf8(JSON.stringify({ crv, kty, x, y }))));

type Header = { typ: 'portvakt-bind+jws' | 'portvakt-rebind+jws'; jwk: PublicJwk } | { typ: 'portvakt-proof+jws' | 'portvakt-decision+jws' | 'portvakt-move+jws'; kid: string };

/** Compact serialisation (RFC 7515). The payload is signed as the bytes that are sent. */
export async function sign(key: CryptoKey, header: Header, payload: Bytes): Promise<string> {
  const input = `${b64u(utf8(JSON.stringify({ alg: 'ES256', ...header })))}.${b64u(payload)}`;
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, utf8(input));
  return `${input}.${b64u(signature)}`;
}
