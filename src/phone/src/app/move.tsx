import { signal } from '@preact/signals';
import encode from 'qr';
import { useEffect, useState } from 'preact/hooks';
import { b64u, random } from '../core/bytes';
import { group } from '../core/code';
import { pack, unpack } from '../core/luggage';
import { pictureOf, prepareMove } from '../core/move';
import type { Found } from '../core/other';
import type { Prepared } from '../core/statement';
import type { Answer, Luggage, MoveAnswer, MoveBegun, MoveOutcome, MoveRefusal, MoveState } from '../generated/contract';
import type { Key } from '../generated/words';
import { loadMoveWords } from '../generated/move';
import { call, type Failure, time } from '../platform/api';
import { follow } from '../platform/live';
import * as passkey from '../platform/passkey';
import * as pin from '../platform/pin';
import { type Account, keep, note } from '../platform/store';
import { title } from './accounts';
import { Address, Alert, Button, Field, Form, P, Page, Trouble, Working } from './parts';
import { begunMove } from './start';
import { accounts, asked, go, now, others, said, type Say } from './state';
import { bury, caller, drop, save, watch } from './watch';
import { learn, t } from './words';

// A new phone while the old one works: docs/protocol.md, section 9. The account's own phone shows `Leave`, the new one `Arrive`.

export const ready: Promise<unknown> = learn(loadMoveWords);

/** What the old phone shows; none after a reload, for the key of the picture is kept nowhere. */
type Shown = { begun: MoveBegun; key: string | null };
const shown = signal<Shown | null>(null);
/** Of several accounts the one that was chosen. */
const chosen = signal<string | null>(null);
/** How the move of an account stood when the server was last asked. */
const seen = signal<{ account: string; answer: MoveAnswer } | null>(null);
const unreached = signal(false);
/** Said once the account has gone from here. */
const moved = signal<{ name: string; device: string; luggage: boolean } | null>(null);
/** A number was sent whose answer may have been lost: should the phone be nobody then, it was the right one. */
let confirming: { device: string; luggage: boolean } | null = null;

const file: () => void = () => go({ at: 'others', show: { at: 'export' }, from: { at: 'move' } });

function leave(): void {
  keep('moving', null);
  chosen.value = shown.value = seen.value = moved.value = confirming = null;
  go({ at: 'home' });
}

async function ask(account: Account): Promise<void> {
  const reply = await call<MoveAnswer>(caller(account), 'GET', 'move');
  unreached.value = !reply.ok && reply.failure.code === 'network';
  if (reply.ok) seen.value = { account: account.id, answer: reply.value };
  else if (confirming && reply.failure.code === 'unknown-phone') await gone(account);
  else await bury(account, reply.failure);
}

/** Asks now, whenever something may have changed, and whenever the app is looked at again. */
function useMove(account: Account): MoveAnswer | null {
  useEffect(() => {
    const look = () => { if (document.visibilityState === 'visible') void ask(account); };
    look();
    const stop = follow(caller(account), look, 'move/events');
    document.addEventListener('visibilitychange', look);
    return () => {
      stop();
      document.removeEventListener('visibilitychange', look);
    };
  }, [account.id]);
  return seen.value?.account === account.id ? seen.value.answer : null;
}

export function Move() {
  const arriving = accounts.value.find(account => account.moving);
  if (arriving) return <Arrive key={arriving.id} account={arriving} />;
  if (moved.value) return <Moved />;
  const id = chosen.value ?? begunMove()[0];
  const account = asked.value.find(one => one.id === id) ?? (asked.value.length === 1 ? asked.value[0] : undefined);
  return account ? <Leave key={account.id} account={account} /> : <Choose />;
}

function Choose() {
  return <Page title={t('MoveTitle')}>
    {asked.value.length > 0 && <>
      <P>{t('MoveOneByOne')}</P>
      {asked.value.map(account => <Button key={account.id} variant="secondary" onTap={() => { chosen.value = account.id; }}>{title(account)} · <Address text={account.name} /></Button>)}
    </>}
    {asked.value.length === 0 && others.value && <>
      <P>{t('MoveOnlyOthers')}</P>
      <Button onTap={file}>{t('MoveFile')}</Button>
    </>}
  </Page>;
}

