import { useEffect, useState } from 'preact/hooks';
import type { Prepared } from '../core/statement';
import type { Decision, Purpose } from '../generated/contract';
import { approve, approveWithPin, decline, prepareApproval, timedOut } from './answer';
import { Address, Button, Field, Form, Icon, P, Ring, Title, Trouble } from './parts';
import { type Ending, go, now, request, said, type Say, type Screen } from './state';
import { language, t } from './words';

/** What the question is, and the sentence below it. */
const questions = {
  'sign-in': ['ApproveTitle', null],
  'enrolment-test': ['ApproveTestTitle', 'ApproveTestText'],
  caller: ['ApproveCallTitle', 'ApproveCallText'],
} as const satisfies Record<Purpose, unknown>;

const clockTime = (seconds: number): string =>
  new Intl.DateTimeFormat(language.value === 'en' ? 'en-GB' : 'nb-NO', { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(seconds * 1000);

export function Approve() {
  const { account, question: { context } } = request.value!;
  const [digits, setDigits] = useState('');
  const [pin, setPin] = useState('');
  const [prepared, setPrepared] = useState<Prepared | null>(null);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Say | null>(null);
  const withPin = account.bound.unlock.kind === 'pin';
  const [title, text] = questions[context.purpose];
  const isCall = context.purpose === 'caller';
  const left = Math.max(0, context.exp - now.value);

  useEffect(() => {
    setPrepared(null);
    if (digits.length !== context.digits) return;
    let stale = false;
    void prepareApproval(digits).then(made => { if (!stale) setPrepared(made); });
    return () => { stale = true; };
  }, [digits]);
  useEffect(() => { if (left === 0 && !busy) timedOut(); }, [left === 0, busy]);
  // The ring is for the eye; this is said once, when little is left.
  useEffect(() => { said.value = left > 20 ? '' : t('SecondsLeft', left); }, [left > 20]);

  const run = async (work: Promise<Say | null>) => {
    setBusy(true);
    setTrouble(await work);
    setBusy(false);
  };
  const say = () => {
    if (!prepared || busy) return;
    // No await before this: the tap belongs to the phone's unlock.
    void run(withPin ? approveWithPin(prepared, pin) : approve(prepared));
  };
  const no = (decision: Exclude<Decision, 'approve'>) => { if (!busy) void run(decline(decision)); };

  return <main class="page">
    <div class="headline">
      <Title>{t(title)}</Title>
      <Ring left={left} of={Math.max(1, context.exp - context.iat)} />
    </div>
    {text && <P>{t(text)}</P>}
    <dl class="facts ds-card">
      <dt>{t(isCall ? 'Caller' : 'Application')}</dt><dd><strong>{context.application}</strong></dd>
      {!isCall && <>
        <dt>{t('Place')}</dt><dd>{context.place ?? t('PlaceUnknown')} <span class="hint">({context.address})</span></dd>
        <dt>{t('Browser')}</dt><dd>{context.browser}</dd>
      </>}
      <dt>{t('Time')}</dt><dd>{clockTime(context.iat)}</dd>
      <dt>{t('Account')}</dt><dd><Address text={account.name} /></dd>
    </dl>
    <Form onSend={say}>
      <Field id="number" label={t(isCall ? 'CallNumberLabel' : 'NumberLabel')} digits max={context.digits} look="ds-input number-field" value={digits}
        onInput={text => { setDigits(text); setTrouble(null); }} />
      {withPin && <Field id="pin" label={t('Pin')} type="password" digits complete="current-password" max={12} value={pin} onInput={setPin} />}
      <Trouble say={trouble} />
      <div class="answers">
        <Button submit busy={busy} disabled={!prepared || (withPin && pin === '')}>{t(isCall ? 'ConfirmCall' : 'Approve')}</Button>
        <Button variant="secondary" color="danger" onTap={() => no('not-me')}>{t('NotMe')}</Button>
        <Button variant="secondary" color="neutral" onTap={() => no('cancelled')}>{t('Cancel')}</Button>
      </div>
    </Form>
  </main>;
}

const marks = { yes: 'M6 12.5l4 4 8-9', no: 'M7 7l10 10M17 7L7 17', clock: 'M12 6.5V12l3.5 2.5', warn: 'M12 6.5v7M12 17v.01' };
const endings = {
  approved: ['EndedApproved', 'EndedApprovedText', 'success', 'yes'],
  denied: ['EndedDenied', 'EndedDeniedText', 'info', 'no'],
  reported: ['EndedReported', 'EndedReportedText', 'warning', 'warn'],
  'wrong-number': ['EndedWrong', 'EndedWrongText', 'danger', 'no'],
  expired: ['EndedExpired', 'EndedExpiredText', 'warning', 'clock'],
  answered: ['EndedAnswered', 'EndedAnsweredText', 'info', 'yes'],
  nothing: ['EndedNothing', 'EndedNothingText', 'info', 'clock'],
} as const satisfies Record<Ending, unknown>;

/** Nobody was signed in and nothing was stopped: the helpdesk knows, or does not. */
const callEndings = {
  approved: ['EndedCallApproved', 'EndedCallApprovedText', 'success', 'yes'],
  denied: ['EndedDenied', 'EndedCallOverText', 'info', 'no'],
  reported: ['EndedCallReported', 'EndedCallReportedText', 'warning', 'warn'],
  'wrong-number': ['EndedWrong', 'EndedCallOverText', 'danger', 'no'],
  expired: ['EndedExpired', 'EndedCallOverText', 'warning', 'clock'],
  answered: endings.answered,
  nothing: endings.nothing,
} as const satisfies Record<Ending, unknown>;

export function Ended({ ending, application, purpose, then }: Extract<Screen, { at: 'ended' }>) {
  const [title, text, color, mark] = (purpose === 'caller' ? callEndings : endings)[ending];
  return <main class="page middle">
    <div class="medal" data-color={color}><Icon path={marks[mark]} /></div>
    <Title>{t(title)}</Title>
    <p class="ds-paragraph" role="alert">{ending === 'approved' && purpose === 'enrolment-test' ? t('EndedApprovedTest') : t(text, application)}</p>
    <Button onTap={() => go(then)}>{t('Done')}</Button>
  </main>;
}
