import { useEffect, useRef, useState } from 'preact/hooks';
import { fromBase32 } from '../core/bytes';
import { group, type OtherAccount } from '../core/code';
import type { CameraFault } from '../platform/camera';
import { scan } from '../platform/camera';
import { accept, addOther, allow, choosePin, refuse, scanned, typed } from './bind';
import { Address, Alert, Button, Field, Form, Icon, icons, P, Page, Trouble } from './parts';
import { type Adding, type Binding, go, type Say, type Screen } from './state';
import { Lost } from './start';
import { t } from './words';

function Methods({ adding }: { adding: Adding }) {
  return <>
    <Button onTap={() => go({ at: 'camera', adding })}><Icon path={icons.qr} />{t('ScanQr')}</Button>
    <Button variant="secondary" onTap={() => go({ at: 'type', adding })}><Icon path={icons.keys} />{t('EnterCode')}</Button>
  </>;
}

export function First() {
  return <Page title={t('FirstTitle')} mark>
    <P>{t('FirstText')}</P>
    <Lost />
    <Methods adding="work" />
    <Button variant="tertiary" onTap={() => go({ at: 'kind' })}>{t('OtherAccount')}</Button>
    <Button variant="tertiary" onTap={() => go({ at: 'settings' })}>{t('Settings')}</Button>
  </Page>;
}

export function Kinds() {
  return <Page title={t('AddTitle')}>
    <Button variant="secondary" onTap={() => go({ at: 'method', adding: 'work' })}>{t('WorkAccount')}</Button>
    <Button variant="secondary" onTap={() => go({ at: 'method', adding: 'other' })}>{t('OtherAccount')}</Button>
    <P>{t('OtherAccountText')}</P>
  </Page>;
}

export function Method({ adding }: { adding: Adding }) {
  return <Page title={t(adding === 'work' ? 'WorkAccount' : 'OtherAccount')}>
    <P>{t(adding === 'work' ? 'FirstText' : 'OtherAccountWhere')}</P>
    <Methods adding={adding} />
  </Page>;
}

export function CameraWhy({ adding }: { adding: Adding }) {
  return <Page title={t('CameraTitle')}>
    <P>{t('CameraText')}</P>
    <Button onTap={() => go({ at: 'scan', adding })}>{t('CameraOn')}</Button>
    <Button variant="tertiary" onTap={() => go({ at: 'type', adding })}>{t('EnterCode')}</Button>
  </Page>;
}

export function Scan({ adding }: { adding: Adding }) {
  const video = useRef<HTMLVideoElement>(null);
  const [fault, setFault] = useState<CameraFault | null>(null);
  const [trouble, setTrouble] = useState<Say | null>(null);
  useEffect(() => {
    let stop: (() => void) | null = null;
    let left = false;
    let last = '';
    void scan(video.current!, text => {
      if (left || text === last) return;
      last = text;
      const say = scanned(text, adding);
      setTrouble(say);
      if (!say) navigator.vibrate?.(40);
    }).then(camera => {
      if (typeof camera === 'string') setFault(camera);
      else if (left) camera.stop();
      else stop = camera.stop;
    }, () => setFault('none'));
    return () => {
      left = true;
      stop?.();
    };
  }, []);
  return <Page title={t('ScanQr')}>
    {fault
      ? <Alert color="warning" live><p>{t(fault === 'refused' ? 'CameraRefused' : 'CameraNone')}</p></Alert>
      : <div class="viewfinder"><video ref={video} muted playsInline aria-label={t('CameraView')} /></div>}
    <Trouble say={trouble} />
    {!fault && <P>{t('ScanHint')}</P>}
    <Button variant={fault ? 'primary' : 'secondary'} onTap={() => go({ at: 'type', adding })}>{t('EnterCode')}</Button>
  </Page>;
}

export function TypeWork({ error, before }: { error?: Say | undefined; before?: string | undefined }) {
  const [code, setCode] = useState(group(before ?? ''));
  const [trouble, setTrouble] = useState<Say | null>(error ?? null);
  return <Page title={t('EnterCode')}>
    <Form onSend={() => setTrouble(typed(code))}>
      <Field id="code" label={t('CodeLabel')} hint={t('CodeHint')} bad={trouble !== null} value={code} placeholder="XXXX-XXXX-XXXX" look="ds-input code-field"
        onInput={text => { setCode(group(text)); setTrouble(null); }} />
      <Trouble say={trouble} />
      <Button submit>{t('Next')}</Button>
    </Form>
  </Page>;
}

