import { b64u, fromB64u } from '../core/bytes';
import type { PushSubscriptionKeys } from '../generated/contract';

/** `unsupported` also on an iPhone whose app is not on the Home Screen: there the interface is absent. */
export type PushState = 'unsupported' | 'ask' | 'refused' | 'allowed';

export function state(): PushState {
  if (!('PushManager' in window) || !('Notification' in window) || !('serviceWorker' in navigator)) return 'unsupported';
  return ({ default: 'ask', denied: 'refused', granted: 'allowed' } as const)[Notification.permission];
}

/** Must follow a tap. */
export const ask = async (): Promise<boolean> => await Notification.requestPermission() === 'granted';

function keys(subscription: PushSubscription): PushSubscriptionKeys | null {
  const p256dh = subscription.getKey('p256dh');
  const auth = subscription.getKey('auth');
  return p256dh && auth ? { endpoint: subscription.endpoint, p256dh: b64u(p256dh), auth: b64u(auth) } : null;
}

/** Some browsers neither subscribe nor fail when their push service cannot be reached; then the app goes on without. */
const patience = 10_000;
const limited = <T>(work: Promise<T>): Promise<T | null> =>
  Promise.race([work.catch(() => null), new Promise<null>(resolve => setTimeout(resolve, patience, null))]);

export async function current(): Promise<PushSubscriptionKeys | null> {
  if (state() !== 'allowed') return null;
  const subscription = await limited(navigator.serviceWorker.ready.then(worker => worker.pushManager.getSubscription()));
  return subscription && keys(subscription);
}

export async function subscribe(vapidPublicKey: string, renew = false): Promise<PushSubscriptionKeys | null> {
  if (state() !== 'allowed') return null;
  const subscription = await limited((async () => {
    const { pushManager } = await navigator.serviceWorker.ready;
    const old = await pushManager.getSubscription();
    if (old) {
      const sameKey = old.options.applicationServerKey && b64u(old.options.applicationServerKey) === vapidPublicKey;
      if (sameKey && !renew) return old;
      await old.unsubscribe();
    }
    return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: fromB64u(vapidPublicKey) });
  })());
  return subscription && keys(subscription);
}
