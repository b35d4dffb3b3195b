import { signal } from '@preact/signals';
import { Working } from './parts';
import type { Screen } from './state';

const chunk = signal<typeof import('./seldom') | null>(null);

/** Fetched when it is needed, or when there is nothing better to do. */
export const seldom = async (): Promise<typeof import('./seldom')> => chunk.value ??= await import('./seldom');

export function Later({ now }: { now: Screen }) {
  if (chunk.value) return <chunk.value.Seldom now={now} />;
  void seldom();
  return <Working text="OneMoment" />;
}
