import { b64u, fromB64u } from '../core/bytes';
import { bindingMessage, openSeed } from '../core/binding';
import { readPicture, readTyped } from '../core/code';
import { enrolChallenge } from '../core/hash';
import { luggageKey } from '../core/luggage';
import { totpKey } from '../core/totp';
import { consentVersion, version } from '../core/product';
import type { BeginAnswer, FinishAnswer } from '../generated/contract';
import { call, type Failure } from '../platform/api';
import { deviceName } from '../platform/device';
import * as keys from '../platform/keys';
import * as passkey from '../platform/passkey';
import * as pin from '../platform/pin';
import * as push from '../platform/push';
import { type Account, type Bound, dropKey, keep, keepKey, persist, put, remove, waitingKey } from '../platform/store';
import { accounts, type Binding, go, justAdded, lost, push as pushState, type Say, type Screen } from './state';
import { keepCode } from './start';
import { remember, watch } from './watch';

/** What the app says about a binding that failed. */
export function explain({ code }: Failure): Say {
  switch (code) {
    case 'unknown-code': return { key: 'CodeUnknown' };
    case 'code-used': return { key: 'CodeUsed' };
    case 'code-used-twice': return { key: 'CodeUsedTwice' };
    case 'code-expired': return { key: 'CodeExpired' };
    case 'slow-down': return { key: 'SlowDown' };
    case 'network': return { key: 'NoNetwork' };
    case 'binding': case 'unlock': return { key: 'BindingRefused' };
    default: return { key: 'ServerTrouble' };
  }
}

/** What a picture turned out to be; answers the text when it is of no use, `null` when the journey goes on. */
export function scanned(text: string): Say | null {
  const picture = readPicture(text);
  if (picture.kind === 'unknown') return { key: 'QrUnknown' };
  if (picture.kind === 'other') {
    go({ at: 'others', show: { at: 'scanned', text: picture.text }, from: { at: 'kind' } });
    return null;
  }
  // A code is a secret of the server that made it; it is not shown to another.
  if (picture.host !== location.host) return { key: 'QrElsewhere', values: [picture.host] };
  void begin(picture.code, { at: 'method' }, picture.key ?? null);
  return null;
}

export function typed(text: string): Say | null {
  const code = readTyped(text);
  if (code === null) return { key: 'CodeMalformed' };
  void begin(code, { at: 'type' }, null);
  return null;
}

/** Presents the code with the device key; the person is asked before anything is bound. */
export async function begin(code: string, again: Screen, luggage: string | null): Promise<void> {
  keepCode(code, luggage);
  go({ at: 'working', text: 'Checking' });
  const device = await waitingKey() ?? await keys.makeDeviceKey();
  await keepKey(device);
  const reply = await call<BeginAnswer>(null, 'POST', 'binding/begin', { code, kid: device.kid });
  if (!reply.ok) {
    if (reply.failure.code !== 'network') keep('code', null);
    const say = explain(reply.failure);
    go(again.at === 'type' ? { ...again, error: say, code } : { at: 'problem', say, again });
    return;
  }
  const answer = reply.value;
  if (answer.moves) await (await import('./move')).ready; // Its words.
  const [hasUnlock, challenge] = await Promise.all([
    passkey.available(), enrolChallenge(fromB64u(answer.challenge), device.kid)]);
  const unlock = hasUnlock && answer.unlock.includes('passkey') ? 'passkey' : answer.unlock.includes('pin') ? 'pin' : 'none';
  go({ at: 'confirm', binding: { code, luggage, device, begin: answer, enrolChallenge: challenge, unlock } });
}

export function refuse(): void {
  keep('code', null);
  go({ at: 'home' });
}

/** Straight from the tap on "yes": the passkey is the first thing that happens. */
export async function accept(binding: Binding): Promise<void> {
  if (binding.unlock === 'none') return go({ at: 'problem', say: { key: 'NoUnlock' }, again: { at: 'home' } });
  if (binding.unlock === 'pin') return go({ at: 'pin', binding });
  const making = passkey.create(binding.begin, binding.enrolChallenge);
  go({ at: 'working', text: 'Activating' });
  try {
    notifications({ ...binding, passkey: await making });
  } catch {
    go({ at: 'confirm', binding, error: { key: 'UnlockRefused' } });
  }
}

