import { render } from 'preact';
import { readTyped } from '../core/code';
import { isPhone } from '../platform/device';
import { installed } from '../platform/install';
import * as push from '../platform/push';
import { keep } from '../platform/store';
import { leftBehind, start as startWorker } from '../platform/worker';
import { Home } from './accounts';
import { Approve, Ended } from './approve';
import { Later, MoveLater, OthersLater, seldom } from './later';
import { Lock } from './lock';
import { Working } from './parts';
import { accounts, go, locked, lost, others, push as pushState, request, said, screen } from './state';
import { agreed, begunMove, Consent, enter, keepCode, keptCode, present } from './start';
import { check, hidden, idle, load, lockIfAway, maybeUpdate, report, seen, tick } from './watch';
import { language, speak } from './words';

function View() {
  const now = screen.value;
  if (now.at !== 'unsupported' && now.at !== 'consent') {
    if (locked.value) return <Lock />;
    // A request takes the screen from everything; a half-done binding waits behind it.
    if (request.value) return <Approve key={request.value.question.context.id} />;
  }
  switch (now.at) {
    case 'consent': return <Consent />;
    case 'home': return <Home />;
    case 'working': return <Working key={now.text} text={now.text} />;
    case 'ended': return <Ended {...now} />;
    case 'move': return <MoveLater />;
    case 'others': return <OthersLater key={now.show.at} show={now.show} />;
    default: return <Later now={now} />;
  }
}

const App = () => <>
  <View />
  <p class="ds-sr-only" role="status">{said}</p>
</>;

/** What the address says: `#r=ID` a request, `#e=CODE` a code to bind with, `&k=KEY` beside it the key of what comes along, `#open` that the install page was seen. */
function fragment(): { opened?: string; code?: string; key: string | null; open: boolean } {
  const text = location.hash.slice(1);
  // The code must not stay in the address bar, nor be there again after a reload.
  if (text) history.replaceState(null, '', location.pathname + location.search);
  const values = new URLSearchParams(text);
  const opened = values.get('r');
  const code = readTyped(values.get('e') ?? '');
  const key = values.get('k') ?? '';
  return { open: text === 'open', key: /^[\w-]{43}$/.test(key) ? key : null, ...(opened ? { opened } : {}), ...(code ? { code } : {}) };
}

async function wake(opened?: string): Promise<void> {
  lockIfAway(); // Before anything is waited for: the old screen must not be seen meanwhile.
  if (agreed()) await seen(leftBehind().then(left => opened ?? left));
}

async function start(): Promise<void> {
  const root = document.getElementById('app')!;
  const speaking = speak(language.value);
  const { opened, code, key, open } = fragment();
  if (code) keepCode(code, key);
  if (installed()) keep('installed', '1'); // the install page reads it where the browser shares what it keeps with the app
  try {
    await load();
  } catch {
    screen.value = { at: 'unsupported' };
  }
  pushState.value = push.state();
  tick();
  // The server is asked while the words are on their way: someone may be waiting before a door.
  const waking = wake(opened);
  await speaking;
  if (screen.value.at === 'unsupported') {
    // Nothing can be kept here; the text says what to do.
  } else if ((accounts.value.length > 0 || others.value) && agreed()) {
    if (keptCode()) enter();
    else if (accounts.value.some(account => account.moving) || begunMove()[0]) go({ at: 'move' });
  } else if (!open && !lost.value && !installed() && !agreed() && isPhone()) return location.replace(`/phone/get${location.search}`);
  else enter();
  root.textContent = '';
  render(<App />, root);

  void waking.then(() => { if (agreed()) void report(); });
  void startWorker(id => void wake(id), () => void check().then(maybeUpdate), () => { if (idle()) location.reload(); });
  setTimeout(() => void seldom(), 1500); // Fetched while the first screen is read.
  setInterval(() => { if (document.visibilityState === 'visible') tick(); }, 1000);
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') void wake(); else hidden(); });
  addEventListener('pageshow', event => { if (event.persisted) void wake(); });
  addEventListener('online', () => void wake());
  addEventListener('hashchange', () => {
    const { opened: later, code: newCode, key: newKey } = fragment();
    if (later) void wake(later);
    if (newCode && agreed() && !request.value) void present(newCode, newKey);
  });
}

void start();
