import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { loadOtherWords } from '../generated/others';
import { OthersGone } from './enrol';
import { Alert, Button, Field, Form, LanguageChoice, P, Page, Trouble, Working } from './parts';
import { getBack, isOver, prepare, withPassword } from './rebind';
import { agreed, enter } from './start';
import { accounts, go, lost, others, type Proof, type Ready, restored, type Say, type Screen } from './state';
import { remember } from './watch';
import { learn, t } from './words';

export type EvictedScreen = Extract<Screen, { at: 'evicted' | 'password' | 'ways' | 'unsupported' }>
  /** Above the list of accounts. */
  | { at: 'notice' };

/** Most phones never delete anything: the words come when they are needed. */
const spoken = signal(false);

export function Evicted({ now }: { now: EvictedScreen }) {
  if (!spoken.value) {
    void learn(loadOtherWords).then(() => { spoken.value = true; });
    return now.at === 'notice' ? null : <Working text="OneMoment" />;
  }
  switch (now.at) {
    case 'notice': return <Notice />;
    case 'evicted': return <Offer error={now.error} />;
    case 'password': return <Password {...now} />;
    case 'ways': return <Ways helpdesk={now.helpdesk} />;
    case 'unsupported': return lost.value > 0 ? <Shut /> : <Unsupported />;
  }
}

/** Fetched as long as the screen is open, and renewed before it ends. */
function useReady(from: Ready | null): [Ready | Say | null, () => void] {
  const [found, setFound] = useState<Ready | Say | null>(from);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let left = false;
    const fetch = () => void prepare().then(answer => { if (!left) setFound(answer); });
    if (!from || asked > 0) fetch();
    const timer = setInterval(fetch, 240_000);
    return () => {
      left = true;
      clearInterval(timer);
    };
  }, [asked]);
  return [found, () => {
    setFound(null);
    setAsked(asked + 1);
  }];
}

function Offer({ error }: { error?: Say | undefined }) {
  const [found, again] = useReady(null);
  const [late, setLate] = useState(false);
  const sure = lost.value > 0;
  const start = accounts.value.length === 0 && !others.value && sure;
  const failed = found && 'key' in found ? found : null;
  const tap = () => {
    if (!found || failed) return again();
    const usable = found as Ready;
    if (!isOver(usable)) return void getBack(usable);
    setLate(true);
    again();
  };
  return <Page title={t(sure ? 'EvictedTitle' : 'EvictedMaybeTitle')} mark={start}>
    {sure ? <><P>{t('EvictedWhy')}</P><P>{t('EvictedHow')}</P></> : <P>{t('EvictedMaybe')}</P>}
    <OthersGone />
    <Trouble say={failed ?? (late ? { key: 'EvictedTooLate' } : error)} />
    {!agreed() && <P>{t('EvictedConsent')}</P>}
    <Button busy={found === null} onTap={tap}>{t(failed ? 'TryAgain' : 'EvictedGet')}</Button>
    <Button variant="secondary" onTap={() => go({ at: 'ways', helpdesk: found && 'begin' in found ? found.begin.helpdesk : null })}>{t('EvictedWays')}</Button>
    {!agreed() && <Button variant="tertiary" onTap={() => go({ at: 'privacy' })}>{t('PrivacyTitle')}</Button>}
    {start && <LanguageChoice />}
  </Page>;
}

type PasswordProps = { ready: Ready; credentialId: string; proof: Proof | null; error?: Say | undefined };

function Password({ ready: from, credentialId, proof, error }: PasswordProps) {
  // What has not been sent yet holds as it is; otherwise the passkey signs anew.
  const [found, again] = useReady(proof ? from : null);
  const [password, setPassword] = useState('');
  const [trouble, setTrouble] = useState<Say | null>(error ?? null);
  const usable = found && 'begin' in found ? found : null;
  const send = () => {
    if (password === '') return setTrouble({ key: 'EvictedPasswordWrong' });
    if (usable && !isOver(usable)) return void withPassword(usable, credentialId, proof?.ready === usable ? proof : null, password);
    setTrouble({ key: 'EvictedTooLate' });
    again();
  };
  return <Page title={t('EvictedPasswordTitle')}>
    <P>{t('EvictedPasswordText')}</P>
    <Form onSend={send}>
      <Field id="password" label={t('EvictedPassword')} hint={t('EvictedPasswordHint', from.begin.organisation)} type="password" complete="current-password" bad={trouble !== null} value={password}
        onInput={text => { setPassword(text); setTrouble(null); }} />
      <Trouble say={trouble ?? (found && 'key' in found ? found : null)} />
      <Button submit busy={found === null}>{t('EvictedGet')}</Button>
    </Form>
    <Button variant="secondary" onTap={() => go({ at: 'ways', helpdesk: from.begin.helpdesk })}>{t('EvictedWays')}</Button>
  </Page>;
}

function WaysText({ helpdesk }: { helpdesk: string | null }) {
  return <div class="stack">
    <h2 class="ds-heading" data-size="2xs">{t('EvictedComputerTitle')}</h2>
    <P>{t('EvictedComputer')}</P>
    <h2 class="ds-heading" data-size="2xs">{t('EvictedHelpTitle')}</h2>
    <P>{t('EvictedHelp')}</P>
    {helpdesk && <P><strong>{helpdesk}</strong></P>}
    <h2 class="ds-heading" data-size="2xs">{t('EvictedOthersTitle')}</h2>
    <P>{t('EvictedOthers')}</P>
  </div>;
}

/** The message goes with it; whoever wants the account back may still ask for it. */
function forget(): void {
  lost.value = 0;
  remember();
}

function Ways({ helpdesk }: { helpdesk: string | null }) {
  const afresh = () => {
    forget();
    if (agreed()) go({ at: 'method' });
    else enter();
  };
  return <Page title={t('EvictedWays')}>
    <WaysText helpdesk={helpdesk} />
    <Button variant="secondary" onTap={afresh}>{t('EvictedAfresh')}</Button>
  </Page>;
}

/** The browser keeps nothing at all (Lockdown Mode, some private windows). */
function Unsupported() {
  return <Page title={t('UnsupportedTitle')} leads={false}>
    <P>{t('UnsupportedText')}</P>
    <P>{t('UnsupportedLockdown')}</P>
  </Page>;
}

/** The browser does not open what it has kept. */
function Shut() {
  return <Page title={t('EvictedShutTitle')} leads={false}>
    <P>{t('EvictedShut')}</P>
    <P>{t('UnsupportedLockdown')}</P>
    <Button onTap={() => location.reload()}>{t('TryAgain')}</Button>
    <WaysText helpdesk={null} />
  </Page>;
}

function Notice() {
  return <>
    {restored.value && <Alert color="success" live><p>{t('EvictedDone')}</p></Alert>}
    {lost.value > 0 && <Alert color="warning">
      <h2 class="ds-heading" data-size="2xs">{t('EvictedMissingTitle')}</h2>
      <p>{t('EvictedMissingText')}</p>
      <Button variant="secondary" onTap={() => go({ at: 'evicted' })}>{t('EvictedGet')}</Button>
      <Button variant="tertiary" onTap={forget}>{t('EvictedDismiss')}</Button>
    </Alert>}
  </>;
}
