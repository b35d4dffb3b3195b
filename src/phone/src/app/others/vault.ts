import { effect, signal } from '@preact/signals';
import { fromBase32, toBase32 } from '../../core/base32';
import { fromUtf8, random, utf8 } from '../../core/bytes';
import { importKey, makeKey, open, seal, unlockKey } from '../../core/box';
import { type OtherAccount, same } from '../../core/other';
import { totpKey } from '../../core/totp';
import * as passkey from '../../platform/passkey';
import { keep, note, persist } from '../../platform/store';
import { alone, type Guard, read, type Vault, write } from '../../platform/vault';
import { accounts, locked, others, othersLost, released } from '../state';
import { lockAfter } from '../watch';

// Other accounts at rest: docs/security/other-accounts.md says who can read what.

/** An account as it is kept. */
export type Kept = OtherAccount & { id: string };
/** An account as it is shown: its secret is in the key, and cannot be read out of it. */
export type Entry = Omit<Kept, 'secret'> & { key: CryptoKey };

/** `null` while they are locked. */
export const entries = signal<Entry[] | null>([]);
/** `null` when nothing is kept. */
export const guarded = signal<Guard['kind'] | null>(null);

const labels = { key: 'portvakt/others/v1/key', list: 'portvakt/others/v1/list' };

type Opening = Omit<Vault, 'list'>;
let vault: Vault | Opening | undefined;
let listKey: CryptoKey | null = null;

const pack = async (kept: Kept[]): Promise<Vault['list']> =>
  seal(listKey!, labels.list, utf8(JSON.stringify(kept.map(({ secret, ...rest }) => ({ ...rest, secret: toBase32(secret) })))));
const unpack = async ({ list }: Vault): Promise<Kept[]> =>
  (JSON.parse(fromUtf8(await open(listKey!, labels.list, list))) as (Omit<Kept, 'secret'> & { secret: string })[])
    .map(({ secret, ...rest }) => ({ ...rest, secret: fromBase32(secret)! }));

async function show(kept: Kept[]): Promise<void> {
  entries.value = await Promise.all(kept.map(async ({ secret, ...rest }) => ({ ...rest, key: await totpKey(secret, rest.algorithm) })));
}

function found(now: Vault | undefined): void {
  vault = now;
  if (!now) listKey = null;
  guarded.value = now?.guard.kind ?? null;
  others.value = now !== undefined;
  keep('others', now ? '1' : null);
}

async function openWith(key: CryptoKey, now: Vault): Promise<void> {
  const raw = await open(key, labels.key, now.key);
  listKey = await importKey(raw);
  raw.fill(0);
  await show(await unpack(now));
}

/** Reads what is kept, and opens it where nobody has to be asked. */
export const load = (): Promise<void> => alone(async () => {
  const now = await read();
  if (!now && vault && !('list' in vault)) return; // The first account is about to be written.
  if (!now && note('others') !== null) othersLost.value = true;
  found(now);
  if (!now) entries.value = [];
  else if (now.guard.kind === 'device') await openWith(now.guard.key, now);
  else if (listKey) await show(await unpack(now).catch(() => { lock(); return []; }));
  if (listKey === null && now?.guard.kind === 'unlock') {
    entries.value = null;
    await take();
  }
});

/** What the app's own lock has just released. */
async function take(): Promise<void> {
  const unlocked = released.value;
  released.value = null;
  await openBy(unlocked);
}

/** Opens them with what an unlock has released, if it is theirs. */
async function openBy(unlocked: passkey.Unlocked | null): Promise<void> {
  if (!unlocked?.secret || !vault || !('list' in vault) || vault.guard.kind !== 'unlock' || vault.guard.credentialId !== unlocked.credentialId) return;
  await openWith(await unlockKey(unlocked.secret, vault.guard.salt), vault).catch(() => undefined); // They stay locked, with a button.
}

/** The key is forgotten; without the phone's unlock nothing can be read from here on. */
export function lock(): void {
  if (vault?.guard.kind !== 'unlock') return;
  listKey = null;
  entries.value = 'list' in vault ? null : [];
}

/** Must be the first thing a tap does. Rejects when the person says no, or the passkey releases another key. */
export async function unlock(): Promise<void> {
  if (!vault || !('list' in vault) || vault.guard.kind !== 'unlock') return;
  const { relyingParty, credentialId, salt } = vault.guard;
  const unlocked = await passkey.unlock(relyingParty, [credentialId]);
  if (!unlocked?.secret) throw new Error('nothing was released');
  await openWith(await unlockKey(unlocked.secret, salt), vault);
}

/** The app's passkeys at one server; `able`: only those that have said they can release a key. */
function passkeys(able: boolean): { relyingParty: string; ids: string[] } | null {
  const all = accounts.value.flatMap(({ bound: { unlock: way, relyingParty } }) =>
    way.kind === 'passkey' && (!able || way.prf === true) ? [{ relyingParty, id: way.credentialId }] : []);
  const relyingParty = all[0]?.relyingParty;
  return relyingParty === undefined ? null : { relyingParty, ids: all.filter(one => one.relyingParty === relyingParty).map(({ id }) => id) };
}

