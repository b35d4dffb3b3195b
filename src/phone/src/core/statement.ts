import type { Answer, Assertion, Context, Decision, Statement } from '../generated/contract';
import { type Bytes, b64u, fromB64u, fromUtf8, utf8 } from './bytes';
import { decisionChallenge, sha256 } from './hash';
import { sign } from './jws';
import type { DeviceKey } from './proof';

/** What the server asks about, with the hash of the bytes it came in. */
export type Question = { context: Context; hash: string };

/** `null` when the bytes are not a question for this account: then nothing is shown, for nothing true could be. */
export async function readQuestion(request: { id: string; context: string }, audience: string): Promise<Question | null> {
  try {
    const bytes = fromB64u(request.context);
    const context = JSON.parse(fromUtf8(bytes)) as Context;
    const holds = context.v === 1 && context.id === request.id && context.aud === audience
      && (context.purpose === 'sign-in' || context.purpose === 'enrolment-test' || context.purpose === 'caller')
      && Number.isInteger(context.digits) && context.digits > 0 && context.digits <= 8
      && Number.isFinite(context.exp) && Number.isFinite(context.iat);
    return holds ? { context, hash: b64u(await sha256(bytes)) } : null;
  } catch {
    return null;
  }
}

/** An answer ready to be unlocked and sent: made before the tap, for Safari forgets a tap that waits. */
export type Prepared = { jws: string; challenge: Bytes };

export async function prepare(
  { context, hash }: Question, decision: Decision, digits: string | null, now: number, { kid, key }: DeviceKey): Promise<Prepared> {
  const statement: Statement = {
    v: 1, id: context.id, aud: context.aud, ctx: hash, nonce: context.nonce, decision,
    ...(digits === null ? {} : { num: digits }), iat: now,
  };
  const bytes = utf8(JSON.stringify(statement));
  const [jws, challenge] = await Promise.all([
    sign(key, { typ: 'portvakt-decision+jws', kid }, bytes), decisionChallenge(bytes)]);
  return { jws, challenge };
}

export const answer = ({ jws }: Prepared, assertion: Assertion | null, pin: string | null): Answer => ({ jws, assertion, pin });
