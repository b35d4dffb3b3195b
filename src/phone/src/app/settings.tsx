import { type Language, languages } from '../generated/words';
import { version } from '../core/product';
import { turnOn } from './accounts';
import { Alert, Button, P, Page } from './parts';
import { asked, go, push } from './state';
import { change, language, t } from './words';

/** Each language in its own words: one who reads no Norwegian must find the way out. */
const names: Record<Language, string> = { nb: 'Bokmål', nn: 'Nynorsk', en: 'English' };

export function LanguageChoice({ onChange }: { onChange: (chosen: Language) => Promise<void> }) {
  return <div class="languages" role="group" aria-label={t('Language')}>
    {languages.map(one => <button key={one} type="button" class="ds-button" data-variant={language.value === one ? 'secondary' : 'tertiary'} lang={one}
      aria-pressed={language.value === one} onClick={() => void onChange(one)}>{names[one]}</button>)}
  </div>;
}

export function Settings() {
  const state = push.value;
  return <Page title={t('Settings')}>
    <h2 class="ds-heading" data-size="2xs">{t('Language')}</h2>
    <LanguageChoice onChange={change} />
    <h2 class="ds-heading" data-size="2xs">{t('Notifications')}</h2>
    {state === 'allowed'
      ? <Alert color="success"><p>{t('NotifyOn')}</p></Alert>
      : <Alert color="warning"><p><strong>{t('NotifyOff')}</strong></p>
        <p>{t(state === 'ask' ? 'NotifyOffAsk' : state === 'refused' ? 'NotifyOffRefused' : 'NotifyOffUnsupported')}</p></Alert>}
    {state === 'ask' && asked.value.length > 0 && <Button onTap={() => void turnOn()}>{t('Allow')}</Button>}
    <h2 class="ds-heading" data-size="2xs">{t('About')}</h2>
    <P>{t('Version', version)} · <a class="ds-link" href="/phone/licences.txt">{t('Licences')}</a></P>
    <Button variant="secondary" onTap={() => go({ at: 'privacy' })}>{t('PrivacyTitle')}</Button>
  </Page>;
}
