// Bundles each test with esbuild (they import the app's TypeScript) and hands them to node's own runner.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../', import.meta.url).pathname;
const out = mkdtempSync(join(tmpdir(), 'portvakt-phone-'));
const tests = readdirSync(join(root, 'test')).filter(file => file.endsWith('.test.ts'));
await build({
  absWorkingDir: root, entryPoints: tests.map(file => `test/${file}`), outdir: out, bundle: true, format: 'esm', platform: 'node', target: 'node20',
  outExtension: { '.js': '.mjs' }, sourcemap: 'inline', define: { VERSION: '"0.0.0"', ROOT: JSON.stringify(join(root, '../..')) }, logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...process.argv.slice(2), ...tests.map(file => join(out, file.replace('.ts', '.mjs')))], { stdio: 'inherit' });
rmSync(out, { recursive: true });
process.exit(status ?? 1);
