import { useState } from 'preact/hooks';
import { title } from './accounts';
import { Address, Alert, Button, Field, Form, P, Page } from './parts';
import { accounts, go } from './state';
import { forget, save } from './watch';
import { t } from './words';

export function OneAccount({ id }: { id: string }) {
  const account = accounts.value.find(one => one.id === id);
  const [name, setName] = useState(account?.name ?? '');
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);
  if (!account) return null;
  const remove = async () => {
    setBusy(true);
    await forget(id);
    go({ at: 'home' });
  };
  if (sure) {
    return <Page key="remove" title={t('Remove')}>
      <p class="ds-paragraph"><strong>{title(account)}</strong>{account.issuer && <><br /><Address text={account.name} /></>}</p>
      <Alert color="danger" live><p>{t('RemoveBoundText')}</p></Alert>
      <Button variant="secondary" onTap={() => setSure(false)}>{t('Keep')}</Button>
      <Button color="danger" busy={busy} onTap={() => void remove()}>{t('RemoveYes')}</Button>
    </Page>;
  }

  return <Page key="options" title={title(account)}>
    <Form onSend={() => void save({ ...account, name: name.trim() || account.name }).then(() => go({ at: 'home' }))}>
      <Field id="name" label={t('NameLabel')} hint={t('NameHint')} max={60} value={name} onInput={setName} />
      <Button submit>{t('Save')}</Button>
    </Form>
    <Button variant="secondary" color="danger" onTap={() => setSure(true)}>{t('Remove')}</Button>
    <P>{t(account.bound.unlock.kind === 'pin' ? 'KindPin' : 'KindPasskey')}</P>
  </Page>;
}

