import assert from 'node:assert/strict';
import { createDecipheriv, hkdfSync, pbkdf2Sync, randomInt } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { type BackupFile, readBackup, writeBackup } from '../src/core/backup';
import { fromBase32, toBase32 } from '../src/core/base32';
import { open, seal, unlockKey } from '../src/core/box';
import { type Bytes, fromUtf8, random, utf8 } from '../src/core/bytes';
import { readFile } from '../src/core/foreign';
import { readMigration } from '../src/core/migration';
import { clean, type Found, isFlawed, judge, type OtherAccount, readOtpauth, readSecret, same } from '../src/core/other';
import { hotp, totp, totpKey } from '../src/core/totp';

const account = (change: Partial<OtherAccount> = {}): OtherAccount => ({
  issuer: 'GitHub', account: 'kari', secret: fromBase32('JBSWY3DPEHPK3PXP')!, algorithm: 'SHA1', digits: 6, kind: 'totp', period: 30, counter: 0, ...change });
const flaw = (found: Found | null) => found && isFlawed(found) ? found.flaw : found === null ? 'unreadable' : 'none';

// Codes.

const seeds = { SHA1: '12345678901234567890', SHA256: '12345678901234567890123456789012', SHA512: '1234567890123456789012345678901234567890123456789012345678901234' } as const;

test('Codes are those of RFC 6238, appendix B, with each hash', async () => {
  const table: [number, string, string, string][] = [
    [59, '94287082', '46119246', '90693936'], [1111111109, '07081804', '68084774', '25091201'], [1111111111, '14050471', '67062674', '99943326'],
    [1234567890, '89005924', '91819424', '93441116'], [2000000000, '69279037', '90698825', '38618901'], [20000000000, '65353130', '77737706', '47863826']];
  for (const [time, ...codes] of table) {
    for (const [at, algorithm] of (['SHA1', 'SHA256', 'SHA512'] as const).entries()) {
      assert.equal(await totp(await totpKey(utf8(seeds[algorithm]), algorithm), time, 8, 30), codes[at], `${algorithm} at ${time}`);
    }
  }
});

test('Counted codes are those of RFC 4226, appendix D', async () => {
  const key = await totpKey(utf8(seeds.SHA1), 'SHA1');
  const codes = ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489'];
  for (const [counter, code] of codes.entries()) assert.equal(await hotp(key, counter, 6), code);
});

const oathtool = spawnSync('oathtool', ['--version']).status === 0;
test('Codes are those of oathtool, for chance secrets, hashes, lengths and periods', { skip: !oathtool && 'oathtool is not installed' }, async () => {
  for (let round = 0; round < 24; round++) {
    const secret = random(randomInt(5, 65));
    const algorithm = (['SHA1', 'SHA256', 'SHA512'] as const)[round % 3]!;
    const [digits, period, now] = [randomInt(6, 9), randomInt(15, 121), randomInt(0, 4_000_000_000)];
    const { stdout } = spawnSync('oathtool', ['--base32', `--totp=${algorithm}`, `--digits=${digits}`, `--time-step-size=${period}s`, `--now=@${now}`, '-'], { input: `${toBase32(secret)}\n`, encoding: 'utf8' });
    assert.equal(await totp(await totpKey(secret, algorithm), now, digits, period), stdout.trim(), `${algorithm} ${digits} ${period} ${now}`);
  }
});

test('Base32 goes there and back, as RFC 4648 has it', () => {
  for (const [text, base32] of [['f', 'MY'], ['fo', 'MZXQ'], ['foo', 'MZXW6'], ['foob', 'MZXW6YQ'], ['fooba', 'MZXW6YTB'], ['foobar', 'MZXW6YTBOI']] as const) {
    assert.equal(toBase32(utf8(text)), base32);
    assert.equal(fromUtf8(fromBase32(base32)!), text);
  }
});

// otpauth.

