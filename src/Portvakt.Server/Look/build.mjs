// Bundles the parts of Designsystemet that the pages use with our own few rules, cuts away what no page can match, and packs
// the scripts. Into wwwroot/design, each also compressed.
import { build } from 'esbuild';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { prune } from '../../phone/scripts/css.mjs';

const server = new URL('../', import.meta.url);
const design = new URL('wwwroot/design/', server);

// Whatever may write a class or an attribute: the pages, and the C# that draws a part of one. Not the page that shows them all: what no other page wears shall be bare there.
const pages = readdirSync(server, { recursive: true })
  .map(name => name.replaceAll('\\', '/'))
  .filter(name => /\.cshtml$|^Shared\/\w+\.cs$/.test(name) && !/^(bin|obj)\//.test(name) && name !== 'Shared/Design.cshtml')
  .map(name => readFileSync(new URL(name, server), 'utf8')).join('\n');

const bundle = async name => (await build({
  absWorkingDir: import.meta.dirname, entryPoints: [name], bundle: true, minify: true, write: false, charset: 'utf8', format: 'esm',
  legalComments: 'none', target: ['chrome111', 'safari16.4', 'firefox115'], logLevel: 'warning',
})).outputFiles[0].text;

rmSync(design, { recursive: true, force: true });
mkdirSync(design, { recursive: true });
for (const [name, text, most] of [['wait.js', await bundle('wait.js'), 2_500], ['passkey.js', await bundle('passkey.js'), 1_200], ['install.js', await bundle('install.js'), 1_000], ['install.css', await bundle('install.css'), 1_500], ['portvakt.css', prune(await bundle('portvakt.css'), pages), 12_000]]) {
  const data = Buffer.from(text);
  const small = brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: data.length } });
  for (const [ending, content] of [['', data], ['.br', small], ['.gz', gzipSync(data, { level: 9 })]]) writeFileSync(new URL(name + ending, design), content);
  console.log(`${name}: ${data.length} bytes, ${small.length} of ${most} brotli`);
  if (small.length > most) {
    console.error(`${name} is too large.`);
    process.exitCode = 1;
  }
}
