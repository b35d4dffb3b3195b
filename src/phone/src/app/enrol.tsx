import { useEffect, useRef, useState } from 'preact/hooks';
import { group } from '../core/code';
import type { CameraFault } from '../platform/camera';
import { scan } from '../platform/camera';
import { accept, allow, choosePin, refuse, scanned, typed } from './bind';
import { Address, Alert, Button, Field, Form, Icon, icons, P, Page, Trouble } from './parts';
import { type Adding, type Binding, go, othersLost, type Say, type Screen } from './state';
import { t } from './words';

/** By hand: each kind has its own form. */
const byHand = (adding: Adding): void =>
  go(adding === 'work' ? { at: 'type' } : { at: 'others', show: { at: 'type' }, from: { at: 'others', show: { at: 'method' } } });

function Methods() {
  return <>
    <Button onTap={() => go({ at: 'camera', adding: 'work' })}><Icon path={icons.qr} />{t('ScanQr')}</Button>
    <Button variant="secondary" onTap={() => byHand('work')}><Icon path={icons.keys} />{t('EnterCode')}</Button>
  </>;
}

/** Known only once the part of the app that keeps them has looked; its words are here then. */
export const OthersGone = () => othersLost.value
  ? <Alert color="warning"><h2 class="ds-heading" data-size="2xs">{t('EvictedOthersGone')}</h2><p>{t('EvictedOthers')}</p></Alert>
  : null;

export function First() {
  return <Page title={t('FirstTitle')} mark>
    <P>{t('FirstText')}</P>
    <OthersGone />
    <Methods />
    <Button variant="tertiary" onTap={() => go({ at: 'others', show: { at: 'method' } })}>{t('OtherAccount')}</Button>
    <Button variant="tertiary" onTap={() => go({ at: 'evicted' })}>{t('UsedBefore')}</Button>
    <Button variant="tertiary" onTap={() => go({ at: 'settings' })}>{t('Settings')}</Button>
  </Page>;
}

export function Kinds() {
  return <Page title={t('AddTitle')}>
    <Button variant="secondary" onTap={() => go({ at: 'method' })}>{t('WorkAccount')}</Button>
    <Button variant="secondary" onTap={() => go({ at: 'others', show: { at: 'method' }, from: { at: 'kind' } })}>{t('OtherAccount')}</Button>
  </Page>;
}

export function Method() {
  return <Page title={t('WorkAccount')}>
    <P>{t('FirstText')}</P>
    <Methods />
  </Page>;
}

export function CameraWhy({ adding }: { adding: Adding }) {
  return <Page title={t('CameraTitle')}>
    <P>{t('CameraText')}</P>
    <Button onTap={() => go({ at: 'scan', adding })}>{t('CameraOn')}</Button>
    <Button variant="tertiary" onTap={() => byHand(adding)}>{t('EnterCode')}</Button>
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
      const say = scanned(text);
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
    <Button variant={fault ? 'primary' : 'secondary'} onTap={() => byHand(adding)}>{t('EnterCode')}</Button>
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

export function Confirm({ binding, error }: { binding: Binding; error?: Say | undefined }) {
  const { organisation, account, audience } = binding.begin;
  return <Page title={t('ConfirmTitle')} leads={false}>
    <dl class="facts ds-card">
      <dt>{t('Organisation')}</dt><dd>{organisation}</dd>
      <dt>{t('Account')}</dt><dd><Address text={account} /></dd>
      <dt>{t('Address')}</dt><dd><Address text={audience.replace(/^https?:\/\//, '')} /></dd>
    </dl>
    {binding.begin.moves && <P>{t('ConfirmMove')}</P>}
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
