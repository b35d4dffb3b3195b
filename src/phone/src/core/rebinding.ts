import type { RebindingPayload } from '../generated/contract';
import { type Bytes, concat, utf8 } from './bytes';
import { labelled } from './hash';
import { type PublicJwk, sign } from './jws';

/** What the passkey that was left signs: the server's challenge and the new device key. */
export const rebindChallenge = (challenge: Bytes, kid: string): Promise<Bytes> => labelled('portvakt/rebind/v1', concat(challenge, utf8(kid)));

/** The message that binds this phone anew, signed by the new device key it carries. */
export function rebindingMessage(key: CryptoKey, jwk: PublicJwk, rest: Omit<RebindingPayload, 'v'>): Promise<string> {
  const payload: RebindingPayload = { v: 1, ...rest };
  return sign(key, { typ: 'portvakt-rebind+jws', jwk }, utf8(JSON.stringify(payload)));
}
