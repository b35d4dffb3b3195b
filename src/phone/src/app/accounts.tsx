import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { secondsLeft, totp } from '../core/totp';
import { ask, subscribe } from '../platform/push';
import { type Account } from '../platform/store';
import { Address, Alert, Button, IconButton, icons, Ring, Title } from './parts';
import { accounts, asked, go, justAdded, lost, now, others, outdated, push, restored, said } from './state';
import { Later, OthersLater } from './later';
import { report } from './watch';
import { t } from './words';
import { reached, time } from '../platform/api';
import { state as pushState } from '../platform/push';

export const title = ({ issuer, name }: Account) => issuer || name;

type CodeProps = { name: string; of: { key: CryptoKey; digits: number; period: number } };

export function Code({ name, of: { key, digits, period } }: CodeProps) {
  const [code, setCode] = useState('');
  const [copied, setCopied] = useState(false);
  const step = Math.floor(now.value / period);
  useLayoutEffect(() => {
    let stale = false;
    void totp(key, step * period, digits, period).then(made => { if (!stale) setCode(made); });
    return () => { stale = true; };
  }, [key, step]);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => {
      setCopied(false);
      said.value = ''; // So that the next copy is a change, and said again.
    }, 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code);
      setCopied(true);
      said.value = t('Copied');
    } catch {
      // A browser that refuses the clipboard: the code can still be read.
    }
  };
  const shown = code.replace(/^(\d{3,4})(\d{3,4})$/, '$1 $2');
  return <button type="button" class="code" onClick={() => void copy()}>
    <span class="ds-sr-only">{t('CodeOf', name, '').trimEnd()} </span>
    <span class="digits" data-soon={secondsLeft(now.value, period) <= 5 || undefined}>{copied ? t('Copied') : shown}</span>
    <Ring left={secondsLeft(now.value, period)} of={period} />
  </button>;
}

function Card({ account }: { account: Account }) {
  const { dead } = account.bound;
  return <li class="ds-card account">
    <div class="whose">
      <div><h2 class="ds-heading" data-size="2xs">{title(account)}</h2><p class="hint">{account.issuer && <Address text={account.name} />}</p></div>
      <IconButton name={t('AccountOptions', title(account))} path={icons.more} onTap={() => go({ at: 'account', id: account.id })} />
    </div>
    {dead ? <Alert color="danger"><p>{t(dead === 'pin-locked' ? 'DeadPin' : 'DeadPhone')}</p></Alert> : <Code name={title(account)} of={account.totp} />}
  </li>;
}

/** Off notifications are said loudly: a phone that is not rung must be opened. */
function NotificationsOff() {
  const state = push.value;
  if (state === 'allowed' || asked.value.length === 0) return null;
  return <Alert color="warning">
    <h2 class="ds-heading" data-size="2xs">{t('NotifyOff')}</h2>
    <p>{t(state === 'ask' ? 'NotifyOffAsk' : state === 'refused' ? 'NotifyOffRefused' : 'NotifyOffUnsupported')}</p>
    {state === 'ask' && <Button wide={false} variant="secondary" onTap={() => void turnOn()}>{t('Allow')}</Button>}
  </Alert>;
}

export async function turnOn(): Promise<void> {
  const allowed = await ask();
  push.value = pushState();
  if (!allowed) return;
  const account = asked.value[0];
  if (account) await subscribe(account.bound.vapidPublicKey);
  await report();
}

export function Home() {
  if (accounts.value.length === 0 && !others.value) return <Later now={{ at: 'home' }} />;
  const skew = time.skew();
  const added = accounts.value.find(account => account.id === justAdded.value);
  return <main class="page">
    <div class="bar">
      <Title>{t('Accounts')}</Title>
      <IconButton name={t('Settings')} path={icons.gear} onTap={() => go({ at: 'settings' })} />
      <IconButton name={t('AddTitle')} path={icons.plus} onTap={() => go({ at: 'kind' })} />
    </div>
    {(lost.value > 0 || restored.value) && <Later now={{ at: 'notice' }} />}
    {added && <Alert color="success" live><p>{t('AddedBound')}</p></Alert>}
    {outdated.value && <Alert color="warning"><p>{t('Outdated')}</p><Button wide={false} variant="secondary" onTap={() => location.reload()}>{t('Update')}</Button></Alert>}
    {!reached.value && <Alert color="info"><p>{t('Offline')}</p></Alert>}
    <NotificationsOff />
    {Math.abs(skew) > 30 && <Alert color="info"><p>{t('ClockOff', Math.abs(skew))}</p></Alert>}
    <ul class="accounts">{accounts.value.map(account => <Card key={account.id} account={account} />)}</ul>
    {others.value && <OthersLater show={{ at: 'list' }} />}
  </main>;
}
