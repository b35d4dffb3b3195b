import type { MoveStatement } from '../generated/contract';
import { type Bytes, utf8 } from './bytes';
import { labelled } from './hash';
import { sign } from './jws';
import type { DeviceKey } from './proof';
import type { Prepared } from './statement';

/** What the passkey signs at each step: the exact bytes of the statement. */
export const moveChallenge = (statement: Bytes): Promise<Bytes> => labelled('portvakt/move/v1', statement);

/** A step of a move to another phone, ready to be unlocked and sent: made before the tap, as an answer is. */
export async function prepareMove(step: Omit<MoveStatement, 'v' | 'iat'>, now: number, { kid, key }: DeviceKey): Promise<Prepared> {
  const statement: MoveStatement = { v: 1, ...step, iat: now };
  const bytes = utf8(JSON.stringify(statement));
  const [jws, challenge] = await Promise.all([sign(key, { typ: 'portvakt-move+jws', kid }, bytes), moveChallenge(bytes)]);
  return { jws, challenge };
}

/** The text of the picture that a phone shows to the one that takes its place. What stands behind # is sent to no server, so the key is safe there. */
export const pictureOf = (audience: string, code: string, key: string | null): string =>
  key === null ? `${audience}/e/${code}`.toUpperCase() : `${audience}/phone/#e=${code}&k=${key}`;
