import { useState } from 'preact/hooks';
import { readPicture } from '../../core/code';
import { type Batch, readMigration } from '../../core/migration';
import { clean, type Flaw, type Found, isFlawed, type OtherAccount, readOtpauth, readSecret } from '../../core/other';
import { Address, Alert, Button, Field, Form, Icon, icons, P, Page, Trouble } from '../parts';
import { present } from '../start';
import { go, type Say, type Screen } from '../state';
import { t } from '../words';
import { fullName, news, title } from './list';
import { add } from './vault';

const method: Screen = { at: 'others', show: { at: 'method' } };

export const flaws = {
  kind: 'OtherFlawKind', secret: 'OtherFlawSecret', algorithm: 'OtherFlawAlgorithm', digits: 'OtherFlawDigits', period: 'OtherFlawPeriod',
  counter: 'OtherFlawCounter',
} as const satisfies Record<Flaw, unknown>;

/** Nothing was kept: because the person did not unlock the phone, or because something went wrong. */
export const explain = (fault: unknown): Say => ({ key: fault instanceof DOMException && fault.name === 'NotAllowedError' ? 'UnlockCancelled' : 'OthersNotSaved' });

export function Method() {
  return <Page title={t('OtherAccount')}>
    <P>{t('OtherWhere')}</P>
    <Button onTap={() => go({ at: 'camera', adding: 'other' })}><Icon path={icons.qr} />{t('ScanQr')}</Button>
    <Button variant="secondary" onTap={() => go({ at: 'others', show: { at: 'type' }, from: method })}><Icon path={icons.keys} />{t('OtherTypeTitle')}</Button>
    <Button variant="secondary" onTap={() => go({ at: 'others', show: { at: 'import' }, from: method })}>{t('OtherFromApp')}</Button>
    <P>{t('OtherCodesOnly')}</P>
  </Page>;
}

/** Straight from a tap: the phone's unlock may be asked for. */
async function keepOne(account: OtherAccount): Promise<Say | null> {
  try {
    if ((await add([account])).length > 0) return { key: 'OtherDouble' };
  } catch (fault) {
    return explain(fault);
  }
  news.value = t('OtherAddedNew');
  go({ at: 'home' });
  return null;
}

export function Type() {
  const [issuer, setIssuer] = useState('');
  const [account, setAccount] = useState('');
  const [secret, setSecret] = useState('');
  const [trouble, setTrouble] = useState<Say | null>(null);
  const bytes = readSecret(secret);
  const name = clean(issuer);
  const send = () => {
    // Some services show the whole address as text, and a work account's may be pasted here as well.
    const picture = readPicture(secret);
    if (picture.kind === 'other') go({ at: 'others', show: { at: 'scanned', text: picture.text }, from: method });
    else if (picture.kind === 'binding' && picture.host === location.host) void present(picture.code, picture.key ?? null);
    else if (name === '') setTrouble({ key: 'OtherIssuerMissing' });
    else if (!bytes) setTrouble({ key: 'OtherSecretBad' });
    else void keepOne({ issuer: name, account: clean(account), secret: bytes, algorithm: 'SHA1', digits: 6, kind: 'totp', period: 30, counter: 0 }).then(setTrouble);
  };
  return <Page title={t('OtherTypeTitle')}>
    <Form onSend={send}>
      <Field id="issuer" label={t('OtherIssuer')} hint={t('OtherIssuerHint')} bad={trouble?.key === 'OtherIssuerMissing'} max={100} value={issuer}
        onInput={text => { setIssuer(text); setTrouble(null); }} />
      <Field id="account" label={t('OtherName')} max={100} value={account} onInput={setAccount} />
      <Field id="secret" label={t('OtherSecret')} hint={t('OtherSecretHint')} bad={trouble?.key === 'OtherSecretBad'} value={secret}
        onInput={text => { setSecret(text); setTrouble(null); }} />
      <Trouble say={trouble} />
      <Button submit>{t('OtherAdd')}</Button>
    </Form>
  </Page>;
}

const again = (): void => go({ at: 'scan', adding: 'other' });

/** What the camera saw: one account, a part of many, or something that no code can be made from. */
export function Scanned({ text }: { text: string }) {
  const [batches] = useState(() => collect(text));
  if (batches) return <Pictures batches={batches} />;
  const found = readOtpauth(text);
  if (found && !isFlawed(found)) return <Confirm account={found} />;
  return <Page title={t('ProblemTitle')}>
    <Alert color="danger" live>
      <p>{t(found ? 'OtherFlawed' : 'OtherUnreadable')}</p>
      {found && <p>{t(flaws[found.flaw])}</p>}
    </Alert>
    <Button onTap={again}>{t('ScanQr')}</Button>
    <Button variant="secondary" onTap={() => go({ at: 'others', show: { at: 'type' }, from: method })}>{t('OtherTypeTitle')}</Button>
  </Page>;
}