export function TypeOther() {
  const [issuer, setIssuer] = useState('');
  const [account, setAccount] = useState('');
  const [secret, setSecret] = useState('');
  const [bad, setBad] = useState(false);
  const send = () => {
    const bytes = fromBase32(secret);
    if (bytes && issuer.trim()) void addOther({ issuer: issuer.trim(), account: account.trim(), secret: bytes, algorithm: 'SHA1', digits: 6, period: 30 });
    else setBad(true);
  };
  return <Page title={t('OtherAccount')}>
    <Form onSend={send}>
      <Field id="issuer" label={t('OtherIssuer')} hint={t('OtherIssuerHint')} bad={bad && !issuer.trim()} value={issuer} onInput={setIssuer} />
      <Field id="account" label={t('OtherName')} value={account} onInput={setAccount} />
      <Field id="secret" label={t('OtherSecret')} hint={t('OtherSecretHint')} bad={bad && !fromBase32(secret)} value={secret}
        onInput={text => { setSecret(text); setBad(false); }} />
      {bad && <Trouble say={{ key: issuer.trim() ? 'OtherSecretBad' : 'OtherIssuerMissing' }} />}
      <Button submit>{t('AddAccount')}</Button>
    </Form>
  </Page>;
}

export function Other({ account }: { account: OtherAccount }) {
  return <Page title={t('ConfirmTitle')}>
    <dl class="facts ds-card">
      <dt>{t('OtherIssuer')}</dt><dd>{account.issuer || t('Unnamed')}</dd>
      <dt>{t('Account')}</dt><dd>{account.account || t('Unnamed')}</dd>
    </dl>
    <P>{t('OtherAccountText')}</P>
    <Button onTap={() => void addOther(account)}>{t('ConfirmYes')}</Button>
    <Button variant="secondary" onTap={() => go({ at: 'home' })}>{t('ConfirmNo')}</Button>
  </Page>;
}

export function Confirm({ binding, error }: { binding: Binding; error?: Say | undefined }) {
  const { organisation, account, audience } = binding.begin;
  return <Page title={t('ConfirmTitle')} leads={false}>
    <dl class="facts ds-card">
      <dt>{t('Organisation')}</dt><dd>{organisation}</dd>
      <dt>{t('Account')}</dt><dd><Address text={account} /></dd>
      <dt>{t('Address')}</dt><dd><Address text={audience.replace(/^https?:\/\//, '')} /></dd>
    </dl>
    {binding.unlock === 'passkey' && <P>{t('ConfirmUnlock')}</P>}
    <Trouble say={error} />
    <Button onTap={() => void accept(binding)}>{t('ConfirmYes')}</Button>
    <Button variant="secondary" onTap={refuse}>{t('ConfirmNo')}</Button>
  </Page>;
}

export function ChoosePin({ binding }: { binding: Binding }) {
  const [first, setFirst] = useState('');
  const [second, setSecond] = useState('');
  const [trouble, setTrouble] = useState<Say | null>(null);
  const send = () => {
    if (!/^\d{4,12}$/.test(first)) setTrouble({ key: 'PinShort' });
    else if (first !== second) setTrouble({ key: 'PinDiffers' });
    else void choosePin(binding, first);
  };
  return <Page title={t('PinTitle')} leads={false}>
    <P>{t('PinText')}</P>
    <Form onSend={send}>
      <Field id="pin" label={t('Pin')} type="password" digits complete="new-password" max={12} value={first}
        onInput={text => { setFirst(text); setTrouble(null); }} />
      <Field id="pin2" label={t('PinAgain')} type="password" digits complete="new-password" max={12} value={second}
        onInput={text => { setSecond(text); setTrouble(null); }} />
      <Trouble say={trouble} />
      <Button submit>{t('Next')}</Button>
    </Form>
  </Page>;
}

export function Notify({ binding }: { binding: Binding }) {
  return <Page title={t('NotifyTitle')} leads={false}>
    <P>{t('NotifyText')}</P>
    <P>{t('NotifyNoText')}</P>
    <Button onTap={() => void allow(binding, true)}>{t('Allow')}</Button>
    <Button variant="secondary" onTap={() => void allow(binding, false)}>{t('NotNow')}</Button>
  </Page>;
}

export function Problem({ say, again }: { say: Say; again: Screen }) {
  return <Page title={t('ProblemTitle')}>
    <Trouble say={say} />
    <Button onTap={() => go(again)}>{t('TryAgain')}</Button>
  </Page>;
}