function Leave({ account }: { account: Account }) {
  const answered = useMove(account);
  if (!answered) {
    return unreached.value
      ? <Page title={t('MoveTitle')}><Trouble say={{ key: 'NoNetwork' }} /><Button onTap={() => void ask(account)}>{t('TryAgain')}</Button></Page>
      : <Working text="OneMoment" />;
  }
  const { move } = answered;
  // Of one that was given up, on this phone or before a reload, nobody wants to hear.
  if (!move || begunMove()[1] !== move.id) return <Why account={account} answered={answered} />;
  switch (move.state) {
    case 'waiting': return shown.value?.begun.id === move.id ? <ShowCode account={account} shown={shown.value} luggage={move.luggage} /> : <Why account={account} answered={answered} />;
    case 'connected': return <Page title={t('MoveConnectedTitle')} leads={false}>
      <P>{t('MoveConnectedText')}</P>
      <Cancel account={account} />
    </Page>;
    case 'number': return <TypeNumber account={account} move={{ ...move, to: move.to ?? '', device: move.device ?? '' }} />;
    default: return <Over state={move.state} again={() => { keep('moving', null); seen.value = { ...seen.value! }; }} />;
  }
}

const refusals: Record<MoveRefusal, Key> = {
  'unknown-phone': 'DeadPhone', 'pin-locked': 'DeadPin', closed: 'MoveRefusedClosed', 'not-allowed': 'MoveRefusedPolicy', reported: 'MoveRefusedReported',
};

function explain({ code, triesLeft }: Failure): Say {
  switch (code) {
    case 'network': return { key: 'NoNetwork' };
    case 'slow-down': return { key: 'SlowDown' };
    case 'unlock': return { key: 'UnlockNotProven' };
    case 'pin': return triesLeft === null ? { key: 'PinWrong' } : { key: 'PinWrongLeft', values: [triesLeft] };
    case 'answered': case 'expired': return { key: 'MoveClash' };
    case 'unknown-phone': case 'pin-locked': case 'closed': case 'not-allowed': case 'reported': return { key: refusals[code] };
    default: return { key: 'ServerTrouble' };
  }
}

/** The tap belongs to the phone's unlock; one unlock opens the other accounts as well. A PIN phone sends its PIN. */
async function unlocked({ bound: { unlock, relyingParty } }: Account, { jws, challenge }: Prepared, entered: string): Promise<{ body: Answer; opens: passkey.Unlocked | null }> {
  if (unlock.kind === 'pin') return { body: { jws, assertion: null, pin: await pin.value(unlock.key, entered) }, opens: null };
  const { assertion, unlocked: opens } = await passkey.getReleasing(relyingParty, [unlock.credentialId], challenge);
  return { body: { jws, assertion, pin: null }, opens };
}

/** A form that ends in an unlock: what it sends is made before the tap. */
function useUnlocking(account: Account, make: () => Promise<Prepared> | null, when: unknown[]) {
  const [prepared, setPrepared] = useState<Prepared | null>(null);
  const [entered, setEntered] = useState('');
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Say | null>(null);
  const withPin = account.bound.unlock.kind === 'pin';
  useEffect(() => {
    let stale = false;
    setPrepared(null);
    void make()?.then(made => { if (!stale) setPrepared(made); });
    return () => { stale = true; };
  }, when);
  const run = async (send: (unlocking: Awaited<ReturnType<typeof unlocked>>) => Promise<Say | null>) => {
    if (!prepared || busy) return;
    const unlocking = unlocked(account, prepared, entered); // Nothing is awaited before it.
    setBusy(true);
    const say = await unlocking.then(send, (): Say => ({ key: 'UnlockCancelled' }));
    setTrouble(say);
    setBusy(false);
  };
  const field = withPin && <Field id="pin" label={t('Pin')} type="password" digits complete="current-password" max={12} value={entered}
    onInput={text => { setEntered(text); setTrouble(null); }} />;
  return { run, busy, field, trouble, off: !prepared || (withPin && entered === '') };
}

function Why({ account, answered }: { account: Account; answered: MoveAnswer }) {
  const { run, busy, field, trouble, off } = useUnlocking(account, () => prepareMove(
    { step: 'begin', aud: account.bound.audience, nonce: note('nonce') ?? '', jti: b64u(random(16)) }, time.now(), account.bound), [answered]);
  const begin = () => run(async ({ body, opens }) => {
    const kept = others.value ? await otherAccounts().then(part => part.opened(opens)).catch(() => null) : null;
    const packed = kept && kept.length > 0 ? await pack(kept.map(({ id: _, ...one }) => one)) : null;
    const reply = await call<MoveBegun>(caller(account), 'POST', 'move/begin', body);
    if (!reply.ok) {
      await ask(account); // A fresh statement, should this one have been too old.
      return explain(reply.failure);
    }
    const sent = packed && (await call(caller(account), 'POST', 'move/luggage', packed.luggage)).ok;
    chosen.value = account.id;
    keep('moving', `${account.id} ${reply.value.id}`);
    shown.value = { begun: reply.value, key: sent ? packed.key : null };
    await ask(account);
    return null;
  });
  return <Page title={t('MoveTitle')}>
    <P>{t('MoveIntro', account.name)}</P>
    {answered.refusal
      ? <Alert color="warning"><p>{t(refusals[answered.refusal])}</p></Alert>
      : <>
        <ol class="steps"><li>{t('MoveStep1')}</li><li>{t('MoveStep2')}</li><li>{t('MoveStep3')}</li></ol>
        {others.value && <P>{t('MoveOthersToo')}</P>}
        <P>{t('MoveSignedOut')}</P>
        <Form onSend={() => void begin()}>
          {field}
          <Trouble say={trouble} />
          <Button submit busy={busy} disabled={off}>{t('MoveShow')}</Button>
        </Form>
      </>}
  </Page>;
}

