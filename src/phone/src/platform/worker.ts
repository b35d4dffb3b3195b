import { handover, type WorkerMessage } from '../worker/messages';

declare global {
  interface Window {
    trustedTypes?: { createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string } };
  }
}

const address = '/phone/sw.js';

let waiting: ServiceWorker | null = null;

/**
 * Starts the service worker. `opened` is told the id of a request that a notification opened, `newer` that a newer version
 * waits for {@link welcomeUpdate}, `replaced` that it has taken over.
 */
export async function start(opened: (id: string) => void, newer: () => void, replaced: () => void): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const { serviceWorker } = navigator;
  // The only script address of the app that is not in its HTML, and it is always the same.
  const policy = window.trustedTypes?.createPolicy('portvakt', { createScriptURL: () => address });
  serviceWorker.addEventListener('message', event => {
    const message = event.data as WorkerMessage;
    if (message.type === 'open') opened(message.id);
  });
  if (serviceWorker.controller) serviceWorker.addEventListener('controllerchange', replaced, { once: true });
  try {
    const registration = await serviceWorker.register(policy?.createScriptURL(address) ?? address, { scope: '/phone/', updateViaCache: 'none' });
    const ready = (worker: ServiceWorker) => {
      if (!serviceWorker.controller) return;
      waiting = worker;
      newer();
    };
    const watch = (worker: ServiceWorker | null) => worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed') ready(worker);
    });
    if (registration.waiting) ready(registration.waiting);
    watch(registration.installing);
    registration.addEventListener('updatefound', () => watch(registration.installing));
  } catch {
    // Without it the app still approves and shows codes; it only needs the network to start.
  }
}

/** Lets a newer version take over; called when nothing is open that it could tear away. */
export function welcomeUpdate(): void {
  waiting?.postMessage({ type: 'activate' });
  waiting = null;
}

export async function lookForUpdate(): Promise<void> {
  await (await navigator.serviceWorker?.getRegistration('/phone/'))?.update().catch(() => undefined);
}

/** The request a notification was about, if the worker's message found nobody at home. */
export async function leftBehind(): Promise<string | null> {
  try {
    const cache = await caches.open(handover.cache);
    const answer = await cache.match(handover.key);
    await cache.delete(handover.key);
    return answer ? await answer.text() : null;
  } catch {
    return null; // No Cache Storage: the app asks the server anyway.
  }
}
