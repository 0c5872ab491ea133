// SPDX-License-Identifier: Apache-2.0
/* What: one panel of a dashboard: header, the four states (loading, error, no data, stale), and its drawing inside. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { t } from '../i18n/index.ts';
import { clock, duration, fixed, when } from '../i18n/format.ts';
import type { Frame, Panel, ShownField, ShownFrame } from '../data/model.ts';
import type { Scope } from '../data/interpolate.ts';
import { interpolate } from '../data/interpolate.ts';
import { showFrames, fieldTemplate } from '../data/fields.ts';
import { panelScope, unknownTransforms, type PlanContext } from '../data/plan.ts';
import { usePanelData, type PanelData } from '../state/query.ts';
import { live, type Live } from '../state/live.ts';
import { theme } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { Icon, severityOf } from './icons.tsx';
import { useNow, useSeen, useSize, type Size } from './hooks.ts';
import { Pop } from './Pop.tsx';
import { setQuery } from '../state/route.ts';
import { DrawPanel, KNOWN } from './DrawPanel.tsx';
import { panelAlerts } from '../data/alerts.ts';
import { lazy } from './lazy.tsx';

const ErrorBox = lazy(async () => (await import('./PanelStates.tsx')).ErrorBox);
const NoDataBox = lazy(async () => (await import('./PanelStates.tsx')).NoDataBox);
const Inspect = lazy(async () => (await import('./Inspect.tsx')).Inspect);

export type PanelContext = Omit<PlanContext, 'width'> & { key: string; crosshair: number; utc: boolean; zoom: (from: number, to: number) => void; report: (id: number, data: PanelData) => void; uid: string };

export function PanelBox({ panel, ctx, alone }: { panel: Panel; ctx: PanelContext; alone?: boolean }) {
  const [ref, seen] = useSeen<HTMLElement>(), [body, size] = useSize<HTMLDivElement>(), l = useStore(live), dark = useStore(theme) === 'dark', [inspect, setInspect] = useState(false), [slow, setSlow] = useState(false);
  const queries = KNOWN.has(panel.type) && panel.type !== 'text', [data, cancel] = usePanelData(panel, ctx, size.w, seen && queries), scope = useMemo(() => panelScope(panel, ctx.scope), [panel, ctx.scope]);
  useEffect(() => { if (data.at) ctx.report(panel.id, data); }, [data.at]);
  useEffect(() => { if (!data.loadingSince) { setSlow(false); return undefined; } const i = setTimeout(() => setSlow(true), 250); return () => clearTimeout(i); }, [data.loadingSince]);
  const title = interpolate(panel.title, scope), frames = data.frames, source = frames && frames.some((f) => f.length > 0);
  const shown = useMemo(() => (source ? showFrames(frames, panel.fieldConfig, { dark, interpolate: (x) => interpolate(x, scope), palette: panel.type === 'timeseries', gauge: panel.type === 'gauge' }) : undefined), [frames, panel, dark, scope]);
  const alerts = useMemo(() => panelAlerts(panel, l), [panel, l]), stale = staleness(panel, data, frames, ctx.now), failed = data.failure && !(data.failure.network && source), empty = queries && frames !== undefined && !source && !failed;
  const critical = alerts.filter((a) => a.state === 'firing'), edge = failed ? ' edge c' : critical.length ? ` edge ${critical.some((a) => severityOf(a.labels.severity) === 'critical') ? 'c' : 'w'}` : '';
  const x = t(), notes = [...(data.plan?.substituted ? [x.substitutedWhy] : []), ...unknownTransforms(panel).map(x.unknownTransform)];
  return <section class={`panel dpanel${edge}${panel.transparent ? ' clear' : ''}`} ref={ref} id={`p${panel.id}`} aria-label={title}>
    <Busy data={data} cancel={cancel}>{(badge) => <header><h2 title={panel.description ?? title}>{title}</h2>{panel.timeFrom && !panel.hideTimeOverride && <span class="note">{panel.timeFrom}</span>}{panel.description && <span class="muted hint" title={interpolate(panel.description, scope)}><Icon n="info" /></span>}
      {panel.links.map((k) => <a class="muted" href={interpolate(k.url ?? '', scope)} target={k.targetBlank ? '_blank' : undefined} title={k.title}><Icon n="link" /></a>)}<span class="sp" />
      {badge ?? (failed ? <span class="badge crit"><Icon n="critical" />{data.failure!.network ? x.noAnswer : x.queryError}</span> : empty ? <span class="badge idle"><Icon n="none" />{x.noData}</span> : stale ? <span class="badge warn" title={when(stale.at, ctx.now)}><Icon n="clock" />{x.old(duration(ctx.now - stale.at))}</span>
        : critical.length ? <a class={`badge ${edge.endsWith('c') ? 'crit' : 'warn'}`} href="/alerting"><Icon n={edge.endsWith('c') ? 'critical' : 'warning'} />{x.alertsUse(critical.length)}</a> : notes.length ? <span class="badge idle" title={notes.join('\n')}><Icon n="info" /></span> : null)}
      <Menu panel={panel} alone={alone} inspect={() => setInspect(true)} /></header>}</Busy>
    <div class="body" ref={body}><Guard>{failed ? <ErrorBox panel={panel} failure={data.failure!} /> : empty ? <NoDataBox panel={panel} data={data} ctx={ctx} />
      : <DrawPanel panel={panel} shown={shown} size={size} dark={dark} ctx={ctx} scope={scope} old={stale !== undefined} faded={slow} marks={marksOf(critical)} title={title} link={(f, row) => cellLink(f, row, shown, scope)} />}</Guard>
      {stale && <p class="sub staletext">{x.valueOf(clock(stale.at))} {stale.why}</p>}</div>
    {inspect && <Inspect panel={panel} data={data} shown={shown} title={title} close={() => setInspect(false)} />}
  </section>;
}
/* The bar on top and "Loading 1.2 s" appear only when an answer takes its time; a quick one shows nothing. */
function Busy({ data, cancel, children }: { data: PanelData; cancel: () => void; children: (badge: ComponentChildren) => ComponentChildren }) {
  const on = data.loadingSince > 0, now = useNow(100, on), took = on ? now - data.loadingSince : 0, x = t();
  const n = data.frames?.length ?? 0;
  return <>{took > 250 && <div class="busy" />}{children(took > 250 ? <span class="badge muted" role="status">{x.loading(fixed(took / 1000, 1), n)}{took > 1000 && <button class="btn small" onClick={cancel}>{x.cancel}</button>}</span> : undefined)}</>;
}
function Menu({ panel, alone, inspect }: { panel: Panel; alone?: boolean; inspect: () => void }) {
  const x = t();
  return <span class="pmenu"><Pop right cls="btn ic bare" title={x.more} label={<Icon n="more" />}>{(close) => <ul class="menu"><li><button onClick={() => { close(); setQuery({ viewPanel: alone ? null : String(panel.id) }, false); }}>{alone ? x.exitView : x.view}</button></li><li><button onClick={() => { close(); inspect(); }}>{x.inspect}</button></li></ul>}</Pop></span>;
}
/* One panel that cannot be drawn never takes its neighbours along. */
import { Component } from 'preact';
class Guard extends Component<{ children: ComponentChildren }, { error: string }> {
  state = { error: '' };
  componentDidCatch(e: Error): void { this.setState({ error: String(e.message) }); }
  render() { return this.state.error ? <div class="state"><b>{t().brokenPanel}</b><code>{this.state.error}</code><span class="sub">{t().othersFine}</span></div> : this.props.children; }
}

