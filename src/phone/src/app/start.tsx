import { consentVersion } from '../core/product';
import { keep, note } from '../platform/store';
import { seldom } from './later';
import { Button, LanguageChoice, P, Page } from './parts';
import { go, lost } from './state';
import { t } from './words';

/** Ten minutes, like the code itself: through the consent, and through a reload. */
const keptFor = 600_000;
export const keepCode = (code: string, key?: string | null): void => keep('code', `${Date.now()} ${code} ${key ?? ''}`.trimEnd());
export function keptCode(): { code: string; key: string | null } | null {
  const [at, code, key] = (note('code') ?? '').split(' ');
  if (code && Date.now() - Number(at) < keptFor) return { code, key: key ?? null };
  keep('code', null);
  return null;
}

/** The move to another phone that this one has begun, through a reload: which account, and which move. */
export const begunMove = (): [account?: string, move?: string] => (note('moving') ?? '').split(' ') as [string?, string?];

/** Goes on with a code that came with the address. */
export const present = async (code: string, key: string | null): Promise<void> => (await seldom()).begin(code, { at: 'type' }, key);

/** Where one goes when the app is open and nothing else is asked. */
export function enter(): void {
  const kept = keptCode();
  // Who only gets an account back has agreed before; that screen says so.
  if (!agreed() && (kept || !lost.value)) return go({ at: 'consent' });
  if (kept) void present(kept.code, kept.key);
  else go({ at: 'home' });
}

export const agreed = (): boolean => note('consent') === consentVersion;

export function Consent() {
  return <Page title={t('PrivacyTitle')} leads={false}>
    <PrivacyText />
    <Button onTap={() => { keep('consent', consentVersion); enter(); }}>{t('Agree')}</Button>
    <LanguageChoice />
  </Page>;
}

export function PrivacyText() {
  return <div class="stack">
    <P>{t('PrivacyIntro')}</P>
    <h2 class="ds-heading" data-size="2xs">{t('PrivacyPhoneTitle')}</h2>
    <P>{t('PrivacyPhone')}</P>
    <h2 class="ds-heading" data-size="2xs">{t('PrivacyServerTitle')}</h2>
    <P>{t('PrivacyServer')}</P>
    <h2 class="ds-heading" data-size="2xs">{t('PrivacyTimeTitle')}</h2>
    <P>{t('PrivacyTime')}</P>
    <P>{t('PrivacyNot')}</P>
  </div>;
}

export function Privacy() {
  return <Page title={t('PrivacyTitle')}><PrivacyText /></Page>;
}
