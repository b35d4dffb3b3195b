import { version } from '../core/product';
import { turnOn } from './accounts';
import { OthersLater } from './later';
import { Alert, Button, LanguageChoice, P, Page } from './parts';
import { accounts, asked, go, others, push } from './state';
import { t } from './words';

export function Settings() {
  const state = push.value;
  return <Page title={t('Settings')}>
    {(accounts.value.length > 0 || others.value) && <Button variant="secondary" onTap={() => go({ at: 'move' })}>{t('MoveTitle')}</Button>}
    <h2 class="ds-heading" data-size="2xs">{t('Language')}</h2>
    <LanguageChoice />
    <h2 class="ds-heading" data-size="2xs">{t('Notifications')}</h2>
    {state === 'allowed'
      ? <Alert color="success"><p>{t('NotifyOn')}</p></Alert>
      : <Alert color="warning"><p><strong>{t('NotifyOff')}</strong></p>
        <p>{t(state === 'ask' ? 'NotifyOffAsk' : state === 'refused' ? 'NotifyOffRefused' : 'NotifyOffUnsupported')}</p></Alert>}
    {state === 'ask' && asked.value.length > 0 && <Button onTap={() => void turnOn()}>{t('Allow')}</Button>}
    <OthersLater show={{ at: 'guard' }} />
    <h2 class="ds-heading" data-size="2xs">{t('About')}</h2>
    <P>{t('Version', version)} · <a href="/phone/licences.txt">{t('Licences')}</a></P>
    <Button variant="secondary" onTap={() => go({ at: 'privacy' })}>{t('PrivacyTitle')}</Button>
  </Page>;
}
