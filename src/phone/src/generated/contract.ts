// The wire types of docs/protocol.md. All of them live here and nowhere else.

export type TotpAlgorithm = 'SHA1' | 'SHA256' | 'SHA512';
export type Unlock = 'passkey' | 'pin';
export type Purpose = 'sign-in' | 'enrolment-test';
export type Decision = 'approve' | 'cancelled' | 'not-me';
export type Outcome = 'approved' | 'denied' | 'reported' | 'wrong-number';

export type BeginRequest = { code: string; kid: string };
export type BeginAnswer = {
  audience: string;
  organisation: string;
  account: string;
  challenge: string;
  expiresAt: number;
  serverTime: number;
  relyingParty: { id: string; name: string };
  user: { id: string; name: string; displayName: string };
  vapidPublicKey: string;
  unlock: Unlock[];
};

export type PushSubscriptionKeys = { endpoint: string; p256dh: string; auth: string };
export type Attestation = { attestationObject: string; clientDataJson: string };

/** Payload of the JWS in {@link FinishRequest}. */
export type BindingPayload = {
  v: 1;
  aud: string;
  codeHash: string;
  challenge: string;
  kid: string;
  passkey: Attestation | null;
  pin: string | null;
  push: PushSubscriptionKeys | null;
  seedKey: string;
  consent: string;
  app: string;
  device: string;
};
export type FinishRequest = { jws: string };
export type Seed = { key: string; iv: string; ciphertext: string };
export type FinishAnswer = {
  authenticatorId: string;
  organisation: string;
  account: string;
  displayName: string;
  seed: Seed;
  totp: { algorithm: TotpAlgorithm; digits: number; period: number };
};

export type PendingAnswer = {
  serverTime: number;
  request: { id: string; context: string } | null;
  minimumApp: string;
};
/** What is asked about: the JSON behind `context` of {@link PendingAnswer}. */
export type Context = {
  v: 1;
  id: string;
  aud: string;
  application: string;
  purpose: Purpose;
  place: string | null;
  address: string;
  browser: string;
  nonce: string;
  iat: number;
  exp: number;
  digits: number;
};
/** Payload of the JWS in {@link Answer}. */
export type Statement = {
  v: 1;
  id: string;
  aud: string;
  ctx: string;
  nonce: string;
  decision: Decision;
  num?: string;
  iat: number;
};
export type Assertion = { credentialId: string; authenticatorData: string; clientDataJson: string; signature: string };
export type Answer = { jws: string; assertion: Assertion | null; pin: string | null };
export type OutcomeAnswer = { outcome: Outcome };

export type ReportRequest = { push: PushSubscriptionKeys | null; persisted: boolean; app: string };
export type ReportAnswer = { serverTime: number; push: 'ok' | 'missing' | 'renew'; minimumApp: string };

export type PushMessage = {
  web_push: 8030;
  notification: { title: string; body: string; navigate: string; lang: string; silent: boolean };
  id: string;
};

export type ProblemCode =
  | 'malformed' | 'nonce' | 'proof' | 'unknown-phone' | 'unknown-code' | 'unknown-request' | 'code-used' | 'code-used-twice'
  | 'answered' | 'code-expired' | 'expired' | 'unlock' | 'pin' | 'pin-locked' | 'binding' | 'slow-down';
export type Problem = { code: ProblemCode; triesLeft?: number };
