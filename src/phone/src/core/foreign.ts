import { type BackupFile, isBackup, isNewerBackup } from './backup';
import { type Found, judge } from './other';

/** What a chosen file turned out to be. */
export type Opened =
  | { kind: 'backup'; file: BackupFile }
  | { kind: 'found'; found: Found[] }
  | { kind: 'refused'; why: 'unknown' | 'newer' | 'aegis-encrypted' | '2fas-encrypted' };

type Thing = Record<string, unknown>;
const thing = (value: unknown): Thing => typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Thing : {};
const refused = (why: Extract<Opened, { kind: 'refused' }>['why']): Opened => ({ kind: 'refused', why });

/** Our own file, or the JSON of Aegis or 2FAS. */
export function readFile(text: string): Opened {
  let file: Thing;
  try {
    file = thing(JSON.parse(text.replace(/^\ufeff/, '')));
  } catch {
    return refused('unknown');
  }
  if (isBackup(file)) return { kind: 'backup', file };
  if (isNewerBackup(file)) return refused('newer');

  // Aegis: the accounts, or one text when they are encrypted.
  if ('db' in file && 'header' in file) {
    if (typeof file['db'] === 'string') return refused('aegis-encrypted');
    const entries = thing(file['db'])['entries'];
    return Array.isArray(entries) ? { kind: 'found', found: entries.map(readAegis) } : refused('unknown');
  }
  // 2FAS: the services, or their place is empty and one text stands beside.
  if ('schemaVersion' in file && ('services' in file || 'servicesEncrypted' in file)) {
    if (typeof file['servicesEncrypted'] === 'string' && file['servicesEncrypted'] !== '') return refused('2fas-encrypted');
    const services = file['services'];
    return Array.isArray(services) ? { kind: 'found', found: read2fas(services.map(thing)) } : refused('unknown');
  }
  return refused('unknown');
}

function readAegis(value: unknown): Found {
  const { type, issuer, name, info } = thing(value);
  const { secret, algo, digits, period, counter } = thing(info);
  return judge({ kind: type ?? 'unknown', issuer, account: name, secret, algorithm: algo, digits, period, counter });
}

function read2fas(services: Thing[]): Found[] {
  const place = (service: Thing): number => Number(thing(service['order'])['position'] ?? 0);
  return [...services].sort((a, b) => place(a) - place(b)).map(service => {
    const { issuer, account, label, digits, period, algorithm, tokenType, counter } = thing(service['otp']);
    return judge({ kind: tokenType, issuer: service['name'] ?? issuer, account: account ?? label, secret: service['secret'], algorithm, digits, period, counter });
  });
}
