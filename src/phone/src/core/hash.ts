import { type Bytes, concat, utf8 } from './bytes';

export const sha256 = async (bytes: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

/** Every hash carries a label, so that a value hashed for one purpose is worth nothing for another. */
export const labelled = (label: string, bytes: Bytes): Promise<Bytes> =>
  sha256(concat(utf8(label), new Uint8Array(1), bytes));

/** What the new passkey is created over: the server's challenge and the device key it belongs with. */
export const enrolChallenge = (challenge: Bytes, kid: string): Promise<Bytes> =>
  labelled('portvakt/enrol/v1', concat(challenge, utf8(kid)));

/** What the passkey signs when the person approves: the exact bytes of the statement. */
export const decisionChallenge = (statement: Bytes): Promise<Bytes> => labelled('portvakt/decision/v1', statement);

export const codeHash = (code: string): Promise<Bytes> => labelled('portvakt/code/v1', utf8(code));
