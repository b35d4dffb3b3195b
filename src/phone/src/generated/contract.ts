// Generated from the wire records of the server by `portvakt phone-contract`. See docs/protocol.md.

export type Decision = 'approve' | 'cancelled' | 'not-me';
export type MoveRefusal = 'unknown-phone' | 'pin-locked' | 'closed' | 'not-allowed' | 'reported';
export type MoveState = 'waiting' | 'connected' | 'number' | 'done' | 'wrong-number' | 'used-twice' | 'over';
export type MoveStep = 'begin' | 'confirm';
export type Outcome = 'approved' | 'denied' | 'reported' | 'wrong-number';
export type ProblemCode = 'malformed' | 'nonce' | 'proof' | 'unknown-phone' | 'unknown-code' | 'unknown-request' | 'code-used' | 'code-used-twice' | 'answered' | 'code-expired' | 'expired' | 'unlock' | 'pin' | 'pin-locked' | 'binding' | 'rebinding' | 'password' | 'phone-removed' | 'account-closed' | 'other-way' | 'closed' | 'not-allowed' | 'reported' | 'slow-down' | 'unavailable';
export type Purpose = 'sign-in' | 'enrolment-test' | 'caller';
export type TotpAlgorithm = 'SHA1' | 'SHA256' | 'SHA512';
export type Unlock = 'passkey' | 'pin';

export type Answer = {
  jws: string;
  assertion: Assertion | null;
  pin: string | null;
};

export type Assertion = {
  credentialId: string;
  authenticatorData: string;
  clientDataJson: string;
  signature: string;
};

export type Attestation = {
  attestationObject: string;
  clientDataJson: string;
};

export type BeginAnswer = {
  audience: string;
  organisation: string;
  account: string;
  challenge: string;
  expiresAt: number;
  serverTime: number;
  relyingParty: PasskeyRelyingParty;
  user: PasskeyUser;
  vapidPublicKey: string;
  unlock: Unlock[];
  moves: boolean;
};

export type BeginRequest = {
  code: string;
  kid: string;
};

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

export type Context = {
  v: 1;
  id: string;
  aud: string;
  application: string;
  purpose: Purpose;
  place: string | null;
  address: string | null;
  browser: string;
  nonce: string;
  iat: number;
  exp: number;
  digits: number;
};

export type FinishAnswer = {
  authenticatorId: string;
  organisation: string;
  account: string;
  displayName: string;
  seed: Seed;
  totp: TotpParameters;
};

export type FinishRequest = {
  jws: string;
};

export type Luggage = {
  iv: string;
  sealed: string;
};

export type Move = {
  id: string;
  state: MoveState;
  expiresAt: number;
  digits: number;
  number: string | null;
  device: string | null;
  to: string | null;
  luggage: boolean;
};

export type MoveAnswer = {
  serverTime: number;
  refusal: MoveRefusal | null;
  move: Move | null;
};

export type MoveBegun = {
  id: string;
  code: string;
  typedCode: string;
  expiresAt: number;
  serverTime: number;
};

export type MoveOutcome = {
  outcome: 'moved' | 'wrong-number';
};

export type MoveStatement = {
  v: 1;
  step: MoveStep;
  aud: string;
  nonce?: string;
  jti?: string;
  id?: string;
  to?: string;
  num?: string;
  iat: number;
};

export type OutcomeAnswer = {
  outcome: Outcome;
};

export type PasskeyRelyingParty = {
  id: string;
  name: string;
};

export type PasskeyUser = {
  id: string;
  name: string;
  displayName: string;
};

export type PendingAnswer = {
  serverTime: number;
  request: PendingRequest | null;
  minimumApp: string;
};

export type PendingRequest = {
  id: string;
  context: string;
};

export type Problem = {
  status: number;
  code: ProblemCode;
  triesLeft?: number;
};

export type ProofPayload = {
  htm: string;
  htu: string;
  iat: number;
  jti: string;
  nonce: string;
  bh?: string;
};

export type PushMessage = {
  web_push: 8030;
  notification: PushNotification;
  id: string;
};

export type PushNotification = {
  title: string;
  body: string;
  navigate: string;
  lang: string;
  silent: boolean;
};

export type PushSubscriptionKeys = {
  endpoint: string;
  p256dh: string;
  auth: string;
};

export type RebindAnswer = {
  audience: string;
  organisation: string;
  challenge: string;
  expiresAt: number;
  serverTime: number;
  relyingParty: PasskeyRelyingParty;
  vapidPublicKey: string;
  helpdesk: string | null;
};

export type RebindFinishRequest = {
  jws: string;
  password: string | null;
};

export type RebindRequest = {
  kid: string;
};

export type RebindingPayload = {
  v: 1;
  aud: string;
  challenge: string;
  kid: string;
  assertion: Assertion;
  push: PushSubscriptionKeys | null;
  seedKey: string;
  consent: string;
  app: string;
  device: string;
};

export type ReportAnswer = {
  serverTime: number;
  push: 'ok' | 'missing' | 'renew';
  minimumApp: string;
};

export type ReportRequest = {
  push: PushSubscriptionKeys | null;
  persisted: boolean;
  app: string;
};

export type Seed = {
  key: string;
  iv: string;
  ciphertext: string;
};

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

export type TotpParameters = {
  algorithm: TotpAlgorithm;
  digits: number;
  period: number;
};