const marksOf = (alerts: { activeAt: string; labels: Record<string, string> }[]) => {
  const first = alerts.reduce<{ activeAt: string; labels: Record<string, string> } | undefined>((a, b) => (!a || Date.parse(b.activeAt) < Date.parse(a.activeAt) ? b : a), undefined);
  return first ? [{ at: Date.parse(first.activeAt), label: `${clock(Date.parse(first.activeAt))} ${first.labels.alertname ?? ''}`, color: '' }] : [];
};
const cellLink = (f: ShownField, row: number, shown: ShownFrame[] | undefined, scope: Scope): string | undefined => {
  const url = f.config.links?.[0]?.url, frame = shown?.find((s) => s.fields.includes(f));
  if (!url || !frame) return undefined;
  const at = (name: string): string => { const c = frame.fields.find((z) => z.title === name || z.name === name); return c ? String(c.values[row] ?? '') : ''; };
  const text = url.replace(/\$\{__data\.fields(?:\.([\w-]+)|\[["']?([^\]"']+)["']?\])\}/g, (_, a?: string, b?: string) => encodeURIComponent(at(a ?? b ?? ''))).replace(/\$\{__value(?:\.\w+)?\}|\$__cell(?!_)/g, encodeURIComponent(String(f.values[row] ?? '')));
  return interpolate(fieldTemplate(text, f, { refId: frame.refId, fields: [], length: 0 }), scope);
};

/** Stale: the range ends now, yet every series ended well before, or the answer itself is from before a failure. */
export function staleness(panel: Panel, data: PanelData, frames: Frame[] | undefined, now: number): { at: number; why: string } | undefined {
  if (!frames?.some((f) => f.length)) return undefined;
  if (data.failure?.network) return { at: data.at, why: t().netDown };
  if (!['stat', 'gauge', 'timeseries'].includes(panel.type) || data.to < data.at - 60_000) return undefined;
  let last = 0, step = 0;
  for (const f of frames) { const time = f.fields.find((x) => x.type === 'time'); if (!time?.interval || !f.length) continue; step = Math.max(step, time.interval); last = Math.max(last, Number(time.values[f.length - 1])); }
  if (!last || data.to - last <= Math.max(3 * step, 90_000) || data.plan?.queries.some((q) => q.instant)) return undefined;
  return { at: last, why: downText(live.get(), now) };
}
export function downText(l: Live, now: number): string {
  const down = l.targets.filter((x) => x.health === 'down');
  return down.map((d) => t().lastError(`${d.labels.job ?? d.scrapePool}, ${when(Date.parse(d.lastScrape), now)}: ${d.lastError.replace(/[.\s]+$/, '')}`)).slice(0, 2).join(' ');
}
export type { Size };
