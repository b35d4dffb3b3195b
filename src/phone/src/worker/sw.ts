import { neutralPush } from '../generated/words';
import { handover, type PageMessage } from './messages';
import { kindOf, onNotificationClick, readPush } from './notification';

declare const BUILD: string;
declare const FILES: readonly string[];
type Extendable = Event & { waitUntil(work: Promise<unknown>): void };
/** TypeScript cannot hold the page's and the worker's globals in one project; this is the part of the worker's that is used. */
type Scope = {
  addEventListener(type: string, listener: (event: never) => void): void;
  skipWaiting(): Promise<void>;
  registration: ServiceWorkerRegistration;
  clients: {
    claim(): Promise<void>;
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<(WindowClientLike)[]>;
    openWindow(address: string): Promise<unknown>;
  };
};
type WindowClientLike = { focus(): Promise<unknown>; postMessage(message: unknown): void; visibilityState: string };
const worker = self as unknown as Scope;

const shell = '/phone/';
const cacheName = `portvakt-${BUILD}`;
const files = new Set(FILES);

worker.addEventListener('install', (event: Extendable) => {
  // Past the browser's HTTP cache: the files must be of one build.
  event.waitUntil(caches.open(cacheName).then(cache => cache.addAll(FILES.map(file => new Request(file, { cache: 'reload' })))));
});

worker.addEventListener('activate', (event: Extendable) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('portvakt-') && name !== cacheName && name !== handover.cache) await caches.delete(name);
    }
    await worker.clients.claim();
  })());
});

worker.addEventListener('message', (event: MessageEvent<PageMessage>) => {
  if (event.data.type === 'activate') void worker.skipWaiting();
});

worker.addEventListener('fetch', (event: Event & { request: Request; respondWith(answer: Promise<Response>): void }) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  // What the server says is never kept: the API goes straight to the network.
  if (request.method !== 'GET' || origin !== location.origin || pathname.startsWith('/phone/api/')) return;
  if (pathname === '/phone/get') return; // The install page is a page of the server's.
  const file = request.mode === 'navigate' ? shell : pathname;
  if (!files.has(file)) return;
  event.respondWith(caches.open(cacheName).then(async cache => await cache.match(file) ?? fetch(request)));
});

worker.addEventListener('push', (event: Extendable & { data: { text(): string } | null }) => {
  const language = navigator.language.slice(0, 2);
  const lang = language === 'nn' ? 'nn' : language === 'nb' || language === 'no' ? 'nb' : 'en';
  const { title, options: { id, ...options } } = readPush(event.data?.text() ?? null, { lang, body: neutralPush[lang] });
  // Options the page's types do not know; a new one rings again.
  const more = { ...kindOf(id), renotify: true, icon: '/phone/icon-192.png', badge: '/phone/badge-96.png', data: id };
  event.waitUntil(worker.registration.showNotification(title, { ...options, ...more }));
});

worker.addEventListener('notificationclick', (event: Extendable & { notification: Notification }) => {
  event.notification.close();
  event.waitUntil(caches.open(handover.cache).then(shelf => onNotificationClick(String(event.notification.data ?? ''), {
    matchAll: () => worker.clients.matchAll({ type: 'window', includeUncontrolled: true }),
    openWindow: address => worker.clients.openWindow(address),
  }, shelf)));
});