test('An address of another service is read as other apps read it', () => {
  const read = (text: string) => {
    const found = readOtpauth(text);
    assert.ok(found && !isFlawed(found), text);
    return { ...found, secret: toBase32(found.secret) };
  };
  const plain = { issuer: '', account: '', secret: 'JBSWY3DPEHPK3PXP', algorithm: 'SHA1', digits: 6, kind: 'totp', period: 30, counter: 0 };
  const table: [string, Partial<typeof plain>][] = [
    ['otpauth://totp/GitHub:kari?secret=JBSWY3DPEHPK3PXP&issuer=GitHub', { issuer: 'GitHub', account: 'kari' }],
    ['otpauth://totp/Skatteetaten:kari%40eksempel.no?secret=JBSWY3DPEHPK3PXP&issuer=Skatteetaten&algorithm=SHA256&digits=8&period=60',
      { issuer: 'Skatteetaten', account: 'kari@eksempel.no', algorithm: 'SHA256', digits: 8, period: 60 }],
    ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP', { account: 'kari' }],
    ['otpauth://totp/?secret=JBSWY3DPEHPK3PXP&issuer=Bare%20tjenesten', { issuer: 'Bare tjenesten' }],
    ['otpauth://totp?secret=JBSWY3DPEHPK3PXP', {}],
    ['OTPAUTH://TOTP/Etsy%3A%20kari?SECRET=x&secret=jbsw%20y3dp+ehpk-3pxp===', { issuer: 'Etsy', account: 'kari' }],
    ['otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXP&issuer=Other', { issuer: 'Other', account: 'b' }],
    ['otpauth://totp/A:b:c?secret=JBSWY3DPEHPK3PXP', { issuer: 'A', account: 'b:c' }],
    ['otpauth://totp/k?secret=JBSWY3DPEHPK3PXP&algorithm=sha-512&digits=7&period=15', { account: 'k', algorithm: 'SHA512', digits: 7, period: 15 }],
    ['otpauth://totp/k?secret=JBSWY3DPEHPK3PXP&period=120&counter=nonsense', { account: 'k', period: 120 }],
    ['otpauth://hotp/k?secret=JBSWY3DPEHPK3PXP&counter=41&period=1', { account: 'k', kind: 'hotp', counter: 41 }],
    ['otpauth://totp/k?secret=JBSWY3DPEHPK3PXP&image=https%3A%2F%2Fevil.example%2Fx.png#fragment', { account: 'k' }],
  ];
  for (const [text, difference] of table) assert.deepEqual(read(text), { ...plain, ...difference }, text);
});

test('An address that no code can be made from is refused for what is wrong with it', () => {
  const table: [string, string][] = [
    ['otpauth://steam/kari?secret=JBSWY3DPEHPK3PXP', 'kind'], ['otpauth://totp/kari', 'secret'], ['otpauth://totp/kari?secret=', 'secret'],
    ['otpauth://totp/kari?secret=JBSWY30P', 'secret'], ['otpauth://totp/kari?secret=JBSW', 'secret'], [`otpauth://totp/kari?secret=${'A'.repeat(600)}`, 'secret'],
    ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP&algorithm=MD5', 'algorithm'], ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP&algorithm=__proto__', 'algorithm'],
    ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP&digits=5', 'digits'], ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP&digits=9', 'digits'],
    ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP&digits=6.5', 'digits'], ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP&digits=0x6', 'digits'],
    ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP&digits=-6', 'digits'], ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP&period=0', 'period'],
    ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP&period=14', 'period'], ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP&period=121', 'period'],
    ['otpauth://totp/kari?secret=JBSWY3DPEHPK3PXP&period=1e2', 'period'], ['otpauth://hotp/kari?secret=JBSWY3DPEHPK3PXP&counter=99999999999999999999', 'counter'],
    ['otpauth://hotp/kari?secret=JBSWY3DPEHPK3PXP&counter=-1', 'counter'], ['otpauth://totp/%E0%A4%A?secret=JBSWY3DPEHPK3PXP', 'unreadable'],
    [`otpauth://totp/${'k'.repeat(5000)}?secret=JBSWY3DPEHPK3PXP`, 'unreadable'], ['https://example.no/', 'unreadable'], ['otpauth://', 'unreadable'], ['', 'unreadable'],
  ];
  for (const [text, why] of table) assert.equal(flaw(readOtpauth(text)), why, text.slice(0, 90));
});

