/** Whether this is a phone or a tablet. An iPad calls itself a Macintosh; only its fingers give it away. */
export const isPhone = (agent = navigator.userAgent, touchPoints = navigator.maxTouchPoints): boolean =>
  /iPhone|iPad|iPod|Android/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1);

/** A name by which the person and the help desk recognise this phone. */
export function deviceName(agent = navigator.userAgent, touchPoints = navigator.maxTouchPoints): string {
  const device = /iPhone/.test(agent) ? 'iPhone'
    : /iPad/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1) ? 'iPad'
    : /Android/.test(agent) ? (/Android [\d.]+; ([^;)]+?)(?: Build|[;)])/.exec(agent)?.[1]?.replace(/^K$/, 'Android') ?? 'Android')
    : /Windows/.test(agent) ? 'Windows'
    : /Macintosh/.test(agent) ? 'Mac'
    : /CrOS/.test(agent) ? 'Chromebook'
    : 'Linux';
  const browser = /EdgA?\/|EdgiOS/.test(agent) ? 'Edge'
    : /SamsungBrowser/.test(agent) ? 'Samsung Internet'
    : /FxiOS|Firefox/.test(agent) ? 'Firefox'
    : /CriOS|Chrome/.test(agent) ? 'Chrome'
    : 'Safari';
  return `${device} · ${browser}`.slice(0, 60);
}
