import { type Caller, send } from './api';

/** The server pings every 15 s; a phone's socket may die without a word. */
const silence = 40_000;

/** Follows the server's events while the app is visible, and calls `changed` whenever something may have. Returns the stop. */
export function follow(caller: Caller, changed: () => void, path = 'events'): () => void {
  const stopped = new AbortController();
  const pause = (milliseconds: number) => new Promise<void>(resolve => {
    const timer = setTimeout(resolve, milliseconds);
    stopped.signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });

  void (async () => {
    for (let wait = 1000; !stopped.signal.aborted; wait = Math.min(wait * 2, 30_000)) {
      const attempt = new AbortController();
      const end = () => attempt.abort();
      stopped.signal.addEventListener('abort', end, { once: true });
      let watchdog = setTimeout(end, silence);
      const reply = await send(caller, 'GET', path, undefined, attempt.signal);
      if (reply.ok && reply.value.body) {
        // What happened while nobody listened must be asked for.
        changed();
        const reader = reply.value.body.pipeThrough(new TextDecoderStream()).getReader();
        try {
          let line = '';
          for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            clearTimeout(watchdog);
            watchdog = setTimeout(end, silence);
            wait = 1000;
            line += value;
            if (/^data:/m.test(line)) changed();
            line = line.slice(line.lastIndexOf('\n') + 1);
          }
        } catch {
          // Cut off; a new stream is opened below.
        }
      } else if (!reply.ok && reply.failure.code === 'unknown-phone') {
        changed();
        return;
      }
      clearTimeout(watchdog);
      stopped.signal.removeEventListener('abort', end);
      await pause(wait);
    }
  })();
  return () => stopped.abort();
}
