import type { TotpAlgorithm } from '../generated/contract';
import type { NewDeviceKey } from './keys';

/** What makes an account answer sign-ins: its own device key and its own unlock. */
export type Bound = {
  audience: string;
  authenticatorId: string;
  kid: string;
  /** Not extractable: the key can sign here, and be nowhere else. */
  key: CryptoKey;
  relyingParty: string;
  vapidPublicKey: string;
  /** `prf`: the passkey can release a key as well. */
  unlock: { kind: 'passkey'; credentialId: string; prf?: boolean } | { kind: 'pin'; key: CryptoKey; check: PinCheck };
  /** Why the server no longer listens to this phone, once it has said so. */
  dead: 'unknown-phone' | 'pin-locked' | null;
};

/** See {@link file://./pin.ts}. */
export type PinCheck = { salt: Uint8Array<ArrayBuffer>; hash: Uint8Array<ArrayBuffer> };

export type Account = {
  id: string;
  added: number;
  issuer: string;
  name: string;
  totp: { key: CryptoKey; algorithm: TotpAlgorithm; digits: number; period: number };
  bound: Bound;
  /** On its way from another phone, and of no use before its number was typed there; with the key of what comes along, where the picture had one. */
  moving?: { luggage: CryptoKey | null };
};

let database: Promise<IDBDatabase> | undefined;

export const done = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

function open(): Promise<IDBDatabase> {
  return database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('portvakt', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('accounts', { keyPath: 'id' });
      request.result.createObjectStore('device-key');
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

type Shelf = 'accounts' | 'device-key';
const shelf = async (name: Shelf, mode: IDBTransactionMode): Promise<IDBObjectStore> =>
  (await open()).transaction(name, mode).objectStore(name);

/** Rejects where the browser keeps nothing (Lockdown Mode, some private windows). */
export const all = async (): Promise<Account[]> =>
  (await done<Account[]>((await shelf('accounts', 'readonly')).getAll())).sort((a, b) => a.added - b.added);

async function write(name: Shelf, change: (store: IDBObjectStore) => void): Promise<void> {
  const store = await shelf(name, 'readwrite');
  change(store);
  // The transaction, not the request: what is answered as kept must be kept.
  await new Promise<void>((resolve, reject) => {
    store.transaction.oncomplete = () => resolve();
    store.transaction.onabort = () => reject(store.transaction.error);
  });
}

export const put = (account: Account): Promise<void> => write('accounts', store => store.put(account));
export const remove = (id: string): Promise<void> => write('accounts', store => store.delete(id));

/** The device key that waits for an account. A reload must find the same one: a code shown by two keys is void. */
export const waitingKey = async (): Promise<NewDeviceKey | undefined> =>
  done<NewDeviceKey | undefined>((await shelf('device-key', 'readonly')).get('next'));
export const keepKey = (key: NewDeviceKey): Promise<void> => write('device-key', store => store.put(key, 'next'));
export const dropKey = (): Promise<void> => write('device-key', store => store.delete('next'));

/** Asks the browser not to clear the keys when space runs out. */
export async function persist(): Promise<boolean> {
  try {
    return await navigator.storage.persisted() || await navigator.storage.persist();
  } catch {
    return false; // An old browser without the interface keeps what it keeps.
  }
}

type Note = 'lang' | 'installed' | 'consent' | 'code' | 'nonce' | 'hidden-at' | 'accounts' | 'quiet' | 'pin-wait' | 'others' | 'moving';

/** Small things that are no secret. `null` also where the browser keeps nothing. */
export function note(name: Note): string | null {
  try {
    return localStorage.getItem(`portvakt.${name}`);
  } catch {
    return null; // A browser that refuses storage still shows its text.
  }
}

export function keep(name: Note, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`portvakt.${name}`);
    else localStorage.setItem(`portvakt.${name}`, value);
  } catch {
    // As above: nothing here is needed for safety.
  }
}
