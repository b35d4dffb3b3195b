import { render } from 'preact';
import { readTyped } from '../core/code';
import { installed, kind } from '../platform/install';
import * as push from '../platform/push';
import { leftBehind, start as startWorker } from '../platform/worker';
import { Home, OneAccount } from './accounts';
import { Approve, Ended } from './approve';
import { begin, keepCode } from './bind';
import { CameraWhy, ChoosePin, Confirm, Kinds, Method, Notify, Other, Problem, Scan, TypeOther, TypeWork, Working } from './enrol';
import { Lock } from './lock';
import { Settings } from './settings';
import { accounts, go, locked, online, push as pushState, request, said, screen } from './state';
import { agreed, Consent, enter, Get, Privacy, Unsupported } from './start';
import { check, hidden, idle, load, maybeUpdate, report, seen, tick } from './watch';
import { language, speak } from './words';

function View() {
  const now = screen.value;
  if (now.at !== 'unsupported' && now.at !== 'get' && now.at !== 'consent') {
    if (locked.value) return <Lock />;
    // A request takes the screen from everything; a half-done binding waits behind it.
    if (request.value) return <Approve key={request.value.question.context.id} />;
  }
  switch (now.at) {
    case 'get': return <Get />;
    case 'consent': return <Consent />;
    case 'home': return <Home />;
    case 'kind': return <Kinds />;
    case 'method': return <Method key={now.adding} adding={now.adding} />;
    case 'camera': return <CameraWhy adding={now.adding} />;
    case 'scan': return <Scan adding={now.adding} />;
    case 'type': return now.adding === 'work' ? <TypeWork error={now.error} /> : <TypeOther />;
    case 'working': return <Working key={now.text} text={now.text} />;
    case 'other': return <Other account={now.account} />;
    case 'confirm': return <Confirm binding={now.binding} error={now.error} />;
    case 'pin': return <ChoosePin binding={now.binding} />;
    case 'notify': return <Notify binding={now.binding} />;
    case 'problem': return <Problem say={now.say} again={now.again} />;
    case 'ended': return <Ended {...now} />;
    case 'account': return <OneAccount id={now.id} />;
    case 'settings': return <Settings />;
    case 'privacy': return <Privacy />;
    case 'unsupported': return <Unsupported />;
  }
}

const App = () => <>
  <View />
  <p class="ds-sr-only" role="status" aria-live="polite">{said}</p>
</>;

/** What the address says: `#r=ID` a request, `#e=CODE` a code to bind with, `#get` the install page. */
function fragment(): { opened?: string; code?: string; get: boolean } {
  const text = location.hash.slice(1);
  const get = text === 'get' || location.pathname === '/phone/get';
  // The code must not stay in the address bar, nor be there again after a reload.
  if (text) history.replaceState(null, '', location.pathname + location.search);
  const values = new URLSearchParams(text);
  const opened = values.get('r');
  const code = readTyped(values.get('e') ?? '');
  return { get, ...(opened ? { opened } : {}), ...(code ? { code } : {}) };
}

async function wake(opened?: string): Promise<void> {
  seen();
  maybeUpdate();
  const left = await leftBehind();
  if (agreed()) await check(opened ?? left ?? undefined);
}

async function start(): Promise<void> {
  const root = document.getElementById('app')!;
  const speaking = speak(language.value);
  const { opened, code, get } = fragment();
  if (code) keepCode(code);
  try {
    await load();
  } catch {
    screen.value = { at: 'unsupported' };
  }
  pushState.value = push.state();
  await speaking;
  seen();
  if (screen.value.at === 'unsupported') {
    // Nothing can be kept here; the text says what to do.
  } else if (accounts.value.length > 0 && agreed()) {
    if (code) enter();
    else if (get) go({ at: 'get' });
  } else if (get || (!installed() && !agreed() && kind() !== 'computer')) go({ at: 'get' });
  else enter();
  root.textContent = '';
  render(<App />, root);

  void wake(opened).then(() => { if (agreed()) void report(); });
  void startWorker(id => void wake(id), () => { if (idle()) location.reload(); });
  setInterval(() => { if (document.visibilityState === 'visible') tick(); }, 1000);
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') void wake(); else hidden(); });
  addEventListener('pageshow', event => { if (event.persisted) void wake(); });
  addEventListener('online', () => { online.value = true; void wake(); });
  addEventListener('offline', () => { online.value = false; });
  addEventListener('hashchange', () => {
    const { opened: later, code: newCode } = fragment();
    if (later) void wake(later);
    if (newCode && agreed() && !request.value) void begin(newCode, { at: 'type', adding: 'work' });
  });
}

void start();