test('A name is one line that cannot turn its direction, of bounded length', () => {
  assert.equal(clean('a\u202egnp.exe\u2066\u0000\n b\u200b'), 'a gnp.exe b');
  assert.equal([...clean('å'.repeat(500))].length, 100);
  assert.equal(clean('👩‍🚀 '.repeat(3)), '👩 🚀 👩 🚀 👩 🚀');
  for (const value of [null, undefined, 7, {}, ['x']]) assert.equal(clean(value), '');
  const found = readOtpauth('otpauth://totp/%3Cimg%20src%3Dx%3E:%E2%80%AEkari?secret=JBSWY3DPEHPK3PXP');
  assert.deepEqual(found && !isFlawed(found) && [found.issuer, found.account], ['<img src=x>', 'kari']);
});

test('A typed secret may have spaces and dashes, and is refused when a sign is wrong', () => {
  assert.equal(toBase32(readSecret(' jbsw y3dp-ehpk 3pxp ')!), 'JBSWY3DPEHPK3PXP');
  for (const text of ['', 'JBSW', 'JBSWY3DPEHPK3PX0', 'JBSWY3DPEHPK3PX1', 'JBSWY3DPEHPK3PX8', 'passordet mitt!', 'A'.repeat(513)]) assert.equal(readSecret(text), null, text);
});

test('Two accounts are the same when they make the same codes, whatever they are called', () => {
  assert.ok(same(account(), account({ issuer: 'x', account: 'y', counter: 7 })));
  for (const change of [{ digits: 8 }, { period: 60 }, { algorithm: 'SHA256' as const }, { kind: 'hotp' as const }, { secret: fromBase32('JBSWY3DPEHPK3PXA')! }, { secret: fromBase32('JBSWY3DPEHPK3PXPJBSWY3DP')! }]) {
    assert.ok(!same(account(), account(change)), Object.keys(change)[0]);
  }
});

// Google Authenticator: the message is written here by the specification's own rules, with nothing of the app's.

const varint = (value: bigint): Buffer => {
  const bytes = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
};
const number = (field: number, value: number | bigint) => Buffer.concat([varint(BigInt(field) << 3n), varint(BigInt(value))]);
const bytes = (field: number, value: Uint8Array | string) => Buffer.concat([varint((BigInt(field) << 3n) | 2n), varint(BigInt(Buffer.from(value).length)), Buffer.from(value)]);
const entry = (...parts: Buffer[]) => bytes(1, Buffer.concat(parts));
const migration = (...parts: Buffer[]) => `otpauth-migration://offline?data=${encodeURIComponent(Buffer.concat(parts).toString('base64'))}`;
const hello = Buffer.from('48656c6c6f21deadbeef', 'hex');

test('The pictures of Google Authenticator are read, part by part', () => {
  const text = migration(
    entry(bytes(1, hello), bytes(2, 'kari@eksempel.no'), bytes(3, 'GitHub'), number(4, 1), number(5, 1), number(6, 2)),
    entry(bytes(1, hello), bytes(2, 'Ærlig:ola'), number(4, 3), number(5, 2), number(6, 2), bytes(8, 'id')),
    entry(bytes(1, hello), bytes(2, 'Teller:x'), bytes(3, 'Teller'), number(4, 2), number(5, 1), number(6, 1), number(7, 300)),
    entry(bytes(1, hello), bytes(2, 'gammel'), number(4, 4), number(6, 2)),
    number(2, 1), number(3, 3), number(4, 1), number(5, -1234567890));
  const batch = readMigration(text)!;
  assert.deepEqual([batch.id, batch.size, batch.index], [-1234567890, 3, 1]);
  const plain = { secret: 'JBSWY3DPEHPK3PXP', digits: 6, kind: 'totp', period: 30, counter: 0 };
  assert.deepEqual(batch.found.map(one => isFlawed(one) ? one : { ...one, secret: toBase32(one.secret) }), [
    { ...plain, issuer: 'GitHub', account: 'kari@eksempel.no', algorithm: 'SHA1' },
    { ...plain, issuer: 'Ærlig', account: 'ola', algorithm: 'SHA512', digits: 8 },
    { ...plain, issuer: 'Teller', account: 'x', algorithm: 'SHA256', kind: 'hotp', counter: 300 },
    { flaw: 'algorithm', name: 'gammel' }]);
});

