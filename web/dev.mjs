// SPDX-License-Identifier: Apache-2.0
// Serves dist/ with invented answers, so that the page can be worked on without the C server.
//   node dev.mjs [--port 18300] [--state busy|calm] [--lang en|fr] [--dashboards DIR] [--slow MS]
// Queries go to a real Prometheus (Debian's), started here on port+1 over a store made of the scenario; it ends with this program.
import { createServer, request } from 'node:http';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scenario } from './dev/scenario.mjs';

const here = dirname(fileURLToPath(import.meta.url)), arg = (name, d) => { const i = process.argv.indexOf(`--${name}`); return i < 0 ? d : process.argv[i + 1]; };
const port = Number(arg('port', '18300')), promPort = port + 1, state = arg('state', 'busy'), lang = arg('lang', ''), slow = Number(arg('slow', '0')), dashboards = arg('dashboards', join(here, '..', 'monitoring', 'grafana', 'dashboards'));

const work = mkdtempSync(join(tmpdir(), 'vigie-dev-')), data = scenario(state, Date.now());
writeFileSync(join(work, 'metrics.txt'), data.text);
writeFileSync(join(work, 'prometheus.yml'), 'global: {scrape_interval: 15s}\n');
execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(work, 'metrics.txt'), join(work, 'data')], { stdio: 'ignore' });
const prom = spawn('prometheus', [`--config.file=${join(work, 'prometheus.yml')}`, `--storage.tsdb.path=${join(work, 'data')}`, '--storage.tsdb.retention.time=10y', `--web.listen-address=127.0.0.1:${promPort}`, '--log.level=error'], { stdio: ['ignore', 'inherit', 'inherit'] });
const stop = () => { prom.kill(); rmSync(work, { recursive: true, force: true }); process.exit(0); };
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

const slug = (t) => t.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
function load() {
  const out = new Map();
  for (const f of existsSync(dashboards) ? readdirSync(dashboards).filter((x) => x.endsWith('.json')) : []) { try { const text = readFileSync(join(dashboards, f), 'utf8').replace(/^\ufeff/, ''), d = JSON.parse(text), m = d.dashboard ?? d; m.uid ||= slug(f.slice(0, 40)); out.set(m.uid, { model: m, file: f }); } catch { console.error(`left out: ${f}`); } }
  return out;
}
const boards = load();
let loggedIn = arg('login', '') === '', password = 'admin';
const url = ([uid, { model }]) => `/d/${uid}/${slug(model.title ?? uid)}`;
const sources = [{ id: 1, uid: 'prometheus', orgId: 1, name: 'Prometheus', type: 'prometheus', typeName: 'Prometheus', typeLogoUrl: '', access: 'proxy', url: 'http://prometheus:9090', user: '', database: '', basicAuth: false, isDefault: true, jsonData: { timeInterval: '15s' }, readOnly: true },
  { id: 2, uid: 'alertmanager', orgId: 1, name: 'Alertmanager', type: 'alertmanager', typeName: 'Alertmanager', typeLogoUrl: '', access: 'proxy', url: 'http://alertmanager:9093', user: '', database: '', basicAuth: false, isDefault: false, jsonData: {}, readOnly: true }];
const ok = (d) => ({ status: 'success', data: d });

