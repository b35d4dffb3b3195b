// Builds the app into dist/: hashed scripts and style in dist/assets/, the rest beside index.html, each text also compressed.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { prune } from './css.mjs';
import { png, svg } from './icons.mjs';

const root = new URL('../', import.meta.url);
const read = path => readFileSync(new URL(path, root), 'utf8');
const version = JSON.parse(read('package.json')).version;
const hash = (data, form = 'hex') => createHash('sha256').update(data).digest(form);
const integrity = data => `sha384-${createHash('sha384').update(data).digest('base64')}`;
const target = ['chrome111', 'safari16.4', 'firefox115'];
const common = { absWorkingDir: root.pathname, bundle: true, minify: true, write: false, target, charset: 'utf8', legalComments: 'none', logLevel: 'warning' };

/** Path below /phone/ → content. */
const files = new Map();

const sources = readdirSync(new URL('src/', root), { recursive: true }).filter(name => /\.(tsx?|html)$/.test(name)).map(name => read(`src/${name}`)).join('\n');
const style = await build({ ...common, entryPoints: ['src/styles/main.css'] });
const css = prune(style.outputFiles[0].text, sources);
const cssName = `assets/app-${hash(css).slice(0, 8)}.css`;
files.set(cssName, Buffer.from(css));

const app = await build({
  ...common, entryPoints: { app: 'src/app/main.tsx' }, format: 'esm', splitting: true, metafile: true, outdir: 'dist/assets',
  entryNames: '[name]-[hash]', chunkNames: '[name]-[hash]', jsx: 'automatic', jsxImportSource: 'preact', define: { VERSION: JSON.stringify(version) },
});
for (const { path, contents } of app.outputFiles) files.set(path.slice(path.indexOf('assets/')), Buffer.from(contents));
const name = start => [...files.keys()].find(path => path.startsWith(`assets/${start}-`) && path.endsWith('.js'));
const first = Object.entries(app.metafile.outputs).find(([, output]) => output.entryPoint === 'src/app/main.tsx');
const eager = [first[0], ...first[1].imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path)].map(path => path.slice(5));

files.set('index.html', Buffer.from(read('src/index.html')
  .replace('%CSS%', `/phone/${cssName}`).replace('%CSS-SRI%', integrity(files.get(cssName)))
  .replace('%PRELOAD%', eager.slice(1).map(path => `<link rel="modulepreload" href="/phone/${path}" integrity="${integrity(files.get(path))}">`).join('\n'))
  .replace('%JS%', `/phone/${eager[0]}`).replace('%JS-SRI%', integrity(files.get(eager[0])))
  .replace(/\n\s*/g, '\n')));
files.set('manifest.webmanifest', Buffer.from(JSON.stringify(JSON.parse(read('src/manifest.webmanifest')))));
files.set('icon.svg', Buffer.from(svg));
files.set('icon-180.png', png(180, 'full'));
files.set('icon-192.png', png(192, 'rounded'));
files.set('icon-512.png', png(512, 'rounded'));
files.set('icon-maskable-512.png', png(512, 'full', 0.8));
files.set('badge-96.png', png(96, 'none', 1.35));
files.set('licences.txt', Buffer.from(
  ['preact', '@preact/signals', '@preact/signals-core', 'qr', '@digdir/designsystemet-css', '@digdir/designsystemet-theme'].map(dependency => {
    const folder = `node_modules/${dependency}/`;
    const { license, version: its } = JSON.parse(read(`${folder}package.json`));
    const text = readdirSync(new URL(folder, root)).filter(file => /^licen[cs]e/i.test(file)).map(file => read(folder + file)).join('\n');
    return `${dependency} ${its} (${license})\n\n${text}`;
  }).join('\n\n----\n\n')));

// What works without a network: the shell, every script, and the pictures that a notification or a screen shows.
const kept = [...files.keys()].filter(path => path.startsWith('assets/') || ['index.html', 'manifest.webmanifest', 'icon.svg', 'icon-192.png', 'badge-96.png'].includes(path));
const worker = await build({
  ...common, entryPoints: ['src/worker/sw.ts'], format: 'iife', define: {
    FILES: JSON.stringify(kept.map(path => path === 'index.html' ? '/phone/' : `/phone/${path}`)),
    BUILD: JSON.stringify(hash(kept.map(path => path + hash(files.get(path))).join('\n')).slice(0, 16)),
  },
});
files.set('sw.js', Buffer.from(worker.outputFiles[0].contents));
files.set('SHA256SUMS', Buffer.from([...files].map(([path, data]) => `${hash(data)}  ${path}\n`).sort().join('')));

rmSync(new URL('dist', root), { recursive: true, force: true });
mkdirSync(new URL('dist/assets', root), { recursive: true });
const brotli = new Map();
for (const [path, data] of files) {
  const write = (ending, content) => writeFileSync(new URL(`dist/${path}${ending}`, root), content);
  write('', data);
  if (path.endsWith('.png')) continue;
  const small = brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: data.length } });
  brotli.set(path, small.length);
  write('.br', small);
  write('.gz', gzipSync(data, { level: 9 }));
}

for (const [path, size] of brotli) console.log(`${String(files.get(path).length).padStart(8)} ${String(size).padStart(7)} br  ${path}`);
const words = Math.max(...['words.nb', 'words.nn', 'words.en'].map(start => brotli.get(name(start)) ?? 0));
const firstLoad = ['index.html', cssName, ...eager].reduce((sum, path) => sum + brotli.get(path), 0) + words;
const gates = [['HTML + CSS + first JS with one language', firstLoad, 30_000], ['service worker', brotli.get('sw.js'), 6_000]];
for (const [what, size, most] of gates) {
  console.log(`${what}: ${size} of ${most} bytes brotli`);
  if (size > most) {
    console.error(`${what} is too large.`);
    process.exitCode = 1;
  }
}
