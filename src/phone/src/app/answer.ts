import { type Assertion, type Decision, type OutcomeAnswer } from '../generated/contract';
import { answer, prepare, type Prepared } from '../core/statement';
import { call, type Failure, type Reply, time } from '../platform/api';
import * as passkey from '../platform/passkey';
import * as pin from '../platform/pin';
import { type Account } from '../platform/store';
import { type Ending, go, request, type Say, showEnding } from './state';
import { bury, caller, check, close, holdStill } from './watch';

const send = ({ account, question }: NonNullable<typeof request.value>, prepared: Prepared, assertion: Assertion | null, pinValue: string | null):
  Promise<Reply<OutcomeAnswer>> =>
  call<OutcomeAnswer>(caller(account), 'POST', `approvals/${encodeURIComponent(question.context.id)}/answer`, answer(prepared, assertion, pinValue));

function end(ending: Ending): void {
  const question = request.value?.question ?? null;
  close();
  showEnding(ending, question);
  void check();
}

/** What the person is told; `null` when the request has ended and its own screen says so. */
async function settle(account: Account, reply: Reply<OutcomeAnswer>): Promise<Say | null> {
  if (reply.ok) {
    end(reply.value.outcome);
    return null;
  }
  const { failure } = reply;
  switch (failure.code) {
    case 'expired': end('expired'); return null;
    case 'answered': end('answered'); return null;
    case 'unknown-request': end('nothing'); return null;
    case 'pin': return failure.triesLeft === null ? { key: 'PinWrong' } : { key: 'PinWrongLeft', values: [failure.triesLeft] };
    default:
      if (await bury(account, failure)) {
        close();
        go({ at: 'home' });
        return null;
      }
      return sayFailure(failure);
  }
}

const sayFailure = ({ code }: Failure): Say =>
  code === 'network' ? { key: 'NoNetwork' } : code === 'unlock' ? { key: 'UnlockNotProven' } : code === 'slow-down' ? { key: 'SlowDown' } : { key: 'ServerTrouble' };

/** Made as soon as the digits are complete, so that the tap finds everything ready. */
export function prepareApproval(digits: string): Promise<Prepared> {
  const { account, question } = request.value!;
  return prepare(question, 'approve', digits, time.now(), account.bound);
}

/** Straight from the tap: the phone's unlock is the first thing that happens. */
export async function approve(prepared: Prepared): Promise<Say | null> {
  const open = request.value!;
  const { unlock, relyingParty } = open.account.bound;
  if (unlock.kind !== 'passkey') throw new Error('a PIN phone approves with its PIN');
  const unlocking = passkey.get(relyingParty, [unlock.credentialId], prepared.challenge);
  holdStill(true);
  try {
    return await settle(open.account, await send(open, prepared, await unlocking, null));
  } catch {
    return { key: 'UnlockCancelled' };
  } finally {
    holdStill(false);
  }
}

export async function approveWithPin(prepared: Prepared, entered: string): Promise<Say | null> {
  const open = request.value!;
  const { unlock } = open.account.bound;
  if (unlock.kind !== 'pin') throw new Error('this phone approves with its own unlock');
  holdStill(true);
  try {
    return await settle(open.account, await send(open, prepared, null, await pin.value(unlock.key, entered)));
  } finally {
    holdStill(false);
  }
}

/** Saying no is the easiest thing: no unlock, no question back. */
export async function decline(decision: Exclude<Decision, 'approve'>): Promise<Say | null> {
  const open = request.value!;
  holdStill(true);
  try {
    const prepared = await prepare(open.question, decision, null, time.now(), open.account.bound);
    return await settle(open.account, await send(open, prepared, null, null));
  } finally {
    holdStill(false);
  }
}

export function timedOut(): void {
  end('expired');
}
