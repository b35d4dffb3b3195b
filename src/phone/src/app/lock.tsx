import { useState } from 'preact/hooks';
import * as passkey from '../platform/passkey';
import * as pin from '../platform/pin';
import { keep, note } from '../platform/store';
import { Button, Field, Form, P, Page, Trouble } from './parts';
import { accounts, isBound, locked, type Say } from './state';
import { t } from './words';

/** After five wrong PINs each further try costs a minute. */
const free = 5;
const pause = 60_000;

function open(): void {
  keep('hidden-at', null);
  keep('pin-wait', null);
  locked.value = false;
}

export function Lock() {
  const [entered, setEntered] = useState('');
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Say | null>(null);
  const bound = accounts.value.filter(isBound);
  const passkeys = bound.flatMap(({ bound: { unlock, relyingParty } }) => unlock.kind === 'passkey' ? [{ id: unlock.credentialId, relyingParty }] : []);
  const run = async (work: Promise<Say | null>) => {
    setBusy(true);
    try {
      const say = await work;
      setTrouble(say);
      if (say === null) open();
    } catch {
      setTrouble({ key: 'UnlockCancelled' });
    }
    setBusy(false);
  };
  const byPasskey = async (): Promise<Say | null> =>
    await passkey.unlock(passkeys[0]!.relyingParty, passkeys.map(one => one.id)) ? null : { key: 'UnlockNotProven' };
  const byPin = async (): Promise<Say | null> => {
    const [tries = 0, until = 0] = (note('pin-wait') ?? '').split(' ').map(Number);
    if (Date.now() < until) return { key: 'PinWait' };
    for (const { bound: { unlock } } of bound) {
      if (unlock.kind === 'pin' && await pin.matches(unlock.key, entered, unlock.check)) return null;
    }
    keep('pin-wait', `${tries + 1} ${tries + 1 >= free ? Date.now() + pause : 0}`);
    return { key: 'PinWrong' };
  };
  return <Page title={t('LockTitle')} mark>
    <P>{t('LockText')}</P>
    {passkeys.length > 0
      ? <><Trouble say={trouble} /><Button busy={busy} onTap={() => { if (!busy) void run(byPasskey()); }}>{t('Unlock')}</Button></>
      : <Form onSend={() => { if (!busy) void run(byPin()); }}>
        <Field id="pin" label={t('Pin')} type="password" digits complete="current-password" max={12} value={entered}
          onInput={text => { setEntered(text); setTrouble(null); }} />
        <Trouble say={trouble} />
        <Button submit busy={busy}>{t('Unlock')}</Button>
      </Form>}
  </Page>;
}
