import type { Box } from '../core/box';
import type { Bytes } from '../core/bytes';
import { done } from './store';

/** What the key of the accounts lies under: a key that only this browser can use, or one that a passkey of the app releases. */
export type Guard =
  | { kind: 'device'; key: CryptoKey }
  | { kind: 'unlock'; relyingParty: string; credentialId: string; salt: Bytes };

/** All accounts in one box, so that not even their number can be seen; `key` is the box with the key of `list`. */
export type Vault = { v: 1; guard: Guard; key: Box; list: Box };

let database: Promise<IDBDatabase> | undefined;

async function shelf(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('portvakt-others', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('vault');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return (await database).transaction('vault', mode).objectStore('vault');
}

export const read = async (): Promise<Vault | undefined> => done<Vault | undefined>((await shelf('readonly')).get('vault'));

/** All or nothing: what was there before stays until the new is written. */
export async function write(vault: Vault | undefined): Promise<void> {
  const store = await shelf('readwrite');
  if (vault) store.put(vault, 'vault');
  else store.clear();
  await new Promise<void>((resolve, reject) => {
    store.transaction.oncomplete = () => resolve();
    store.transaction.onabort = () => reject(store.transaction.error);
  });
}

/** The app may be open twice, in the browser and from the home screen: one of them at a time changes what is kept. */
export const alone = <T>(work: () => Promise<T>): Promise<T> => navigator.locks.request('portvakt-others', work) as Promise<T>;