/** Digits and codes for the eye, and for the ear sign by sign: "four two", not "forty-two". */
const Spelled = ({ text }: { text: string }) => <>
  <span aria-hidden="true">{text}</span>
  <span class="ds-sr-only">{text.replace(/\W?/g, ' ')}</span>
</>;

function Picture({ text }: { text: string }) {
  const rows = encode(text, 'raw', { ecc: 'medium', border: 4 });
  const path = rows.flatMap((row, y) => row.map((dark, x) => dark ? `M${x} ${y}h1v1h-1z` : '')).join('');
  return <svg class="picture" viewBox={`0 0 ${rows.length} ${rows.length}`} shape-rendering="crispEdges" role="img" aria-label={t('MoveCodeAlt')}>
    <rect width={rows.length} height={rows.length} fill="#fff" /><path fill="#000" d={path} />
  </svg>;
}

function ShowCode({ account, shown: { begun, key }, luggage }: { account: Account; shown: Shown; luggage: boolean }) {
  const comes = key !== null && luggage;
  const soon = begun.expiresAt - now.value <= 60;
  useEffect(() => { said.value = soon ? t('MoveLeft', 1) : ''; }, [soon]);
  return <Page title={t('MoveCodeTitle')} leads={false}>
    <P>{t('MoveCodeText')}</P>
    <Picture text={pictureOf(account.bound.audience, begun.code, key)} />
    <p class="hint">{t('MoveLeft', Math.max(0, Math.ceil((begun.expiresAt - now.value) / 60)))}. {t('MoveSecret')}</p>
    {others.value && !comes && <Alert color="warning"><p>{t('MoveMissing')}</p></Alert>}
    <div>
      <P>{t('MoveTyped', `${new URL(account.bound.audience).host}/phone`)}</P>
      <p class="digits address"><Spelled text={group(begun.typedCode)} /></p>
      {comes && <p class="hint">{t('MoveTypedOthers')}</p>}
    </div>
    <Cancel account={account} />
  </Page>;
}

function Cancel({ account }: { account: Account }) {
  const cancel = async () => {
    await call(caller(account), 'POST', 'move/cancel', {});
    leave();
  };
  return <Button variant="secondary" onTap={() => void cancel()}>{t('Cancel')}</Button>;
}

function TypeNumber({ account, move }: { account: Account; move: { id: string; to: string; device: string; digits: number; luggage: boolean } }) {
  const [digits, setDigits] = useState('');
  const { run, busy, field, trouble, off } = useUnlocking(account, () => digits.length !== move.digits ? null : prepareMove(
    { step: 'confirm', aud: account.bound.audience, id: move.id, to: move.to, num: digits }, time.now(), account.bound), [digits, move.id, move.to]);
  const confirm = () => run(async ({ body }) => {
    confirming = { device: move.device, luggage: move.luggage };
    const reply = await call<MoveOutcome>(caller(account), 'POST', 'move/confirm', body);
    if (reply.ok && reply.value.outcome === 'moved') {
      await gone(account);
      return null;
    }
    if (reply.ok || (reply.failure.code !== 'network' && reply.failure.code !== 'unknown-phone')) confirming = null;
    await ask(account);
    return reply.ok ? null : explain(reply.failure);
  });
  return <Page title={t('MoveNumberTitle')} leads={false}>
    <dl class="facts ds-card">
      <dt>{t('MoveNewPhone')}</dt><dd><strong>{move.device}</strong></dd>
      <dt>{t('Account')}</dt><dd><Address text={account.name} /></dd>
    </dl>
    <Form onSend={() => void confirm()}>
      <Field id="number" label={t('MoveNumberLabel')} hint={t('MoveNumberText')} digits max={move.digits} look="ds-input number-field" value={digits} onInput={setDigits} />
      {field}
      <Trouble say={trouble} />
      <Button submit busy={busy} disabled={off}>{t('MoveConfirm')}</Button>
    </Form>
    <Cancel account={account} />
  </Page>;
}

/** The new phone is the phone now: the account and its key go from here. */
async function gone(account: Account): Promise<void> {
  moved.value = { name: account.name, device: confirming?.device ?? '', luggage: confirming?.luggage ?? false };
  confirming = null;
  keep('moving', null);
  await drop(account.id);
}