function answer(path, query, body) {
  if (path === '/api/health') return { commit: 'dev', database: 'ok', version: '13.2.0' };
  if (path === '/api/frontend/settings') return { buildInfo: { version: '13.2.0', commit: 'dev' }, vigie: { lang, defaultPassword: password === 'admin', mustChangePassword: false, cluster: 'dreamscape-prod' } };
  if (path === '/login') { const { user, password: p } = JSON.parse(body || '{}'); if (user !== 'admin' || p !== password) return [401, { message: 'Invalid username or password' }]; loggedIn = true; return { message: 'Logged in', redirectUrl: '/' }; }
  if (!loggedIn) return [401, { message: 'Unauthorized' }];
  if (path === '/api/user') return { id: 1, email: 'admin@localhost', name: '', login: 'admin', theme: '', orgId: 1, isGrafanaAdmin: true, isDisabled: false, isExternal: false, authLabels: [], avatarUrl: '' };
  if (path === '/api/user/password') { const b = JSON.parse(body); if (b.oldPassword !== password) return [401, { message: 'invalid old password' }]; password = b.newPassword; return { message: 'User password changed' }; }
  if (path === '/api/datasources') return sources;
  if (path === '/api/search') return [...boards].filter(([, b]) => (b.model.title ?? '').toLowerCase().includes((query.get('query') ?? '').toLowerCase())).map((b, i) => ({ id: i + 1, uid: b[0], title: b[1].model.title, uri: `db/${slug(b[1].model.title ?? '')}`, url: url(b), slug: '', type: 'dash-db', tags: b[1].model.tags ?? [], isStarred: false }));
  const d = /^\/api\/dashboards\/uid\/(.+)$/.exec(path);
  if (d) { const b = boards.get(decodeURIComponent(d[1])); return b ? { dashboard: b.model, meta: { type: 'db', canSave: true, slug: slug(b.model.title ?? ''), url: url([d[1], b]), provisioned: true, provisionedExternalId: b.file } } : [404, { message: 'Dashboard not found' }]; }
  if (path === '/api/dashboards/import') { const b = JSON.parse(body), m = b.dashboard; m.uid ||= slug(m.title); boards.set(m.uid, { model: m, file: '' }); return { uid: m.uid, title: m.title, imported: true, importedUrl: url([m.uid, { model: m }]), slug: slug(m.title), dashboardId: boards.size }; }
  const am = /^\/api\/datasources\/proxy\/uid\/alertmanager\/api\/v2\/(\w+)$/.exec(path);
  if (am) return { alerts: data.am, silences: data.silences, status: { cluster: { status: 'disabled' }, versionInfo: { version: '0.34.0' } } }[am[1]];
  const p = /^\/api\/datasources\/proxy\/uid\/prometheus\/api\/v1\/(alerts|rules|targets)$/.exec(path);
  if (p) return ok({ alerts: { alerts: data.alerts }, rules: { groups: data.rules }, targets: { activeTargets: data.targets, droppedTargets: [] } }[p[1]]);
  return undefined;
}
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html; charset=utf-8', '.txt': 'text/plain' };
function file(path, res) {
  const name = join(here, 'dist', path.startsWith('/public/') ? path : 'index.html');
  if (!existsSync(name)) { res.writeHead(404).end(); return; }
  res.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream' }).end(readFileSync(name));
}
createServer((req, res) => {
  let body = '';
  req.on('data', (c) => { body += c; });
  req.on('end', () => {
    const u = new URL(req.url, 'http://localhost'), proxied = /^\/api\/datasources\/proxy\/uid\/prometheus(\/.*)$/.exec(req.url);
    if (u.pathname === '/logout') { loggedIn = false; res.writeHead(302, { Location: '/login' }).end(); return; }
    const a = u.pathname.startsWith('/api/') || (u.pathname === '/login' && req.method === 'POST') ? answer(u.pathname, u.searchParams, body) : undefined;
    if (a !== undefined) { const [code, json] = Array.isArray(a) && typeof a[0] === 'number' ? a : [200, a]; res.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(json)); return; }
    if (proxied) { setTimeout(() => { const r = request({ port: promPort, path: proxied[1], method: req.method, headers: { 'content-type': req.headers['content-type'] ?? '' } }, (up) => { res.writeHead(up.statusCode, { 'Content-Type': 'application/json' }); up.pipe(res); }); r.on('error', () => res.writeHead(502).end('{"message":"Bad Gateway"}')); r.end(body); }, slow); return; }
    if (u.pathname.startsWith('/api/')) { res.writeHead(404, { 'Content-Type': 'application/json' }).end('{"message":"Not found"}'); return; }
    file(u.pathname, res);
  });
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/  (${state}; Prometheus on ${promPort})`));