test('A picture of one part, written long ago or with bare base64, is read as well', () => {
  const bare = Buffer.concat([entry(bytes(1, Buffer.from([0xfb, 0xef, 0xbe, 0xfb, 0xff])), bytes(2, 'k'))]);
  for (const data of [bare.toString('base64'), bare.toString('base64url')]) {
    const batch = readMigration(`otpauth-migration://offline?data=${data}`)!;
    assert.deepEqual([batch.size, batch.index, batch.found.length, flaw(batch.found[0]!)], [1, 0, 1, 'none']);
  }
});

test('A damaged or hostile picture of Google Authenticator is refused whole', () => {
  const good = Buffer.concat([entry(bytes(1, hello), bytes(2, 'k')), number(3, 1)]);
  const address = (data: Buffer) => `otpauth-migration://offline?data=${encodeURIComponent(data.toString('base64'))}`;
  assert.ok(readMigration(address(good)));
  // Cut anywhere it is damaged, or it is the whole account without what comes after it.
  for (let at = 1; at < good.length - 2; at++) assert.equal(readMigration(address(good.subarray(0, at))), null, `cut at ${at}`);
  for (const data of [
    Buffer.alloc(0), Buffer.from([0xff]), Buffer.alloc(11, 0xff), Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]), Buffer.from([0x0b]),
    Buffer.concat([good, number(3, 0xffff_ffff)]), Buffer.concat([good, number(4, 7)]), Buffer.concat([good, number(3, 0)]), number(3, 1),
    Buffer.concat([entry(bytes(2, Buffer.from([0xff, 0xfe])))]),
  ]) assert.equal(readMigration(address(data)), null, data.toString('hex'));
  for (const text of ['otpauth-migration://offline', 'otpauth-migration://offline?data=', 'otpauth-migration://offline?data=%%%', 'otpauth-migration://offline?data=a', `otpauth-migration://offline?data=${'A'.repeat(20_000)}`]) {
    assert.equal(readMigration(text), null, text.slice(0, 60));
  }
});

// Files of other apps.

const aegis = {
  version: 1, header: { slots: null, params: null },
  db: { version: 3, entries: [
    { type: 'totp', uuid: 'a', name: 'kari', issuer: 'GitHub', note: '', icon: null, info: { secret: 'JBSWY3DPEHPK3PXP', algo: 'SHA1', digits: 6, period: 30 } },
    { type: 'totp', uuid: 'b', name: 'kari', issuer: 'Lang', info: { secret: 'JBSWY3DPEHPK3PXP', algo: 'SHA512', digits: 8, period: 60 } },
    { type: 'hotp', uuid: 'c', name: 'teller', issuer: '', info: { secret: 'JBSWY3DPEHPK3PXP', algo: 'SHA256', digits: 6, counter: 12 } },
    { type: 'steam', uuid: 'd', name: 'spill', issuer: 'Steam', info: { secret: 'JBSWY3DPEHPK3PXP', algo: 'SHA1', digits: 5, period: 30 } },
    { uuid: 'e' }, null, 'x',
  ] },
};
const twoFas = {
  schemaVersion: 4, appVersionCode: 5_000_000, appOrigin: 'android', groups: [],
  services: [
    { name: 'Bank', secret: 'JBSWY3DPEHPK3PXP', order: { position: 1 }, otp: { account: 'ola', issuer: 'bank.example', digits: 6, period: 30, algorithm: 'SHA1', tokenType: 'TOTP', counter: 0, source: 'Link' } },
    { name: 'GitHub', secret: 'jbswy3dpehpk3pxp', order: { position: 0 }, otp: { label: 'kari', digits: 8, period: 60, algorithm: 'SHA256', tokenType: 'TOTP' } },
    { name: 'Teller', secret: 'JBSWY3DPEHPK3PXP', order: { position: 2 }, otp: { tokenType: 'HOTP', counter: 3, digits: 6 } },
    { name: 'Gammel', secret: 'JBSWY3DPEHPK3PXP', order: { position: 3 }, otp: {} },
    { name: 'Rar', secret: 'JBSWY3DPEHPK3PXP', order: { position: 4 }, otp: { algorithm: 'SHA224', tokenType: 'TOTP' } },
  ],
};
const opened = (value: unknown) => readFile(typeof value === 'string' ? value : JSON.stringify(value));

