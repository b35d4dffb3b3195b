import type { PushMessage } from '../generated/contract';
import { handover, type WorkerMessage } from './messages';

export type Shown = { title: string; options: { body: string; lang: string; id: string } };

/** One notification of each kind at a time: a notice never takes the place of a request, and only a request stays until it is seen to. */
export const kindOf = (id: string) => id === '' ? { tag: 'notice', requireInteraction: false } : { tag: 'request', requireInteraction: true };

/** Every push shows something (a phone that is pushed in silence three times stops listening), so anything unreadable shows the neutral text. */
export function readPush(text: string | null, neutral: { body: string; lang: string }): Shown {
  let message: Partial<PushMessage> = {};
  try {
    message = (JSON.parse(text ?? '{}') ?? {}) as Partial<PushMessage>;
  } catch {
    // The neutral text below.
  }
  const said = message.notification;
  return {
    title: typeof said?.title === 'string' ? said.title : 'Portvakt',
    options: {
      body: typeof said?.body === 'string' ? said.body : neutral.body,
      lang: typeof said?.lang === 'string' ? said.lang : neutral.lang,
      id: typeof message.id === 'string' ? message.id : '',
    },
  };
}

type Page = { focus(): Promise<unknown>; postMessage(message: WorkerMessage): void; visibilityState: string };
type Pages = { matchAll(): Promise<readonly Page[]>; openWindow(address: string): Promise<unknown> };
type Shelf = { put(key: string, value: Response): Promise<void> };

/** Brings the app forward. The id is also left on the shelf: a message to a page that is still waking is lost. */
export async function onNotificationClick(id: string, pages: Pages, shelf: Shelf): Promise<void> {
  if (id !== '') await shelf.put(handover.key, new Response(id)).catch(() => undefined);
  const open = await pages.matchAll();
  const page = open.find(one => one.visibilityState === 'visible') ?? open[0];
  if (!page) {
    await pages.openWindow(id === '' ? '/phone/' : `/phone/#r=${encodeURIComponent(id)}`);
    return;
  }
  page.postMessage({ type: 'open', id });
  await page.focus().catch(() => undefined);
}