/** On a phone whose own unlock the app cannot use, the PIN of the work account says who it is. */
export const onlyPin = (): boolean => accounts.value.length > 0 && passkeys(false) === null;

export const canProtect = (): boolean => guarded.value === 'device' && passkeys(false) !== null;

async function begin(guard: Guard, key: CryptoKey): Promise<Opening> {
  const raw = random(32);
  const opening: Opening = { v: 1, guard, key: await seal(key, labels.key, raw) };
  listKey = await importKey(raw);
  raw.fill(0);
  return opening;
}

async function beginBy(relyingParty: string, { credentialId, secret }: passkey.Unlocked & { secret: NonNullable<passkey.Unlocked['secret']> }): Promise<Opening> {
  const salt = random(32);
  return begin({ kind: 'unlock', relyingParty, credentialId, salt }, await unlockKey(secret, salt));
}

/** The key to write with. Must be the first thing a tap does: the phone's unlock may be asked for. Rejects when the person says no. */
export async function ready(): Promise<void> {
  if (listKey) return;
  if (vault && 'list' in vault) return unlock();
  const able = passkeys(true);
  if (able) {
    const unlocked = await passkey.unlock(able.relyingParty, able.ids);
    if (!unlocked) throw new Error('nobody was found');
    if (unlocked.secret) {
      vault = await beginBy(able.relyingParty, { ...unlocked, secret: unlocked.secret });
      return;
    }
  }
  const key = await makeKey();
  vault = await begin({ kind: 'device', key }, key);
}

/** The only way to change what is kept: all of it is read, changed and written, or nothing is. */
export async function change(edit: (kept: Kept[]) => Kept[]): Promise<void> {
  await ready();
  await alone(async () => {
    const now = await read();
    const kept = edit(now ? await unpack(now) : []);
    const next = kept.length > 0 ? { ...(now ?? vault!), list: await pack(kept) } : undefined;
    await write(next);
    found(next);
    await show(kept);
  });
}

/** Takes accounts in; answers with those that are here already. */
export async function add(news: readonly OtherAccount[]): Promise<OtherAccount[]> {
  let doubles: OtherAccount[] = [];
  await change(kept => {
    const all = [...kept];
    doubles = news.filter(one => {
      const double = all.some(other => same(one, other));
      if (!double) all.push({ ...one, id: crypto.randomUUID() });
      return double;
    });
    return all;
  });
  void persist();
  return doubles;
}

/** From the browser's key to the phone's unlock, with a new key for the list: the old one may linger in the browser's files. */
export async function protect(): Promise<boolean> {
  const { relyingParty, ids } = passkeys(false)!;
  const unlocked = await passkey.unlock(relyingParty, ids);
  if (!unlocked?.secret) return false;
  const secret = unlocked.secret;
  await alone(async () => {
    const now = await read();
    if (!now || now.guard.kind !== 'device') return;
    const kept = await unpack(now);
    const next = { ...await beginBy(relyingParty, { ...unlocked, secret }), list: await pack(kept) };
    await write(next);
    found(next);
  });
  return true;
}

/** All of them with their secrets, for whoever has just unlocked the phone once more. Must be the first thing a tap does. */
export async function secrets(): Promise<Kept[]> {
  const guard = vault?.guard;
  const mine = guard?.kind === 'unlock' ? { relyingParty: guard.relyingParty, ids: [guard.credentialId] } : passkeys(false);
  if (mine && !await passkey.unlock(mine.relyingParty, mine.ids)) throw new Error('nobody was found');
  const now = await read();
  return now ? unpack(now) : [];
}

/** All of them with their secrets, for whoever has just unlocked the phone, and released their key by it where it is theirs; `null` when they stay locked. */
export async function opened(unlocked: passkey.Unlocked | null): Promise<Kept[] | null> {
  if (!listKey) await openBy(unlocked);
  const now = await read();
  return now && listKey ? unpack(now) : null;
}

export async function wipe(): Promise<void> {
  await alone(() => write(undefined));
  found(undefined);
  entries.value = [];
}

// In the background for some minutes, or the whole app locked: the key goes. Opened in two windows: each sees what the other did.
let hiddenAt = 0;
let leaving: ReturnType<typeof setTimeout> | undefined;
document.addEventListener('visibilitychange', () => {
  clearTimeout(leaving);
  if (document.visibilityState === 'hidden') {
    hiddenAt = Date.now();
    leaving = setTimeout(lock, lockAfter);
    return;
  }
  if (Date.now() - hiddenAt > lockAfter) lock();
  void load();
});
effect(() => { if (locked.value) lock(); });
effect(() => { if (released.value && entries.peek() === null) void take(); });
