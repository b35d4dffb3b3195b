import { b64u, fromB64u } from '../core/bytes';
import { consentVersion, version } from '../core/product';
import { rebindChallenge, rebindingMessage } from '../core/rebinding';
import type { FinishAnswer, RebindAnswer } from '../generated/contract';
import { call, type Failure, time } from '../platform/api';
import { deviceName } from '../platform/device';
import * as keys from '../platform/keys';
import * as passkey from '../platform/passkey';
import * as push from '../platform/push';
import { keep } from '../platform/store';
import { settle } from './bind';
import { go, type Proof, type Ready, restored, type Say } from './state';

/** Before the end of the challenge, so that it does not end between the tap and the server. */
const margin = 15;
export const isOver = ({ begin }: Ready): boolean => time.now() > begin.expiresAt - margin;

/** Everything that the tap needs: Safari forgets a tap that has waited. */
export async function prepare(): Promise<Ready | Say> {
  const device = await keys.makeDeviceKey();
  const reply = await call<RebindAnswer>(null, 'POST', 'rebind/begin', { kid: device.kid });
  return reply.ok ? { device, begin: reply.value, challenge: await rebindChallenge(fromB64u(reply.value.challenge), device.kid) } : explain(reply.failure);
}

/** Must be the first thing a tap does. `known`: which passkey it was; without it the phone shows those it has. Rejects when there is none, or the person says no. */
async function sign(ready: Ready, known: string | null): Promise<Proof> {
  const credential = await navigator.credentials.get({
    publicKey: {
      challenge: ready.challenge,
      rpId: ready.begin.relyingParty.id,
      allowCredentials: known === null ? [] : [{ type: 'public-key', id: fromB64u(known) }],
      userVerification: 'required',
      hints: ['client-device'], // not the passkey of another phone, over the air
      extensions: passkey.release,
      timeout: 120_000,
    } as PublicKeyCredentialRequestOptions,
  }) as PublicKeyCredential;
  const assertion = passkey.read(credential);
  return {
    ready,
    assertion,
    synced: (fromB64u(assertion.authenticatorData)[32]! & 0x08) !== 0, // flag BE, WebAuthn section 6.1
    prf: credential.getClientExtensionResults().prf?.results?.first !== undefined,
  };
}

/** Straight from the tap. */
export async function getBack(ready: Ready): Promise<void> {
  const signing = sign(ready, null);
  go({ at: 'working', text: 'OneMoment' });
  let proof: Proof;
  try {
    proof = await signing;
  } catch {
    return go({ at: 'evicted', error: { key: 'EvictedCancelled' } });
  }
  if (proof.synced) go({ at: 'password', ready, credentialId: proof.assertion.credentialId, proof });
  else await finish(proof, null);
}

/** Straight from the tap: what the server has seen counts no more, so the passkey signs again. */
export async function withPassword(ready: Ready, credentialId: string, proof: Proof | null, password: string): Promise<void> {
  const signing = proof ? null : sign(ready, credentialId);
  go({ at: 'working', text: 'OneMoment' });
  try {
    await finish(proof ?? await signing!, password);
  } catch {
    go({ at: 'password', ready, credentialId, proof: null, error: { key: 'UnlockCancelled' } });
  }
}

async function finish(proof: Proof, password: string | null): Promise<void> {
  go({ at: 'working', text: 'Activating' });
  const failure = await send(proof, password);
  if (!failure) return;
  const error = explain(failure);
  if (failure.code === 'password') go({ at: 'password', ready: proof.ready, credentialId: proof.assertion.credentialId, proof: null, error });
  else go({ at: 'evicted', error });
}

async function send({ ready: { device, begin }, assertion, prf }: Proof, password: string | null): Promise<Failure | null> {
  const [subscription, seedKey] = await Promise.all([push.state() === 'allowed' ? push.subscribe(begin.vapidPublicKey) : null, keys.makeSeedKey()]);
  const jws = await rebindingMessage(device.key, device.jwk, {
    aud: begin.audience, challenge: begin.challenge, kid: device.kid, assertion, push: subscription,
    seedKey: b64u(seedKey.publicKey), consent: consentVersion, app: version, device: deviceName(),
  });
  const reply = await call<FinishAnswer>(null, 'POST', 'rebind/finish', { jws, password });
  if (!reply.ok) return reply.failure;
  keep('consent', consentVersion);
  restored.value = true;
  await settle(reply.value, begin, device, seedKey.privateKey, { kind: 'passkey', credentialId: assertion.credentialId, prf });
  return null;
}

function explain({ code }: Failure): Say {
  switch (code) {
    case 'password': return { key: 'EvictedPasswordWrong' };
    case 'expired': return { key: 'EvictedTooLate' };
    case 'rebinding': return { key: 'EvictedRefused' };
    case 'phone-removed': return { key: 'EvictedRemoved' };
    case 'account-closed': return { key: 'EvictedClosed' };
    case 'other-way': return { key: 'EvictedOtherWay' };
    case 'slow-down': return { key: 'SlowDown' };
    case 'network': return { key: 'NoNetwork' };
    default: return { key: 'ServerTrouble' };
  }
}