function Confirm({ account }: { account: OtherAccount }) {
  const [trouble, setTrouble] = useState<Say | null>(null);
  const [busy, setBusy] = useState(false);
  const yes = async () => {
    setBusy(true);
    setTrouble(await keepOne(account));
    setBusy(false);
  };
  return <Page title={t('OtherConfirmTitle')}>
    <dl class="facts ds-card">
      <dt>{t('OtherIssuer')}</dt><dd>{title({ ...account, account: '' })}</dd>
      {account.account !== '' && <><dt>{t('Account')}</dt><dd><Address text={account.account} /></dd></>}
    </dl>
    <P>{t('OtherCodesOnly')}</P>
    <Trouble say={trouble} />
    <Button busy={busy} onTap={() => { if (!busy) void yes(); }}>{t('ConfirmYes')}</Button>
    <Button variant="secondary" onTap={() => go({ at: 'home' })}>{t('ConfirmNo')}</Button>
  </Page>;
}

/** The pictures of one export that have been seen so far, by their number. They are kept nowhere but here. */
let seen = new Map<number, Batch>();

function collect(text: string): Map<number, Batch> | null {
  const batch = readMigration(text);
  if (!batch) return null;
  const other = [...seen.values()][0];
  if (other && (other.id !== batch.id || other.size !== batch.size)) seen = new Map();
  seen.set(batch.index, batch);
  return new Map(seen);
}

function Pictures({ batches }: { batches: Map<number, Batch> }) {
  const size = [...batches.values()][0]!.size;
  const numbers = Array.from({ length: size }, (_, at) => at);
  const missing = numbers.filter(number => !batches.has(number));
  const found = numbers.flatMap(number => batches.get(number)?.found ?? []);
  return <Page title={t('OthersPictures')}>
    {size > 1 && <Alert color={missing.length > 0 ? 'info' : 'success'} live>
      <p>{t('OthersPicturesRead', batches.size, size)}</p>
      {missing.length > 0 && <p>{t('OthersPicturesMissing', missing.map(number => number + 1).join(', '))}</p>}
    </Alert>}
    <P>{t('OthersPicturesFound', found.length)}</P>
    {missing.length > 0
      ? <Button onTap={again}>{t('OthersScanNext')}</Button>
      : <TakeIn found={found} then={() => { seen = new Map(); }} />}
  </Page>;
}

/** Says what is there, and takes it in after a tap. */
export function TakeIn({ found, then }: { found: Found[]; then?: () => void }) {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Say | null>(null);
  const take = async () => {
    setBusy(true);
    setTrouble(await takeIn(found));
    then?.();
    setBusy(false);
  };
  return <>
    <Trouble say={trouble} />
    <Button busy={busy} onTap={() => { if (!busy) void take(); }}>{t('OthersFetch')}</Button>
  </>;
}

export type SummaryOf = { added: number; skipped: { name: string; why: Flaw | 'double' }[] };

/** Straight from a tap: the phone's unlock may be asked for. What cannot be used does not stop the rest. */
export async function takeIn(found: Found[]): Promise<Say | null> {
  const usable = found.filter((one): one is OtherAccount => !isFlawed(one));
  try {
    const doubles = usable.length > 0 ? await add(usable) : [];
    const skipped = [
      ...found.filter(isFlawed).map(({ name, flaw }) => ({ name, why: flaw })),
      ...doubles.map(one => ({ name: fullName(one), why: 'double' as const }))];
    news.value = null;
    go({ at: 'others', show: { at: 'summary', added: usable.length - doubles.length, skipped } });
    return null;
  } catch (fault) {
    return explain(fault);
  }
}

export function Summary({ added, skipped }: SummaryOf) {
  return <Page title={t(added > 0 ? 'OthersSummary' : 'OthersSummaryNone')} leads={false}>
    <Alert color={added > 0 ? 'success' : 'info'} live>
      <p>{t('OthersCameIn', added)}</p>
      {skipped.length > 0 && <p>{t('OthersSkipped', skipped.length)}</p>}
    </Alert>
    {skipped.length > 0 && <ul class="accounts">{skipped.map(({ name, why }, at) =>
      <li key={at}><strong><Address text={name || t('OtherUnnamed')} /></strong><br />{t(why === 'double' ? 'OtherFlawDouble' : flaws[why])}</li>)}</ul>}
    <Button onTap={() => go({ at: 'home' })}>{t('Done')}</Button>
  </Page>;
}
