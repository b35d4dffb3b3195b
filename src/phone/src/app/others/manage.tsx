import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type BackupFile, readBackup, writeBackup } from '../../core/backup';
import { type Opened, readFile } from '../../core/foreign';
import type { Found } from '../../core/other';
import { prove } from '../../platform/pin';
import { Address, Alert, Button, Field, Form, Icon, IconButton, icons, P, Page, Trouble } from '../parts';
import { accounts, go, said, type Say, type Screen } from '../state';
import { t } from '../words';
import { explain, TakeIn, takeIn } from './add';
import { fullName, Locked, news } from './list';
import { canProtect, change, entries, guarded, onlyPin, protect, ready, secrets, wipe } from './vault';

const manage: Screen = { at: 'others', show: { at: 'manage' } };
const arrows = { up: 'M12 19V5M6 11l6-6 6 6', down: 'M12 5v14M6 13l6 6 6-6' };

export function Manage() {
  const [sure, setSure] = useState(false);
  const all = entries.value;
  if (sure) {
    return <Page key="wipe" title={t('OthersWipe')}>
      <Alert color="danger" live><p>{t('OthersWipeText')}</p></Alert>
      <Button variant="secondary" onTap={() => setSure(false)}>{t('OthersWipeNo')}</Button>
      <Button color="danger" onTap={() => void wipe().then(() => {
        said.value = news.value = t('OthersWiped');
        go({ at: 'home' });
      })}>{t('OthersWipeYes')}</Button>
    </Page>;
  }
  return <Page key="manage" title={t('OthersTitle')}>
    {all === null ? <Locked /> : <>
      {all.length > 1 && <Button variant="secondary" onTap={() => go({ at: 'others', show: { at: 'order' }, from: manage })}>{t('OthersOrder')}</Button>}
      {all.length > 0 && <Button variant="secondary" onTap={() => go({ at: 'others', show: { at: 'export' }, from: manage })}>{t('OthersExport')}</Button>}
      <Button variant="secondary" onTap={() => go({ at: 'others', show: { at: 'import' }, from: manage })}>{t('OthersImport')}</Button>
    </>}
    {guarded.value && <>
      <h2 class="ds-heading" data-size="2xs">{t('OthersStored')}</h2>
      <Guard />
      <Button variant="secondary" color="danger" onTap={() => setSure(true)}>{t('OthersWipe')}</Button>
    </>}
  </Page>;
}

/** Which of the two it is, in plain words, and the way to the better one. */
function Guard() {
  const [say, setSay] = useState<Say | null>(null);
  const better = async () => {
    try {
      setSay({ key: await protect() ? 'OthersProtected' : 'OthersProtectNot' });
    } catch (fault) {
      setSay(explain(fault));
    }
  };
  return <>
    <P>{t(guarded.value === 'unlock' ? 'OthersGuardUnlock' : 'OthersGuardDevice')}</P>
    {guarded.value === 'unlock' && <P>{t('OthersGuardUnlockKeep')}</P>}
    {canProtect() && <Button variant="secondary" onTap={() => void better()}>{t('OthersProtect')}</Button>}
    {say && <Alert color={say.key === 'OthersProtected' ? 'success' : 'warning'} live><p>{t(say.key)}</p></Alert>}
  </>;
}

/** For the settings: nothing where there are no other accounts. */
export function Guarded() {
  if (!guarded.value) return null;
  return <>
    <h2 class="ds-heading" data-size="2xs">{t('OthersTitle')}</h2>
    <Guard />
    <Button variant="secondary" onTap={() => go({ at: 'others', show: { at: 'manage' }, from: { at: 'settings' } })}>{t('OthersManage')}</Button>
  </>;
}

/** Two buttons to each account: no dragging, and every move is said. */
export function Order() {
  const all = entries.value ?? [];
  const list = useRef<HTMLOListElement>(null);
  const pressed = useRef<{ id: string; by: 'up' | 'down' } | null>(null);
  const [trouble, setTrouble] = useState<Say | null>(null);
  useLayoutEffect(() => {
    // The row has moved in the document, which takes the focus away; at an end of the list the button is off, and the other one takes over.
    if (!pressed.current) return;
    const row = list.current?.querySelector(`[data-id="${pressed.current.id}"]`);
    const [up, down] = row?.querySelectorAll('button') ?? [];
    (pressed.current.by === 'up' ? !up?.disabled ? up : down : !down?.disabled ? down : up)?.focus();
  }, [entries.value]);
  const move = async (id: string, by: 'up' | 'down') => {
    pressed.current = { id, by };
    try {
      await change(kept => {
        const from = kept.findIndex(one => one.id === id);
        const to = from + (by === 'up' ? -1 : 1);
        const [one] = from >= 0 && to >= 0 && to < kept.length ? kept.splice(from, 1) : [];
        if (one) kept.splice(to, 0, one);
        return kept;
      });
      const at = (entries.value ?? []).findIndex(one => one.id === id);
      const one = entries.value?.[at];
      if (one) said.value = t('OthersMoved', fullName(one), at + 1, entries.value!.length);
    } catch (fault) {
      setTrouble(explain(fault));
    }
  };
  return <Page title={t('OthersOrderTitle')}>
    <Trouble say={trouble} />
    <ol class="accounts order" ref={list}>{all.map((one, at) => <li key={one.id} data-id={one.id}>
      <Address text={fullName(one)} />
      <IconButton name={t('OthersUp', fullName(one))} path={arrows.up} off={at === 0} onTap={() => void move(one.id, 'up')} />
      <IconButton name={t('OthersDown', fullName(one))} path={arrows.down} off={at === all.length - 1} onTap={() => void move(one.id, 'down')} />
    </li>)}</ol>
  </Page>;
}

