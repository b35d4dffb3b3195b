import { signal } from '@preact/signals';

type InstallPrompt = Event & { prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }> };

/** Android's own offer to install, kept until the person asks for it. */
export const offer = signal<InstallPrompt | null>(null);
addEventListener('beforeinstallprompt', event => {
  event.preventDefault();
  offer.value = event as InstallPrompt;
});
addEventListener('appinstalled', () => { offer.value = null; });

export const installed = (): boolean =>
  matchMedia('(display-mode: standalone)').matches || (navigator as { standalone?: boolean }).standalone === true;
