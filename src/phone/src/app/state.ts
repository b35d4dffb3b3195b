import { computed, signal } from '@preact/signals';
import type { Bytes } from '../core/bytes';
import type { Question } from '../core/statement';
import type { Assertion, BeginAnswer, Purpose, PushSubscriptionKeys, RebindAnswer } from '../generated/contract';
import type { Key } from '../generated/words';
import type { NewDeviceKey } from '../platform/keys';
import type { NewPasskey, Unlocked } from '../platform/passkey';
import type { PushState } from '../platform/push';
import { type Account, note } from '../platform/store';
import type { OthersScreen } from './others/screens';

/** Which kind of account the camera was turned on for; what it then sees decides. */
export type Adding = 'work' | 'other';

/** A text for the person, with what fills its gaps. */
export type Say = { key: Key; values?: (string | number)[] };

/** What one binding gathers on its way, in the order of docs/protocol.md, section 2. */
export type Binding = {
  code: string;
  /** Of other accounts that come along; see core/luggage.ts. */
  luggage: string | null;
  device: NewDeviceKey;
  begin: BeginAnswer;
  enrolChallenge: Bytes;
  unlock: 'passkey' | 'pin' | 'none';
  passkey?: NewPasskey;
  pin?: { key: CryptoKey; value: string; pin: string };
  push?: PushSubscriptionKeys | null;
};

/** All that must be there before the tap that asks the passkey. */
export type Ready = { device: NewDeviceKey; begin: RebindAnswer; challenge: Bytes };

/** What a passkey has signed to bring an account back. `synced`: it may be on other devices as well. */
export type Proof = { ready: Ready; assertion: Assertion; synced: boolean; prf: boolean };

export type Ending = 'approved' | 'denied' | 'reported' | 'wrong-number' | 'expired' | 'answered' | 'nothing';

export type Screen =
  | { at: 'consent' }
  | { at: 'home' }
  | { at: 'kind' }
  | { at: 'method' }
  | { at: 'camera'; adding: Adding }
  | { at: 'scan'; adding: Adding }
  | { at: 'type'; error?: Say; code?: string }
  | { at: 'working'; text: Key }
  | { at: 'confirm'; binding: Binding; error?: Say }
  | { at: 'pin'; binding: Binding }
  | { at: 'notify'; binding: Binding }
  | { at: 'problem'; say: Say; again: Screen }
  /** `then`: what the request had interrupted. */
  | { at: 'ended'; ending: Ending; application: string; purpose: Purpose; then: Screen }
  | { at: 'account'; id: string }
  /** `from`: where back leads. */
  | { at: 'others'; show: OthersScreen; from?: Screen }
  /** The account is gone from here, and its passkey may not be. */
  | { at: 'evicted'; error?: Say }
  /** `proof`: not sent yet; it is `null` once the server has seen it, for it counts once. */
  | { at: 'password'; ready: Ready; credentialId: string; proof: Proof | null; error?: Say }
  | { at: 'ways'; helpdesk: string | null }
  | { at: 'move' }
  | { at: 'settings' }
  | { at: 'privacy' }
  | { at: 'unsupported' };

export const screen = signal<Screen>({ at: 'home' });
export const accounts = signal<Account[]>([]);
/** Whether accounts of other services are kept here as well; what they are is known to ./others alone. */
export const others = signal(note('others') !== null);
/** The question on the screen, whoever else may be waiting. */
export const request = signal<{ account: Account; question: Question } | null>(null);
export const locked = signal(false);
/** What the app's lock released, until ./others has taken it. */
export const released = signal<Unlocked | null>(null);
/** Ticks once a second, by the server's clock. */
export const now = signal(0);
export const push = signal<PushState>('unsupported');
/** How many accounts are gone although this browser remembers them. */
export const lost = signal(0);
/** One of them has just come back. */
export const restored = signal(false);
/** The accounts of others are gone, and nothing but their owner's file brings them back. */
export const othersLost = signal(false);
export const outdated = signal(false);
export const justAdded = signal<string | null>(null);
/** Said to screen readers when it changes. */
export const said = signal('');

/** The accounts the server asks. */
export const asked = computed(() => accounts.value.filter(account => account.bound.dead === null));

/** Where the browser's back button leads. */
function parent(from: Screen): Screen | null {
  switch (from.at) {
    case 'home': case 'consent': case 'working': case 'unsupported': return null;
    case 'method': return accounts.value.length > 0 || others.value ? { at: 'kind' } : { at: 'home' };
    case 'camera': case 'scan': return from.adding === 'work' ? { at: 'method' } : { at: 'others', show: { at: 'method' } };
    case 'type': return { at: 'method' };
    case 'move': return accounts.value.some(account => account.moving) ? null : { at: 'home' };
    case 'others': return from.from ?? { at: 'home' };
    default: return { at: 'home' };
  }
}

let deep = false;

/** A request has ended; afterwards the journey goes on where it was. */
export function showEnding(ending: Ending, question: Question | null): void {
  const interrupted = screen.value;
  go({
    at: 'ended', ending, application: question?.context.application ?? '', purpose: question?.context.purpose ?? 'sign-in',
    then: interrupted.at === 'ended' ? { at: 'home' } : interrupted,
  });
}

export function go(to: Screen): void {
  screen.value = to;
  const leads = parent(to) !== null;
  if (leads && !deep) history.pushState(null, '', location.pathname);
  deep = leads;
}

export function back(): void {
  go(parent(screen.value) ?? screen.value);
}

addEventListener('popstate', () => {
  deep = false;
  back();
});
