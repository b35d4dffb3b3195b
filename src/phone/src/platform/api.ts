import { signal } from '@preact/signals';
import { clock } from '../core/clock';
import { type DeviceKey, proof } from '../core/proof';
import type { Problem, ProblemCode } from '../generated/contract';
import { keep, note } from './store';

/** The one clock of the app, set by the server's answers. */
export const time = clock();

/** Whether the server was within reach when it was last asked; what the browser believes about its network is worth less. */
export const reached = signal(true);

/** `network`: no answer came. `server`: one came that this app has no name for. */
export type Failure = { code: ProblemCode | 'network' | 'server'; triesLeft: number | null };
export type Reply<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export type Caller = DeviceKey & { audience: string };

const base = '/phone/api/';

/** Cookies mean nothing here; but these answers bring one, and a request without cookies could not take it. */
const leavesHint = /finish|report/;

async function once(caller: Caller | null, method: string, path: string, body: string | null, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = {};
  if (body !== null) headers['Content-Type'] = 'application/json';
  if (caller) {
    headers['Portvakt-Proof'] =
      await proof(caller, method, caller.audience + base + path, time.now(), note('nonce') ?? '', body);
  }
  const response = await fetch(base + path, { method, headers, body, signal, cache: 'no-store', credentials: leavesHint.test(path) ? 'same-origin' : 'omit', redirect: 'error' });
  const nonce = response.headers.get('Portvakt-Nonce');
  if (nonce) keep('nonce', nonce);
  return response;
}

async function failure(response: Response): Promise<Failure> {
  try {
    const problem = await response.json() as Problem;
    return { code: problem.code ?? 'server', triesLeft: problem.triesLeft ?? null };
  } catch {
    return { code: 'server', triesLeft: null }; // A proxy's page in between.
  }
}

/** Sends once, and once more where the server hands out a fresh nonce or the phone's clock turned out to be wrong. */
export async function send(
  caller: Caller | null, method: 'GET' | 'POST', path: string, body: unknown, stop: AbortSignal): Promise<Reply<Response>> {
  const text = body === undefined ? null : JSON.stringify(body);
  for (let attempt = 0; ; attempt++) {
    let response: Response;
    try {
      response = await once(caller, method, path, text, stop);
      reached.value = true;
    } catch {
      if (!stop.aborted || stop.reason?.name === 'TimeoutError') reached.value = false;
      return { ok: false, failure: { code: 'network', triesLeft: null } };
    }
    const clockMoved = time.learn(Date.parse(response.headers.get('Date') ?? '') / 1000);
    if (response.ok) return { ok: true, value: response };
    const found = await failure(response);
    if (attempt > 0 || !(found.code === 'nonce' || (found.code === 'proof' && clockMoved))) return { ok: false, failure: found };
  }
}

export async function call<T>(caller: Caller | null, method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply<T>> {
  const reply = await send(caller, method, path, body, AbortSignal.timeout(20_000));
  if (!reply.ok) return reply;
  try {
    const value = (reply.value.status === 204 ? null : await reply.value.json()) as T;
    const serverTime = (value as { serverTime?: number } | null)?.serverTime;
    if (serverTime !== undefined) time.learn(serverTime);
    return { ok: true, value };
  } catch {
    return { ok: false, failure: { code: 'network', triesLeft: null } }; // Broken off halfway.
  }
}
