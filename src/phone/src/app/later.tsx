import { signal } from '@preact/signals';
import type { OthersScreen } from './others/screens';
import { Working } from './parts';
import type { Screen } from './state';

const chunk = signal<typeof import('./seldom') | null>(null);

/** Fetched when it is needed, or when there is nothing better to do. */
export const seldom = async (): Promise<typeof import('./seldom')> => chunk.value ??= await import('./seldom');

/** `notice`: above the list of accounts. */
export function Later({ now }: { now: Screen | { at: 'notice' } }) {
  if (chunk.value) return <chunk.value.Seldom now={now} />;
  void seldom();
  return now.at === 'notice' ? null : <Working text="OneMoment" />;
}

const moving = signal<typeof import('./move') | null>(null);

/** The screens of a move from one phone to another, on either. */
export function MoveLater() {
  if (moving.value) return <moving.value.Move />;
  void import('./move').then(async part => {
    await part.ready;
    moving.value = part;
  });
  return <Working text="OneMoment" />;
}

const otherAccounts = signal<typeof import('./others/screens') | null>(null);

/** The screens of other accounts, and below the list of work accounts that of the others. */
export function OthersLater({ show }: { show: OthersScreen }) {
  if (otherAccounts.value) return <otherAccounts.value.Others show={show} />;
  void import('./others/screens').then(async part => {
    await part.ready;
    otherAccounts.value = part;
  });
  return show.at === 'list' || show.at === 'guard' ? null : <Working text="OneMoment" />;
}