test('A file of Aegis is read, and what it has that this app has not is named', () => {
  const file = opened(aegis);
  assert.ok(file.kind === 'found');
  assert.deepEqual(file.found.map(one => isFlawed(one) ? [one.flaw, one.name] : [one.issuer, one.account, one.algorithm, one.digits, one.kind, one.period, one.counter]), [
    ['GitHub', 'kari', 'SHA1', 6, 'totp', 30, 0], ['Lang', 'kari', 'SHA512', 8, 'totp', 60, 0], ['', 'teller', 'SHA256', 6, 'hotp', 30, 12],
    ['kind', 'Steam · spill'], ['kind', ''], ['kind', ''], ['kind', '']]);
});

test('A file of 2FAS is read in its own order', () => {
  const file = opened(`\ufeff${JSON.stringify(twoFas)}`);
  assert.ok(file.kind === 'found');
  assert.deepEqual(file.found.map(one => isFlawed(one) ? [one.flaw, one.name] : [one.issuer, one.account, one.algorithm, one.digits, one.kind, one.period, one.counter]), [
    ['GitHub', 'kari', 'SHA256', 8, 'totp', 60, 0], ['Bank', 'ola', 'SHA1', 6, 'totp', 30, 0], ['Teller', '', 'SHA1', 6, 'hotp', 30, 3],
    ['Gammel', '', 'SHA1', 6, 'totp', 30, 0], ['algorithm', 'Rar']]);
});

test('An encrypted file of another app, a newer one of ours and anything else is refused by what it is', () => {
  const why = (value: unknown) => {
    const file = opened(value);
    return file.kind === 'refused' ? file.why : file.kind;
  };
  assert.equal(why({ version: 1, header: { slots: [{ type: 1 }], params: { nonce: '', tag: '' } }, db: 'c2VhbGVk' }), 'aegis-encrypted');
  assert.equal(why({ schemaVersion: 4, services: [], servicesEncrypted: 'a:b:c', reference: 'd:e:f' }), '2fas-encrypted');
  assert.equal(why({ format: 'portvakt-accounts', version: 2 }), 'newer');
  for (const value of ['', 'x', 'null', '[]', '1', '"x"', {}, { db: null, header: null }, { db: { entries: 1 }, header: {} }, { schemaVersion: 4, services: {} }, { format: 'portvakt-accounts', version: 1 }]) {
    assert.equal(why(value), 'unknown', JSON.stringify(value));
  }
});

