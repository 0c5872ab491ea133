// SPDX-License-Identifier: Apache-2.0
/* What: any dashboard: its model migrated, its variables chosen, its panels on the grid, all of its state in the address. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import type { DashLink, Dashboard as Model, Panel } from '../data/model.ts';
import { loadDashboard } from '../data/migrate.ts';
import { layout } from '../data/grid.ts';
import { interpolate } from '../data/interpolate.ts';
import { dependsOn, makeScope, varParams } from '../data/variables.ts';
import { resolveRange, type TimeRange } from '../data/time.ts';
import * as api from '../api/grafana.ts';
import type { DashboardAnswer, SearchHit } from '../api/types.ts';
import { ApiError } from '../api/http.ts';
import { route, setQuery } from '../state/route.ts';
import { session } from '../state/session.ts';
import { setRefresh, tick } from '../state/clock.ts';
import { loadVariables, type VarState } from '../state/variables.ts';
import type { PanelData } from '../state/query.ts';
import { useStore } from '../state/store.ts';
import { Frame } from '../ui/Frame.tsx';
import { PanelBox, type PanelContext } from '../ui/PanelBox.tsx';
import { TimeBar, setRange } from '../ui/TimeBar.tsx';
import { VarBar } from '../ui/VarBar.tsx';
import { Icon } from '../ui/icons.tsx';
import { useTitle } from '../ui/hooks.ts';

export function DashboardPage({ uid }: { uid: string }) {
  const [answer, set] = useState<DashboardAnswer | undefined>(), [model, setModel] = useState<Model | undefined>(), [error, setError] = useState<ApiError | undefined>();
  useEffect(() => { let on = true; set(undefined); setModel(undefined); setError(undefined); api.dashboard(uid).then(async (a) => { const m = await loadDashboard(a.dashboard); if (on) { setModel(m); set(a); } }).catch((e: ApiError) => setError(e)); return () => { on = false; }; }, [uid]);
  const x = t();
  useTitle(model?.title ?? x.dashboards);
  if (error) return <Frame page="dash" title={x.dashboards}><section class="panel"><div class="body state pad"><b>{error.status === 404 ? x.dashMissing(uid) : error.message || x.netDown}</b><a class="btn" href="/dashboards">{x.goDashboards}</a></div></section></Frame>;
  return model && answer ? <Open model={model} answer={answer} key={uid} /> : <Frame page="dash" title=""><section class="panel"><div class="busy" /><div class="body" style={{ height: '120px' }} /></section></Frame>;
}

function Open({ model, answer }: { model: Model; answer: DashboardAnswer }) {
  const r = useStore(route), n = useStore(tick), [state, setState] = useState<VarState | undefined>(model.variables.length ? undefined : { vars: [], errors: {} }), [closed, setClosed] = useState<Record<number, boolean>>({}), stats = useRef(new Map<number, PanelData>()), [, foot] = useState(0);
  const raw = { from: r.query.get('from') ?? model.time.from, to: r.query.get('to') ?? model.time.to }, zone = r.query.get('timezone') || model.timezone, utc = zone === 'utc', refresh = r.query.get('refresh') ?? model.refresh;
  const now = useMemo(() => Date.now(), [n, raw.from, raw.to]), range = useMemo(() => resolveRange(raw, now, utc ? 'utc' : 'browser') ?? resolveRange({ from: 'now-1h', to: 'now' }, now)!, [now, raw.from, raw.to, utc]);
  useEffect(() => { setRefresh(refresh); return () => setRefresh(''); }, [refresh]);
  const varKey = [...r.query].filter(([k]) => k.startsWith('var-')).join(), onTime = model.variables.some((v) => v.refresh === 2) ? `${raw.from} ${raw.to}` : '';
  useEffect(() => { let on = true; if (model.variables.length) loadVariables(model, r.query, range, session.get().sources).then((s) => { if (on) setState(s); }); return () => { on = false; }; }, [varKey, onTime, model]);
  const scope = useMemo(() => (state ? makeScope(state.vars, range, { dashboard: model, login: session.get().user?.login }) : undefined), [state, range, model]);
  const report = (id: number, d: PanelData): void => { stats.current.set(id, d); foot((k) => k + 1); };
  const ctx: PanelContext | undefined = scope && { range, now, scope, sources: session.get().sources, inputs: model.inputs, key: `${range.from} ${range.to} ${n} ${state!.vars.map((v) => JSON.stringify([v.name, v.current, dependsOn(v).length ? v.options.length : 0])).join()}`, crosshair: model.crosshair, utc, zoom: (a, b) => setRange({ from: String(a), to: String(b) }), report, uid: model.uid };
  const isClosed = (p: Panel): boolean => closed[p.id] ?? !!p.collapsed, panels = useMemo(() => (state ? layout(model.panels, state.vars, isClosed) : []), [model, state, closed]);
  const shownVars = (state?.vars ?? []).filter((v) => v.hide !== 2 && v.type !== 'constant' && v.type !== 'adhoc').length, many = shownVars > 3;
  const alone = r.query.get('viewPanel')?.replace('panel-', ''), x = t(), file = answer.meta.provisioned ? answer.meta.provisionedExternalId : '';
  useEffect(() => { const esc = (e: KeyboardEvent): void => { if (e.key === 'Escape' && alone) setQuery({ viewPanel: null }, false); }; addEventListener('keydown', esc); return () => removeEventListener('keydown', esc); }, [alone]);
  return <Frame page="dash" title={model.title} crumb={x.dashboards} range={range} bar={<TimeBar range={range} refresh={refresh} intervals={model.intervals} />} extra={state && !many && <VarBar cls="vars desk" vars={state.vars} errors={state.errors} />}>
    {state && shownVars > 0 && <VarBar cls={`vars2${many ? ' always' : ''}`} vars={state.vars} errors={state.errors} />}
    <Links links={model.links} range={range} vars={state ? varParams(state.vars) : ''} uid={model.uid} />
    <div class={`grid${alone ? ' alone' : ''}`}>{ctx && panels.filter((p) => !alone || String(p.id) === alone).map((p) => (p.type === 'row' ? <Row key={`r${p.id}`} p={p} scope={ctx.scope} closed={isClosed(p)} toggle={() => setClosed({ ...closed, [p.id]: !isClosed(p) })} />
      : <div key={p.id} class="cell" style={alone ? undefined : { gridColumn: `${p.gridPos.x + 1} / span ${p.gridPos.w}`, gridRow: `${p.gridPos.y + 1} / span ${p.gridPos.h}`, '--h': `${p.gridPos.h * 38 - 8}px` }}><PanelBox panel={p} ctx={ctx} alone={!!alone} /></div>))}</div>
    <Foot panels={panels} stats={stats.current} file={file} notes={model.notes} /></Frame>;
}
function Row({ p, closed, toggle, scope }: { p: Panel; closed: boolean; toggle: () => void; scope: PanelContext['scope'] }) {
  const own = p.scoped ? { ...scope, ...Object.fromEntries(Object.entries(p.scoped).map(([k, v]) => [k, { values: [v], texts: [v], multi: false }])) } : scope;
  return <button class="rowhead" style={{ gridRow: `${p.gridPos.y + 1} / span 1` }} aria-expanded={!closed} title={closed ? t().openRow : t().closeRow} onClick={toggle}><Icon n={closed ? 'right' : 'down'} /><b>{interpolate(p.title, own)}</b>{closed && <span class="muted"> {t().panelsIn(p.panels?.length ?? 0)}</span>}</button>;
}
function Links({ links, range, vars, uid }: { links: DashLink[]; range: TimeRange; vars: string; uid: string }) {
  const [found, set] = useState<SearchHit[]>([]), tagged = links.filter((l) => l.type === 'dashboards');
  useEffect(() => { if (tagged.length) api.search('').then((h) => set(h.filter((y) => y.uid !== uid && tagged.some((l) => (l.tags ?? []).every((g) => y.tags.includes(g))))), () => {}); }, [uid]);
  const more = (l: DashLink): string => [l.keepTime ? `from=${range.raw.from}&to=${range.raw.to}` : '', l.includeVars ? vars : ''].filter(Boolean).join('&'), href = (l: DashLink, url: string): string => { const q = more(l); return q ? `${url}${url.includes('?') ? '&' : '?'}${q}` : url; };
  const safe = (url: string): boolean => /^(https?:\/\/|\/|\?|#|[\w.-]+(\/|$))/i.test(url);
  if (!links.length) return null;
  return <nav class="dlinks">{links.flatMap((l) => (l.type === 'dashboards' ? found.filter((h) => (l.tags ?? []).every((g) => h.tags.includes(g))).map((h) => <a class="btn" href={href(l, h.url)}>{h.title}</a>) : l.url && safe(l.url) ? [<a class="btn" href={href(l, l.url)} title={l.tooltip} target={l.targetBlank ? '_blank' : undefined} rel="noopener noreferrer"><Icon n="link" />{l.title}</a>] : []))}</nav>;
}
function Foot({ panels, stats, file, notes }: { panels: Panel[]; stats: Map<number, PanelData>; file: string; notes: string[] }) {
  const x = t(), real = panels.filter((p) => p.type !== 'row'), all = [...stats].filter(([id]) => real.some((p) => p.id === id)), queries = all.reduce((a, [, d]) => a + (d.plan?.queries.length ?? 0), 0);
  const slow = all.reduce<[number, PanelData] | undefined>((a, b) => (!a || b[1].ms > a[1].ms ? b : a), undefined), name = real.find((p) => p.id === slow?.[0])?.title ?? '';
  return <div class="foot">{all.length > 0 && <span>{x.panelFoot(real.length, queries, Math.round(slow?.[1].ms ?? 0), name)}</span>}{file && <span>{x.provisioned(file)}</span>}{notes.map((n) => <span>{n}</span>)}</div>;
}