export async function choosePin(binding: Binding, chosen: string): Promise<void> {
  const key = await pin.makeKey();
  notifications({ ...binding, pin: { key, value: await pin.value(key, chosen), pin: chosen } });
}

function notifications(binding: Binding): void {
  const state = push.state();
  if (state === 'ask') go({ at: 'notify', binding });
  else void finish(binding, state === 'allowed');
}

export async function allow(binding: Binding, wanted: boolean): Promise<void> {
  const allowed = wanted && await push.ask();
  pushState.value = push.state();
  await finish(binding, allowed);
}

async function finish(binding: Binding, wantsPush: boolean): Promise<void> {
  go({ at: 'working', text: 'Activating' });
  const say = await bind(binding, wantsPush).catch((): Say => ({ key: 'BindingRefused' }));
  if (say) go({ at: 'problem', say, again: { at: 'method' } });
}

async function bind(binding: Binding, wantsPush: boolean): Promise<Say | null> {
  const { begin, device, code } = binding;
  const [subscription, seedKey] = await Promise.all([wantsPush ? push.subscribe(begin.vapidPublicKey) : null, keys.makeSeedKey()]);
  const jws = await bindingMessage(device.key, device.jwk, code, {
    aud: begin.audience, challenge: begin.challenge, kid: device.kid,
    passkey: binding.passkey?.attestation ?? null, pin: binding.pin?.value ?? null, push: subscription,
    seedKey: b64u(seedKey.publicKey), consent: consentVersion, app: version, device: deviceName(),
  });
  const reply = await call<FinishAnswer>(null, 'POST', 'binding/finish', { jws });
  // A key that the server has refused, or has already taken while its answer was lost, is not offered again.
  if (reply.ok || reply.failure.code === 'binding') await dropKey();
  if (!reply.ok) return explain(reply.failure);
  const unlock: Bound['unlock'] = binding.passkey
    ? { kind: 'passkey', credentialId: binding.passkey.credentialId, prf: binding.passkey.prf }
    : { kind: 'pin', key: binding.pin!.key, check: await pin.makeCheck(binding.pin!.key, binding.pin!.pin) };
  const moving = begin.moves ? { luggage: binding.luggage === null ? null : await luggageKey(binding.luggage) } : undefined;
  if (!moving) justAdded.value = reply.value.authenticatorId;
  keep('code', null);
  await settle(reply.value, begin, device, seedKey.privateKey, unlock, moving);
  return null;
}

/** The server counts this phone from now on: its account and its codes are kept. */
export async function settle(
  answer: FinishAnswer, from: Pick<BeginAnswer, 'audience' | 'challenge' | 'relyingParty' | 'vapidPublicKey'>, device: keys.NewDeviceKey, seedKey: CryptoKey, unlock: Bound['unlock'], moving?: Account['moving']): Promise<void> {
  const secret = await openSeed(seedKey, fromB64u(from.challenge), device.kid, answer.seed);
  const account: Account = {
    id: answer.authenticatorId,
    added: Date.now(),
    issuer: answer.organisation,
    name: answer.account,
    totp: { ...answer.totp, key: await totpKey(secret, answer.totp.algorithm) },
    bound: {
      audience: from.audience, authenticatorId: answer.authenticatorId, kid: device.kid, key: device.key,
      relyingParty: from.relyingParty.id, vapidPublicKey: from.vapidPublicKey, unlock, dead: null,
    },
    ...(moving ? { moving } : {}),
  };
  await put(account);
  // One passkey is of one account: what stood here under it before is dead.
  const same = ({ id, bound }: Account) => id === account.id
    || (bound.unlock.kind === 'passkey' && unlock.kind === 'passkey' && bound.unlock.credentialId === unlock.credentialId);
  for (const old of accounts.value.filter(one => same(one) && one.id !== account.id)) await remove(old.id);
  accounts.value = [...accounts.value.filter(one => !same(one)), account];
  lost.value = Math.max(0, lost.value - 1);
  remember();
  void persist();
  watch();
  if (moving) return go({ at: 'move' });
  go({ at: 'home' });
}