test('An account of a file is believed in nothing', () => {
  const raw = { secret: 'JBSWY3DPEHPK3PXP' };
  for (const value of [{}, [], true, 1.5, -1, '6 ', Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(flaw(judge({ ...raw, digits: value })), 'digits', String(value));
  for (const secret of [null, undefined, 5, {}, [1, 2, 3, 4, 5, 6], new Uint8Array(4), new Uint8Array(257)]) assert.equal(flaw(judge({ secret })), 'secret', String(secret));
  assert.equal(flaw(judge({ ...raw, kind: { toString: () => 'totp' } })), 'none');
});

// Our own file.

const password = 'riktig hest batteri stift å';
const many = [account(), account({ issuer: 'Ærlig · «x»', secret: random(64), algorithm: 'SHA512', digits: 8, period: 60 }), account({ kind: 'hotp', counter: 41, secret: random(20) })];

test('What is exported comes back whole, and nothing in the file can be read', async () => {
  const text = await writeBackup(many, password);
  for (const secret of ['GitHub', 'kari', 'JBSWY3DP', ...many.map(one => toBase32(one.secret))]) assert.ok(!text.includes(secret), secret);
  const file = readFile(text);
  assert.ok(file.kind === 'backup');
  assert.deepEqual(await readBackup(file.file, password), many);
  assert.deepEqual(await readBackup(file.file, password.normalize('NFD')), many, 'another keyboard writes å in two parts');
  const again = readFile(await writeBackup(many, password));
  assert.ok(again.kind === 'backup' && again.file.kdf.salt !== file.file.kdf.salt && again.file.sealed !== file.file.sealed, 'no two files are alike');
});

test('Another program opens the file by its description', async () => {
  const file = JSON.parse(await writeBackup(many, password)) as BackupFile;
  assert.equal(file.version, 1);
  assert.ok(file.kdf.iterations >= 600_000);
  const key = pbkdf2Sync(password.normalize('NFC'), Buffer.from(file.kdf.salt, 'base64url'), file.kdf.iterations, 32, 'sha256');
  const sealed = Buffer.from(file.sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(file.cipher.iv, 'base64url')).setAAD(Buffer.from('portvakt-accounts/1')).setAuthTag(sealed.subarray(-16));
  const inside = JSON.parse(Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString()) as { accounts: Record<string, unknown>[] };
  assert.deepEqual(inside.accounts[0], { issuer: 'GitHub', account: 'kari', secret: 'JBSWY3DPEHPK3PXP', algorithm: 'SHA1', digits: 6, kind: 'totp', period: 30, counter: 0 });
});

test('A wrong password or one changed bit opens nothing', async () => {
  const file = JSON.parse(await writeBackup(many, password)) as BackupFile;
  const flip = (text: string) => text.replace(/^./, letter => letter === 'A' ? 'B' : 'A');
  assert.equal(await readBackup(file, `${password} `), null);
  assert.equal(await readBackup({ ...file, sealed: flip(file.sealed) }, password), null);
  assert.equal(await readBackup({ ...file, sealed: file.sealed.slice(0, -4) }, password), null);
  assert.equal(await readBackup({ ...file, cipher: { ...file.cipher, iv: flip(file.cipher.iv) } }, password), null);
  assert.equal(await readBackup({ ...file, kdf: { ...file.kdf, salt: flip(file.kdf.salt) } }, password), null);
  assert.equal(await readBackup({ ...file, kdf: { ...file.kdf, salt: 'not base64!' } }, password), null);
});

test('A file that asks for too little work, or for work without end, is not ours', () => {
  const file = { format: 'portvakt-accounts', version: 1, kdf: { name: 'PBKDF2-SHA256', iterations: 600_000, salt: '' }, cipher: { name: 'AES-256-GCM', iv: '' }, sealed: '' };
  assert.equal(opened(file).kind, 'backup');
  for (const iterations of [1, 599_999, 6_000_001, 1e300, -1, 700_000.5, '600000', null]) assert.equal(opened({ ...file, kdf: { ...file.kdf, iterations } }).kind, 'refused', String(iterations));
});

// At rest.

test('A box opens with its key under its label, and in no other way', async () => {
  const salt = random(32);
  const secret = random(32);
  const key = await unlockKey(secret, salt);
  const box = await seal(key, 'list', utf8('hemmelig'));
  assert.equal(fromUtf8(await open(await unlockKey(secret, salt), 'list', box)), 'hemmelig');
  await assert.rejects(open(key, 'key', box), 'another label');
  await assert.rejects(open(await unlockKey(random(32), salt), 'list', box), 'another passkey');
  await assert.rejects(open(await unlockKey(secret, random(32)), 'list', box), 'another salt');
  for (let at = 0; at < box.sealed.length; at++) {
    const sealed = box.sealed.slice() as Bytes;
    sealed[at]! ^= 1;
    await assert.rejects(open(key, 'list', { ...box, sealed }), `bit of byte ${at}`);
  }
  assert.equal(key.extractable, false);
});

test('The key of the unlock is HKDF-SHA-256 over what the passkey released', async () => {
  const [secret, salt] = [random(32), random(32)];
  const box = await seal(await unlockKey(secret, salt), 'x', utf8('hemmelig'));
  const key = Buffer.from(hkdfSync('sha256', secret, salt, 'portvakt/others/v1', 32));
  const decipher = createDecipheriv('aes-256-gcm', key, box.iv).setAAD(Buffer.from('x')).setAuthTag(box.sealed.subarray(-16));
  assert.equal(Buffer.concat([decipher.update(box.sealed.subarray(0, -16)), decipher.final()]).toString(), 'hemmelig');
});