const otherAccounts = async () => {
  const part = await import('./others/screens');
  await part.ready;
  return part;
};

function Moved() {
  const { name, device, luggage } = moved.value!;
  const wipe = async () => {
    await (await otherAccounts()).wipe();
    leave();
  };
  return <Page title={t('MovedTitle', device)} leads={false}>
    <Alert color="success" live><p>{t('MovedText', name)}</p></Alert>
    {!others.value
      ? <Button onTap={leave}>{t('Done')}</Button>
      : luggage
        ? <>
          <P>{t('MovedOthers')}</P>
          <Button variant="secondary" color="danger" onTap={() => void wipe()}>{t('MovedDelete')}</Button>
          <Button variant="secondary" onTap={leave}>{t('MovedKeep')}</Button>
        </>
        : <>
          <P>{t('MoveMissing')}</P>
          <Button onTap={() => { leave(); file(); }}>{t('MoveFile')}</Button>
          <Button variant="secondary" onTap={leave}>{t('Done')}</Button>
        </>}
  </Page>;
}

const overs: Partial<Record<MoveState, Key>> = { 'wrong-number': 'MoveOverWrong', 'used-twice': 'MoveOverTwice' };

function Over({ state, again }: { state: MoveState; again: () => void }) {
  return <Page title={t('MoveOverTitle')} leads={false}>
    <Alert color={state === 'over' ? 'info' : 'danger'} live><p>{t(overs[state] ?? 'MoveOverText')}</p></Alert>
    <Button onTap={again}>{t('MoveAgain')}</Button>
    <Button variant="secondary" onTap={leave}>{t('Done')}</Button>
  </Page>;
}

/** The new phone: bound, and of no use before its number was typed on the old one. */
function Arrive({ account }: { account: Account }) {
  const move = useMove(account)?.move;
  const end = async () => {
    await drop(account.id);
    leave();
  };
  const cancel = async () => {
    await call(caller(account), 'POST', 'move/cancel', {});
    await end();
  };
  if (account.bound.dead || (move && move.state !== 'number' && move.state !== 'done')) {
    return <Page title={t('MoveOverTitle')} leads={false}>
      <Alert color="warning" live><p>{t('ArriveOver')}</p></Alert>
      <Button onTap={() => void end()}>{t('Done')}</Button>
    </Page>;
  }
  if (!move) return unreached.value ? <Page title={t('MoveTitle')} leads={false}><Trouble say={{ key: 'NoNetwork' }} /><Button onTap={() => void ask(account)}>{t('TryAgain')}</Button></Page> : <Working text="OneMoment" />;
  if (move.state === 'done') return <Arrived account={account} luggage={move.luggage} />;
  return <Page title={t('ArriveTitle')} leads={false}>
    <p class="number" role="status"><Spelled text={move.number ?? ''} /></p>
    <P>{t('ArriveText', account.name)}</P>
    <P>{t('ArriveAlone')}</P>
    <Button variant="secondary" onTap={() => void cancel()}>{t('Cancel')}</Button>
  </Page>;
}

function Arrived({ account, luggage }: { account: Account; luggage: boolean }) {
  const key = account.moving?.luggage ?? null;
  const [found, setFound] = useState<Found[] | null>(null);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Say | null>(null);
  const settle = async () => {
    const { moving: _, ...settled } = account;
    await save(settled);
    watch(); // The stream from before knew a phone that was not to be asked.
  };
  useEffect(() => {
    if (!luggage || !key) return;
    void Promise.all([otherAccounts(), call<Luggage>(caller(account), 'GET', 'move/luggage')])
      .then(async ([, reply]) => setFound(reply.ok ? await unpack(key, reply.value) ?? [] : []));
  }, []);
  const fetch = async () => {
    setBusy(true);
    const say = await (await otherAccounts()).takeIn(found!);
    setTrouble(say);
    setBusy(false);
    if (say) return;
    void call(caller(account), 'POST', 'move/arrived', {});
    await settle();
  };
  const done = () => void settle().then(leave);
  const comes = luggage && key;
  if (comes && !found) return <Working text="OneMoment" />;
  return <Page title={t('ArrivedTitle')} leads={false}>
    <Alert color="success" live><p>{t('ArrivedText', account.name)}</p></Alert>
    {found && found.length > 0
      ? <>
        <P>{t('ArrivedOthers', found.length)}</P>
        <Trouble say={trouble} />
        <Button busy={busy} onTap={() => { if (!busy) void fetch(); }}>{t('ArrivedFetch')}</Button>
        <Button variant="secondary" onTap={done}>{t('ArrivedSkip')}</Button>
      </>
      : <>
        {luggage && <Alert color="warning"><p>{t('ArrivedNoOthers')}</p></Alert>}
        <Button onTap={done}>{t('Done')}</Button>
      </>}
  </Page>;
}
