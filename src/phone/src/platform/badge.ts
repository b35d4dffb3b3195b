/** The mark on the app's icon. Where there is none, nothing is lost. */
export function badge(waiting: boolean): void {
  if (waiting) navigator.setAppBadge?.(1).catch(() => undefined);
  else navigator.clearAppBadge?.().catch(() => undefined);
}
