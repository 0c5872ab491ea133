// SPDX-License-Identifier: Apache-2.0
// Bundles every test with esbuild (no loader needed, so Node 18 runs them) and hands them to node's own runner.
import { build } from 'esbuild';
import { readdirSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url)), out = join(here, '..', 'node_modules', '.cache', 'vigie-test');
rmSync(out, { recursive: true, force: true });
const only = process.argv[2];
const entryPoints = readdirSync(here).filter((f) => /\.test\.tsx?$/.test(f) && (!only || f.includes(only))).map((f) => join(here, f));
await build({ entryPoints, outdir: out, outExtension: { '.js': '.mjs' }, bundle: true, platform: 'node', format: 'esm', target: 'node18', jsx: 'automatic', jsxImportSource: 'preact',
  sourcemap: 'inline', loader: { '.css': 'empty' }, logLevel: 'warning', define: { VIGIE_WEB: JSON.stringify(join(here, '..')) } });
const files = readdirSync(out).filter((f) => f.endsWith('.mjs')).map((f) => join(out, f));
process.exit(spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], { stdio: 'inherit', env: { ...process.env, TZ: 'UTC' } }).status ?? 1);
