// Bundles the parts of Designsystemet that the pages use with our own few rules, and cuts away what no page can match.
import { build } from 'esbuild';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { prune } from '../../phone/scripts/css.mjs';

const server = new URL('../', import.meta.url);
const most = 12_000;

// Whatever may write a class or an attribute: the pages, and the C# that draws a part of one.
const pages = readdirSync(server, { recursive: true })
  .filter(name => /\.cshtml$|^Shared\/\w+\.cs$/.test(name.replaceAll('\\', '/')) && !/^(bin|obj)\b/.test(name))
  .map(name => readFileSync(new URL(name, server), 'utf8')).join('\n');

const { outputFiles: [bundle] } = await build({
  absWorkingDir: import.meta.dirname, entryPoints: ['portvakt.css'], bundle: true, minify: true, write: false, charset: 'utf8',
  legalComments: 'none', target: ['chrome111', 'safari16.4', 'firefox115'], logLevel: 'warning',
});
const css = Buffer.from(prune(bundle.text, pages));
const small = brotliCompressSync(css, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: css.length } });

const design = new URL('wwwroot/design/', server);
mkdirSync(design, { recursive: true });
for (const [ending, content] of [['.br', small], ['.gz', gzipSync(css, { level: 9 })], ['', css]]) writeFileSync(new URL(`portvakt.css${ending}`, design), content);
console.log(`portvakt.css: ${css.length} bytes, ${small.length} of ${most} brotli`);
if (small.length > most) {
  console.error('portvakt.css is too large.');
  process.exitCode = 1;
}