const shortestPassword = 12;

export function Export() {
  const [first, setFirst] = useState('');
  const [second, setSecond] = useState('');
  const [pin, setPin] = useState('');
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Say | null>(null);
  const [made, setMade] = useState<{ file: File; address: string; count: number } | null>(null);
  useEffect(() => () => { if (made) URL.revokeObjectURL(made.address); }, [made]);
  const make = async () => {
    if ([...first].length < shortestPassword) return setTrouble({ key: 'OthersPasswordShort' });
    if (first !== second) return setTrouble({ key: 'OthersPasswordDiffers' });
    setBusy(true);
    try {
      const wrong = onlyPin() ? await prove(accounts.value, pin) : null;
      setTrouble(wrong);
      if (wrong) return setBusy(false);
      const kept = await secrets();
      const text = await writeBackup(kept.map(({ id: _, ...account }) => account), first);
      const file = new File([text], `${t('OthersFileName')}-${new Date().toISOString().slice(0, 10)}.json`, { type: 'application/json' });
      setMade({ file, address: URL.createObjectURL(file), count: kept.length });
    } catch (fault) {
      setTrouble(explain(fault));
    }
    setBusy(false);
  };
  if (made) {
    return <Page key="made" title={t('OthersFileReady')}>
      <P>{t('OthersFileReadyText', made.count)}</P>
      <P>{t('OthersExportLost')}</P>
      <a class="ds-button" data-variant="primary" data-fullwidth href={made.address} download={made.file.name}>{t('OthersSaveFile')}</a>
      {navigator.canShare?.({ files: [made.file] }) && <Button variant="secondary"
        onTap={() => void navigator.share({ files: [made.file] }).catch(() => undefined) /* The person closed the sheet. */}>{t('OthersShareFile')}</Button>}
      <Button variant="secondary" onTap={() => go({ at: 'home' })}>{t('Done')}</Button>
    </Page>;
  }
  return <Page key="export" title={t('OthersExport')}>
    <P>{t('OthersExportText')}</P>
    <P>{t('OthersExportLost')}</P>
    <Form onSend={() => { if (!busy) void make(); }}>
      <Field id="password" label={t('OthersPassword')} hint={t('OthersPasswordHint')} type="password" complete="new-password" bad={trouble?.key === 'OthersPasswordShort'}
        value={first} onInput={text => { setFirst(text); setTrouble(null); }} />
      <Field id="password2" label={t('OthersPasswordAgain')} type="password" complete="new-password" bad={trouble?.key === 'OthersPasswordDiffers'}
        value={second} onInput={text => { setSecond(text); setTrouble(null); }} />
      {onlyPin() && <Field id="pin" label={t('Pin')} type="password" digits complete="current-password" max={12} bad={trouble?.key === 'PinWrong'} value={pin}
        onInput={text => { setPin(text); setTrouble(null); }} />}
      <Trouble say={trouble} />
      <Button submit busy={busy}>{t('OthersMakeFile')}</Button>
    </Form>
  </Page>;
}

const refusals = {
  unknown: 'OthersFileUnknown', newer: 'OthersFileNewer', 'aegis-encrypted': 'OthersFileAegis', '2fas-encrypted': 'OthersFile2fas',
} as const satisfies Record<Extract<Opened, { kind: 'refused' }>['why'], unknown>;

/** Thousands of accounts fit below it; nothing larger is read at all. */
const largest = 5_000_000;

export function Import() {
  const [opened, setOpened] = useState<Opened | null>(null);
  const choose = async (file: File | undefined) => {
    if (file) setOpened(file.size <= largest ? readFile(await file.text().catch(() => '')) : { kind: 'refused', why: 'unknown' });
  };
  return <Page title={t('OthersImport')}>
    <P>{t('OthersImportText')}</P>
    <div class="field">
      <label class="ds-label" for="file">{t('OthersChooseFile')}</label>
      <input class="ds-input" type="file" id="file" onChange={event => void choose(event.currentTarget.files?.[0])} />
    </div>
    {opened?.kind === 'refused' && <Trouble say={{ key: refusals[opened.why] }} />}
    {opened?.kind === 'found' && <FromFile found={opened.found} />}
    {opened?.kind === 'backup' && <FromBackup file={opened.file} />}
    {!opened && <>
      <P>{t('OthersImportGoogle')}</P>
      <Button variant="secondary" onTap={() => go({ at: 'camera', adding: 'other' })}><Icon path={icons.qr} />{t('ScanQr')}</Button>
    </>}
  </Page>;
}

function FromFile({ found }: { found: Found[] }) {
  if (found.length === 0) return <Trouble say={{ key: 'OthersFileEmpty' }} />;
  return <>
    <Alert color="warning" live><p>{t('OthersFileFound', found.length)}</p><p>{t('OthersFilePlain')}</p></Alert>
    <TakeIn found={found} />
  </>;
}

function FromBackup({ file }: { file: BackupFile }) {
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Say | null>(null);
  const take = async () => {
    setBusy(true);
    try {
      await ready(); // First: opening the file takes longer than a tap is remembered.
      const found = await readBackup(file, password);
      setTrouble(found ? await takeIn(found) : { key: 'OthersWrongPassword' });
    } catch (fault) {
      setTrouble(explain(fault));
    }
    setBusy(false);
  };
  return <Form onSend={() => { if (!busy) void take(); }}>
    <Field id="password" label={t('OthersPassword')} type="password" complete="current-password" bad={trouble?.key === 'OthersWrongPassword'} value={password}
      onInput={text => { setPassword(text); setTrouble(null); }} />
    <Trouble say={trouble} />
    <Button submit busy={busy} disabled={password === ''}>{t('OthersFetch')}</Button>
  </Form>;
}
