import { type Bytes, b64u, fromB64u, random, utf8 } from '../core/bytes';
import type { Assertion, Attestation, BeginAnswer } from '../generated/contract';

/** Whether this phone has an unlock of its own (face, fingerprint, pattern or PIN) that can speak for its owner. */
export async function available(): Promise<boolean> {
  try {
    return await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable();
  } catch {
    return false; // No WebAuthn at all.
  }
}

/** `prf`: whether it can also release a key (WebAuthn Level 3, section 10.1.4). */
export type NewPasskey = { credentialId: string; attestation: Attestation; prf: boolean };

/** Must be the first thing a tap does: Safari forgets a tap that has waited. Rejects when the person says no. */
export async function create(begin: BeginAnswer, challenge: Bytes): Promise<NewPasskey> {
  const credential = await navigator.credentials.create({
    publicKey: {
      challenge,
      rp: begin.relyingParty,
      user: { id: fromB64u(begin.user.id), name: begin.user.name, displayName: begin.user.displayName },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -257 }],
      authenticatorSelection: { authenticatorAttachment: 'platform', residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      attestation: 'none',
      extensions: { prf: {} },
      timeout: 120_000,
    },
  }) as PublicKeyCredential;
  const { attestationObject, clientDataJSON } = credential.response as AuthenticatorAttestationResponse;
  return {
    credentialId: b64u(credential.rawId),
    attestation: { attestationObject: b64u(attestationObject), clientDataJson: b64u(clientDataJSON) },
    prf: credential.getClientExtensionResults().prf?.enabled === true,
  };
}

/** What the passkey releases where it can (WebAuthn Level 3, section 10.1.4). */
export const release = { prf: { eval: { first: utf8('portvakt/others/v1') } } };

const ask = async (relyingParty: string, credentialIds: string[], challenge: Bytes, extensions: AuthenticationExtensionsClientInputs): Promise<PublicKeyCredential> =>
  await navigator.credentials.get({
    publicKey: {
      challenge,
      rpId: relyingParty,
      allowCredentials: credentialIds.map(id => ({ type: 'public-key', id: fromB64u(id), transports: ['internal'] })),
      userVerification: 'required',
      extensions,
      timeout: 60_000,
    },
  }) as PublicKeyCredential;

/** Asks for the unlock over `challenge`. Must be the first thing a tap does. Rejects when the person says no. */
export const get = async (relyingParty: string, credentialIds: string[], challenge: Bytes): Promise<Assertion> =>
  read(await ask(relyingParty, credentialIds, challenge, {}));

/** An assertion as the server reads it. */
export function read(credential: PublicKeyCredential): Assertion {
  const { authenticatorData, clientDataJSON, signature } = credential.response as AuthenticatorAssertionResponse;
  return {
    credentialId: b64u(credential.rawId),
    authenticatorData: b64u(authenticatorData),
    clientDataJson: b64u(clientDataJSON),
    signature: b64u(signature),
  };
}

/** Who was found, and what their passkey releases where it can: 32 bytes that only the unlock brings out again. */
export type Unlocked = { credentialId: string; secret: Bytes | null };

const releases = { prf: { eval: { first: utf8('portvakt/others/v1') } } };

function unlockedOf(credential: PublicKeyCredential): Unlocked {
  const secret = credential.getClientExtensionResults().prf?.results?.first as ArrayBuffer | undefined;
  return { credentialId: b64u(credential.rawId), secret: secret ? new Uint8Array(secret) : null };
}

/** As {@link get}; the same unlock releases the key of the other accounts. */
export async function getReleasing(relyingParty: string, credentialIds: string[], challenge: Bytes): Promise<{ assertion: Assertion; unlocked: Unlocked }> {
  const credential = await ask(relyingParty, credentialIds, challenge, releases);
  return { assertion: read(credential), unlocked: unlockedOf(credential) };
}

/** The app's own lock: nothing is sent, the phone only has to be sure of its owner (flag UV, WebAuthn section 6.1). `null` when it is not. */
export async function unlock(relyingParty: string, credentialIds: string[]): Promise<Unlocked | null> {
  const credential = await ask(relyingParty, credentialIds, random(32), releases);
  const { authenticatorData } = credential.response as AuthenticatorAssertionResponse;
  return (new Uint8Array(authenticatorData)[32]! & 0x04) !== 0 ? unlockedOf(credential) : null;
}
