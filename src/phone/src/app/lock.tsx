import { useState } from 'preact/hooks';
import * as passkey from '../platform/passkey';
import * as pin from '../platform/pin';
import { keep } from '../platform/store';
import { Button, Field, Form, P, Page, Trouble } from './parts';
import { accounts, locked, others, released, type Say } from './state';
import { t } from './words';

function open(): void {
  keep('hidden-at', null);
  locked.value = false;
}

export function Lock() {
  const [entered, setEntered] = useState('');
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Say | null>(null);
  const passkeys = accounts.value.flatMap(({ bound: { unlock, relyingParty } }) => unlock.kind === 'passkey' ? [{ id: unlock.credentialId, relyingParty }] : []);
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
  const byPasskey = async (): Promise<Say | null> => {
    const unlocked = await passkey.unlock(passkeys[0]!.relyingParty, passkeys.map(one => one.id));
    if (!unlocked) return { key: 'UnlockNotProven' };
    // One unlock opens the app and the other accounts.
    if (others.value) released.value = unlocked;
    return null;
  };
  return <Page title={t('LockTitle')} mark>
    <P>{t('LockText')}</P>
    {passkeys.length > 0
      ? <><Trouble say={trouble} /><Button busy={busy} onTap={() => { if (!busy) void run(byPasskey()); }}>{t('Unlock')}</Button></>
      : <Form onSend={() => { if (!busy) void run(pin.prove(accounts.value, entered)); }}>
        <Field id="pin" label={t('Pin')} type="password" digits complete="current-password" max={12} value={entered}
          onInput={text => { setEntered(text); setTrouble(null); }} />
        <Trouble say={trouble} />
        <Button submit busy={busy}>{t('Unlock')}</Button>
      </Form>}
  </Page>;
}
