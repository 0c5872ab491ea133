// SPDX-License-Identifier: Apache-2.0
// src/ -> dist/: scripts and one sheet with their hash in the name, index.html, and .gz and .br of each. Fails above the budget.
import { build } from 'esbuild';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const BUDGET = 60 * 1024; // JavaScript, CSS and HTML of the first load, brotli
// Parts fetched later (import('./x')) all reach src/core.ts: esbuild then keeps what is common in one chunk.
function commonCore() {
  const src = join(here, 'src'), later = new Set();
  for (const f of readdirSync(src, { recursive: true }).filter((x) => /\.tsx?$/.test(x))) for (const m of readFileSync(join(src, f), 'utf8').matchAll(/import\('(\.[^']+)'\)/g)) later.add(join(src, dirname(f), m[1]));
  return { name: 'common-core', setup(b) { b.onLoad({ filter: /\.tsx?$/ }, ({ path }) => (later.has(path) ? { contents: `${readFileSync(path, 'utf8')}\nimport ${JSON.stringify(join(src, 'core.ts'))};\n`, loader: path.endsWith('x') ? 'tsx' : 'ts' } : undefined)); } };
}
const here = dirname(fileURLToPath(import.meta.url)), out = join(here, 'dist');
const result = await build({ entryPoints: { vigie: join(here, 'src/main.tsx') }, bundle: true, splitting: true, minify: true, write: false, outdir: join(out, 'public'), format: 'esm', target: ['es2022', 'chrome123', 'firefox121', 'safari17.5'], jsx: 'automatic',
  jsxImportSource: 'preact', legalComments: 'none', charset: 'utf8', logLevel: 'warning', metafile: true, plugins: [commonCore()], entryNames: '[name]-[hash]', chunkNames: '[name]-[hash]' });
writeFileSync(join(here, 'node_modules/.vigie-meta.json'), JSON.stringify(result.metafile));

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, 'public'), { recursive: true });
const sizes = {};
function put(path, bytes) {
  const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  writeFileSync(join(out, path), bytes);
  writeFileSync(join(out, `${path}.br`), br);
  writeFileSync(join(out, `${path}.gz`), gzipSync(bytes, { level: 9 }));
  sizes[path] = br.length;
}
for (const f of result.outputFiles) put(`public/${basename(f.path)}`, Buffer.from(f.contents));
const outputs = Object.fromEntries(Object.entries(result.metafile.outputs).map(([k, v]) => [`public/${basename(k)}`, v])), named = (re) => Object.keys(outputs).find((k) => re.test(k));
const names = { js: basename(named(/vigie-\w+\.js$/)), css: basename(named(/\.css$/)) };
const licences = ['preact', 'uplot'].map((p) => `${p}\n${readFileSync(join(here, 'node_modules', p, 'LICENSE'), 'utf8')}`).join('\n');
writeFileSync(join(out, 'public', 'licences.txt'), licences);
put('index.html', Buffer.from(readFileSync(join(here, 'src/index.html'), 'utf8').replace('%CSS%', names.css).replace('%JS%', names.js)));

// What one address fetches before it is whole: the entry, what it imports, its page, its language, and what that page always draws.
const chunk = (source) => Object.keys(outputs).find((k) => outputs[k].entryPoint?.endsWith(source));
function reach(path, seen = new Set()) {
  if (!path || seen.has(path)) return seen;
  seen.add(path);
  for (const i of outputs[path]?.imports ?? []) if (i.kind === 'import-statement') reach(`public/${basename(i.path)}`, seen);
  return seen;
}
const LOADS = { '/': ['src/pages/Home.tsx'], '/d/...': ['src/pages/Dashboard.tsx'], '/d/... with the charts, which come while the queries run': ['src/pages/Dashboard.tsx', 'src/ui/SeriesPanel.tsx'], '/alerting': ['src/pages/Alerts.tsx'], '/login': ['src/pages/Login.tsx'] };
let over = false;
for (const [path, sources] of Object.entries(LOADS)) for (const lang of ['src/i18n/en.ts', 'src/i18n/fr.ts']) {
  const files = [named(/vigie-\w+\.js$/), ...[...sources, lang].map(chunk)].reduce((s, f) => reach(f, s), new Set()), total = [...files, `public/${names.css}`, 'index.html'].reduce((a, f) => a + sizes[f], 0);
  console.log(`${path.padEnd(14)} ${lang.slice(9, 11)}  ${files.size + 2} files  ${total} B brotli of ${BUDGET}`);
  over ||= total > BUDGET && !path.includes(' ');
}
console.log(`all            ${Object.values(sizes).reduce((a, b) => a + b, 0)} B brotli in ${Object.keys(sizes).length} files`);
if (over) { console.error(`web: a first load is above its budget of ${BUDGET} B brotli`); process.exit(1); }
