import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { type Key, type Language, languages } from '../generated/words';
import { back, type Say } from './state';
import { change, language, t } from './words';

/** The heading of a screen takes the focus, so that a screen reader says where one is. */
export function Title({ children }: { children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Before the screen is painted: a moment later it could take the focus from a field that has just been tapped.
  useLayoutEffect(() => heading.current?.focus(), []);
  return <h1 class="ds-heading" data-size="sm" tabIndex={-1} ref={heading}>{children}</h1>;
}

type ButtonProps = {
  children: ComponentChildren;
  onTap?: () => void;
  variant?: 'primary' | 'secondary' | 'tertiary';
  color?: 'danger' | 'neutral';
  submit?: boolean;
  disabled?: boolean;
  busy?: boolean;
  wide?: boolean;
};

export function Button({ children, onTap, variant = 'primary', color, submit, disabled, busy, wide = true }: ButtonProps) {
  return <button class="ds-button" type={submit ? 'submit' : 'button'} data-variant={variant} data-color={color} data-fullwidth={wide || undefined}
    disabled={disabled} aria-busy={busy || undefined} onClick={onTap}>{children}</button>;
}

/** An icon that is a button: the name is for those who do not see it. */
export function IconButton({ name, path, off, onTap }: { name: string; path: string; off?: boolean; onTap: () => void }) {
  return <button class="ds-button" type="button" data-variant="tertiary" data-icon aria-label={name} title={name} disabled={off} onClick={onTap}><Icon path={path} /></button>;
}

export const Icon = ({ path }: { path: string }) =>
  <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"><path d={path} /></svg>;

export const icons = {
  back: 'M15 5l-7 7 7 7',
  plus: 'M12 5v14M5 12h14',
  gear: 'M4 7h9m5 0h2M4 17h2m5 0h9M13 7a2.5 2.5 0 105 0 2.5 2.5 0 10-5 0M6 17a2.5 2.5 0 105 0 2.5 2.5 0 10-5 0',
  qr: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM19 14h1M14 19v1',
  keys: 'M3 7h18v10H3zM7 11h.01M12 11h.01M17 11h.01M8 14h8',
  more: 'M12 5.5v.01M12 12v.01M12 18.5v.01',
};

type AlertProps = { color: 'info' | 'success' | 'warning' | 'danger'; children: ComponentChildren; live?: boolean };

export function Alert({ color, children, live }: AlertProps) {
  return <div class="ds-alert" data-color={color} role={live ? 'alert' : undefined}>{children}</div>;
}

/** What went wrong, said aloud as well. */
export const Trouble = ({ say }: { say: Say | null | undefined }) =>
  say ? <Alert color="danger" live><p>{t(say.key, ...(say.values ?? []))}</p></Alert> : null;

type PageProps = { title: ComponentChildren; children: ComponentChildren; leads?: boolean; mark?: boolean };

/** A screen with a way back, or one where a person arrives: that has the app's mark on top. */
export function Page({ title, children, mark = false, leads = !mark }: PageProps) {
  return <main class="page">
    {mark && <img class="mark" src="/phone/icon.svg" alt="" width="72" height="72" />}
    {leads && <div class="bar"><IconButton name={t('Back')} path={icons.back} onTap={back} /></div>}
    <Title>{title}</Title>
    {children}
  </main>;
}

export const P = ({ children }: { children: ComponentChildren }) => <p class="ds-paragraph">{children}</p>;

/** A name of a host, or an address at one: a long one breaks before a sign, and is never hyphenated, so that all that is seen belongs to it. */
export const Address = ({ text }: { text: string }) =>
  <span class="address">{text.split(/(?=[@.])/).map((part, at) => <>{at > 0 && <wbr />}{part}</>)}</span>;

type FieldProps = {
  id: string;
  label: string;
  hint?: string;
  bad?: boolean;
  value: string;
  onInput: (text: string) => void;
  type?: 'text' | 'password';
  /** Only digits, on the keyboard for digits. */
  digits?: boolean;
  look?: 'ds-input code-field' | 'ds-input number-field';
  complete?: 'new-password' | 'current-password' | 'one-time-code';
  placeholder?: string;
  max?: number;
};

export function Field({ id, label, hint, bad, value, onInput, type = 'text', digits = false, look, complete, placeholder, max }: FieldProps) {
  return <div class="field">
    <label class="ds-label" for={id}>{label}</label>
    {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
    <input class={look ?? 'ds-input'} type={type as 'text' /* the types know each kind of input apart, not a choice between two */} id={id} value={value} placeholder={placeholder} maxLength={max}
      autocomplete={complete ?? 'off'} autocapitalize={look === 'ds-input code-field' ? 'characters' : 'off'} spellcheck={false}
      inputMode={digits ? 'numeric' : 'text'} pattern={digits ? '[0-9]*' : undefined} enterkeyhint="done"
      aria-describedby={hint ? `${id}-hint` : undefined} aria-invalid={bad || undefined}
      onInput={event => {
        const field = event.currentTarget;
        if (digits) field.value = field.value.replace(/\D/g, '');
        onInput(field.value);
      }} />
  </div>;
}

/** How much is left, drawn; the screen says it once, when little is left. */
export function Ring({ left, of }: { left: number; of: number }) {
  return <svg class="ring" viewBox="0 0 36 36" aria-hidden="true">
    <circle cx="18" cy="18" r="15" pathLength={100} />
    <circle class="left" cx="18" cy="18" r="15" pathLength={100} stroke-dasharray={`${Math.max(0, Math.min(100, (left / of) * 100))} 100`} />
    <text x="18" y="22.5" text-anchor="middle" data-long={left > 99 || undefined}>{left}</text>
  </svg>;
}

/** A form that sends nothing anywhere: Enter and the button do the same. */
export function Form({ children, onSend }: { children: ComponentChildren; onSend: () => void }) {
  return <form class="stack" noValidate onSubmit={event => { event.preventDefault(); onSend(); }}>{children}</form>;
}

export function Working({ text }: { text: Key }) {
  return <main class="page middle" aria-busy="true">
    <svg class="spinner" viewBox="0 0 36 36" aria-hidden="true"><circle cx="18" cy="18" r="15" pathLength={100} stroke-dasharray="28 100" /></svg>
    <Title>{t(text)}</Title>
  </main>;
}

/** Each language in its own words: one who reads no Norwegian must find the way out. */
const names: Record<Language, string> = { nb: 'Bokmål', nn: 'Nynorsk', en: 'English' };

export function LanguageChoice() {
  return <div class="languages" role="group" aria-label={t('Language')}>
    {languages.map(one => <button key={one} type="button" class="ds-button" data-variant={language.value === one ? 'secondary' : 'tertiary'} lang={one}
      aria-pressed={language.value === one} onClick={() => void change(one)}>{names[one]}</button>)}
  </div>;
}
