declare const VERSION: string;

export const version: string = VERSION;

/** The text the person agrees to; a new text means a new version, and the person is asked again. */
export const consentVersion = '2026-11';
