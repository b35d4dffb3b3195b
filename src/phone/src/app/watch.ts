import { readQuestion } from '../core/statement';
import { atLeast } from '../core/version';
import { version } from '../core/product';
import type { PendingAnswer, ReportAnswer } from '../generated/contract';
import { type Caller, call, type Failure, reached, time } from '../platform/api';
import { badge } from '../platform/badge';
import { follow } from '../platform/live';
import * as push from '../platform/push';
import { all, type Account, keep, note, persist, put, remove } from '../platform/store';
import { lookForUpdate, welcomeUpdate } from '../platform/worker';
import { accounts, asked, locked, lost, now, outdated, push as pushState, released, request, screen, showEnding } from './state';

export const caller = ({ bound: { audience, kid, key } }: Account): Caller => ({ audience, kid, key });

/** Requests that are over for this phone: push, stream and question may all bring them again. */
const over = new Set<string>();

const hint = '__Host-portvakt-app=';

/** The browser may lose the keys and keep this note, or a cookie of the server's, or the other way round: signs that something was here, and no more. */
export function remember(): void {
  const held = accounts.value.length + lost.value;
  keep('accounts', held > 0 ? String(held) : null);
  if (held === 0) document.cookie = `${hint}; Max-Age=0; Path=/; Secure; SameSite=Strict`;
}

/** Rejects where nothing can be kept, or what was kept cannot be opened; then all of it counts as lost. */
export async function load(): Promise<void> {
  lost.value = Number(note('accounts') ?? document.cookie.includes(hint));
  accounts.value = await all();
  lost.value = Math.max(0, lost.value - accounts.value.length);
}

export async function save(account: Account): Promise<void> {
  if (!accounts.value.some(one => one.id === account.id)) return; // An answer that came late brings nothing back.
  await put(account);
  accounts.value = accounts.value.map(one => one.id === account.id ? account : one);
}

export async function forget(id: string): Promise<void> {
  const account = accounts.value.find(one => one.id === id);
  // Told the server first, so that it stops asking; without a network the account goes all the same.
  if (account?.bound.dead === null) await call(caller(account), 'POST', 'remove', {});
  await drop(id);
}

/** Goes from this phone alone: its key with it. */
export async function drop(id: string): Promise<void> {
  accounts.value = accounts.value.filter(one => one.id !== id);
  await remove(id);
  remember();
  watch();
}

/** The server has said that this phone is nobody; the account stays, and says so. */
export async function bury(account: Account, { code }: Failure): Promise<boolean> {
  if (code !== 'unknown-phone' && code !== 'pin-locked') return false;
  await save({ ...account, bound: { ...account.bound, dead: code } });
  return true;
}

function minimum(app: string): void {
  outdated.value = !atLeast(version, app);
  if (outdated.value) void lookForUpdate();
}

let asking: Promise<void> | null = null;
let askAgain = false;

/** Asks for each account whether something waits; many causes at once make one question, and one more after it. */
export function check(opened: Promise<string | null> = Promise.resolve(null)): Promise<void> {
  if (asking) {
    askAgain = true;
    return asking;
  }
  return asking = (async () => {
    do {
      askAgain = false;
      await Promise.all(asked.value.map(ask));
    } while (askAgain);
    const id = await opened;
    if (id && !over.has(id) && !request.value && reached.value && screen.value.at === 'home') {
      showEnding('nothing', null);
    }
  })().finally(() => { asking = null; });
}

async function ask(account: Account): Promise<void> {
  const reply = await call<PendingAnswer>(caller(account), 'GET', 'pending');
  if (!reply.ok) {
    await bury(account, reply.failure);
    return;
  }
  tick();
  minimum(reply.value.minimumApp);
  const waiting = reply.value.request;
  const shown = request.value;
  if (shown?.account.id === account.id && shown.question.context.id !== waiting?.id && !answering) {
    // The server has let go of it (a new one, or it was stopped on the computer).
    close();
    if (!waiting) showEnding(shown.question.context.exp <= time.now() ? 'expired' : 'nothing', shown.question);
  }
  if (!waiting || over.has(waiting.id) || request.value) return;
  const question = await readQuestion(waiting, account.bound.audience);
  if (!question || question.context.exp <= time.now() || request.value) return;
  request.value = { account, question };
  badge(true);
}

let answering = false;
export const holdStill = (still: boolean): void => { answering = still; };

/** The question leaves the screen for good. */
export function close(): void {
  if (request.value) over.add(request.value.question.context.id);
  request.value = null;
  badge(false);
}

let streams: (() => void)[] = [];

/** Follows the server while the app is seen, and asks first: what came before the stream would be missed. */
export function watch(): void {
  for (const stop of streams) stop();
  streams = document.visibilityState === 'visible' ? asked.value.map(account => follow(caller(account), () => void check())) : [];
}

/** Once per start: what the phone has, so that the server knows a dying phone before its owner does. */
export async function report(): Promise<void> {
  const persisted = await persist();
  for (const account of asked.value) {
    const { vapidPublicKey } = account.bound;
    const tell = async (subscription: Awaited<ReturnType<typeof push.current>>) =>
      call<ReportAnswer>(caller(account), 'POST', 'report', { push: subscription, persisted, app: version });
    const reply = await tell(await push.current() ?? await push.subscribe(vapidPublicKey));
    if (!reply.ok) {
      await bury(account, reply.failure);
      continue;
    }
    minimum(reply.value.minimumApp);
    if (reply.value.push === 'renew' && push.state() === 'allowed') await tell(await push.subscribe(vapidPublicKey, true));
  }
}

export function tick(): void {
  now.value = time.now();
}

/** Five minutes out of sight, and the app wants to know who holds it. */
export const lockAfter = 300_000;

export function hidden(): void {
  if (!locked.value) keep('hidden-at', String(Date.now()));
  watch();
  maybeUpdate();
}

export function lockIfAway(): void {
  const since = note('hidden-at');
  if (since === null || Date.now() - Number(since) <= lockAfter || accounts.value.length === 0) return;
  released.value = null;
  locked.value = true;
}

export async function seen(opened: Promise<string | null>): Promise<void> {
  pushState.value = push.state();
  tick();
  await check(opened);
  watch();
  maybeUpdate();
}

/** A newer version may start when nothing is lost by it. */
export const idle = (): boolean => request.value === null && (screen.value.at === 'home' || screen.value.at === 'settings');
export function maybeUpdate(): void {
  if (idle()) welcomeUpdate();
}
