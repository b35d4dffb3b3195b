import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { hotp } from '../../core/totp';
import { Code } from '../accounts';
import { Address, Alert, Button, Field, Form, IconButton, icons, Page, Trouble } from '../parts';
import { go, said, type Say } from '../state';
import { t } from '../words';
import { change, entries, type Entry, unlock } from './vault';

/** How a person knows an account: by its service, or by its own name where that is all there is. */
export const title = ({ issuer, account }: { issuer: string; account: string }): string => issuer || account || t('OtherUnnamed');
/** Both, where they would not be told apart by one. */
export const fullName = (one: { issuer: string; account: string }): string => [one.issuer, one.account].filter(part => part !== '').join(' · ') || t('OtherUnnamed');

/** What has just happened, above the list until one leaves it. */
export const news = signal<string | null>(null);

/** From here on there is something to search for. */
const many = 6;

/** Made when it is asked for, and counted before it is shown: a code of this kind must not be used twice. */
function Counted({ one }: { one: Entry }) {
  const [code, setCode] = useState('');
  const [trouble, setTrouble] = useState<Say | null>(null);
  const next = async () => {
    let counter = 0;
    try {
      await change(kept => kept.map(other => {
        if (other.id !== one.id) return other;
        counter = other.counter;
        return { ...other, counter: counter + 1 };
      }));
      setCode(await hotp(one.key, counter, one.digits));
    } catch {
      setTrouble({ key: 'OthersNotSaved' });
    }
  };
  return <>
    {code !== '' && <p class="digits" role="status">{code.replace(/^(\d{3,4})(\d{3,4})$/, '$1 $2')}</p>}
    <Trouble say={trouble} />
    <button class="ds-button" type="button" data-variant="secondary" aria-label={t('OthersNextOf', fullName(one))} onClick={() => void next()}>{t('OthersNext')}</button>
  </>;
}

function Card({ one }: { one: Entry }) {
  return <li class="ds-card account">
    <div class="whose">
      <div><h3 class="ds-heading" data-size="2xs">{title(one)}</h3><p class="hint">{one.issuer && <Address text={one.account} />}</p></div>
      <IconButton name={t('AccountOptions', fullName(one))} path={icons.more} onTap={() => go({ at: 'others', show: { at: 'one', id: one.id } })} />
    </div>
    {one.kind === 'hotp' ? <Counted one={one} /> : <Code name={fullName(one)} of={one} />}
  </li>;
}

export function Locked() {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Say | null>(null);
  const open = async () => {
    setBusy(true);
    try {
      await unlock();
    } catch (fault) {
      setTrouble({ key: fault instanceof DOMException && fault.name === 'NotAllowedError' ? 'UnlockCancelled' : 'OthersNotOpened' });
    }
    setBusy(false);
  };
  return <div class="stack">
    <p class="ds-paragraph">{t('OthersLocked')}</p>
    <Trouble say={trouble} />
    <Button variant="secondary" busy={busy} onTap={() => { if (!busy) void open(); }}>{t('OthersUnlock')}</Button>
  </div>;
}

export function List() {
  const [wanted, setWanted] = useState('');
  const all = entries.value;
  useEffect(() => () => { news.value = null; }, []);
  const hits = (text: string) => (all ?? []).filter(one => fullName(one).toLocaleLowerCase().includes(text.trim().toLocaleLowerCase()));
  const shown = all !== null && all.length > many ? hits(wanted) : all ?? [];
  return <section class="stack" aria-labelledby="others">
    <div class="bar">
      <h2 class="ds-heading" data-size="xs" id="others">{t('OthersTitle')}</h2>
      <IconButton name={t('OthersManage')} path={icons.more} onTap={() => go({ at: 'others', show: { at: 'manage' } })} />
    </div>
    {news.value && <Alert color="success" live><p>{news.value}</p></Alert>}
    {all === null ? <Locked /> : <>
      {all.length > many && <Field id="search" label={t('OthersSearch')} value={wanted} onInput={text => {
        setWanted(text);
        said.value = text.trim() === '' ? '' : t('OthersHits', hits(text).length);
      }} />}
      {shown.length === 0 && wanted !== '' && <p class="ds-paragraph">{t('OthersNoHits')}</p>}
      <ul class="accounts">{shown.map(one => <Card key={one.id} one={one} />)}</ul>
    </>}
  </section>;
}

/** Its names, and the way out. */
export function One({ id }: { id: string }) {
  const one = entries.value?.find(other => other.id === id);
  const [issuer, setIssuer] = useState(one?.issuer ?? '');
  const [account, setAccount] = useState(one?.account ?? '');
  const [sure, setSure] = useState(false);
  const [trouble, setTrouble] = useState<Say | null>(null);
  if (!one) return <Page title={t('OthersTitle')}>{entries.value === null && <Locked />}</Page>;
  const work = async (edit: Parameters<typeof change>[0], then: string | null) => {
    try {
      await change(edit);
      news.value = then;
      go({ at: 'home' });
    } catch {
      setTrouble({ key: 'OthersNotSaved' });
    }
  };
  const save = () => work(kept => kept.map(other => other.id === id ? { ...other, issuer: issuer.trim(), account: account.trim() } : other), null);
  if (sure) {
    return <Page key="remove" title={t('Remove')}>
      <p class="ds-paragraph"><strong>{title(one)}</strong>{one.issuer && <><br /><Address text={one.account} /></>}</p>
      <Alert color="danger" live><p>{t('OtherRemoveText')}</p></Alert>
      <Trouble say={trouble} />
      <Button variant="secondary" onTap={() => setSure(false)}>{t('Keep')}</Button>
      <Button color="danger" onTap={() => void work(kept => kept.filter(other => other.id !== id), t('OtherRemoved', fullName(one)))}>{t('RemoveYes')}</Button>
    </Page>;
  }
  return <Page key="options" title={title(one)}>
    <Form onSend={() => void save()}>
      <Field id="issuer" label={t('OtherIssuer')} hint={t('NameHint')} max={100} value={issuer} onInput={setIssuer} />
      <Field id="account" label={t('OtherWhose')} max={100} value={account} onInput={setAccount} />
      <Trouble say={trouble} />
      <Button submit>{t('Save')}</Button>
    </Form>
    <Button variant="secondary" color="danger" onTap={() => setSure(true)}>{t('Remove')}</Button>
  </Page>;
}
