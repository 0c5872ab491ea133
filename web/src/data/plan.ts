// SPDX-License-Identifier: Apache-2.0
/* What:   a panel -> the queries it sends: source, interpolated expression, step, range.
 * Source: spec/grafana.md 2.1, 2.3, 2.5. */
import type { Frame, Json, Panel } from './model.ts';
import { resolveSource, type DataSource } from './datasource.ts';
import { interpolate, type Scope, scalar } from './interpolate.ts';
import { promText, queryScope } from './variables.ts';
import { alignRange, durationMs, isRelative, parseDate, queryStep, type TimeRange } from './time.ts';
import { autoNames, framesOf, type PromResult } from './frames.ts';
import { transform, transformKnown } from './transform.ts';

export interface Query { refId: string; uid: string; expr: string; written: string; instant: boolean; table: boolean; legend?: string; step: number; start: number; end: number }
export interface Plan { queries: Query[]; substituted: boolean; missing: string[]; range: TimeRange }
export interface PlanContext { range: TimeRange; now: number; width: number; sources: DataSource[]; scope: Scope; inputs: Json[] }

const DEFAULT_SCRAPE = 15_000;

/** A panel's own "2h" and "1d earlier" on top of the dashboard's range. */
export function panelRange(p: Panel, range: TimeRange, now: number): TimeRange {
  let r = range;
  if (p.timeFrom && isRelative(range.raw)) {
    const raw = { from: p.timeFrom.startsWith('now') ? p.timeFrom : `now-${p.timeFrom}`, to: 'now' }, from = parseDate(raw.from, now, false);
    if (from !== undefined) r = { from, to: now, raw };
  }
  const shift = durationMs(p.timeShift);
  return shift ? { ...r, from: r.from - shift, to: r.to - shift } : r;
}
export const panelScope = (p: Panel, scope: Scope): Scope => ({ ...scope, ...Object.fromEntries(Object.entries(p.scoped ?? {}).map(([k, v]) => [k, scalar(v)])) });

export function plan(p: Panel, ctx: PlanContext): Plan {
  const range = panelRange(p, ctx.range, ctx.now), scope = panelScope(p, ctx.scope), out: Plan = { queries: [], substituted: false, missing: [], range };
  for (const t of p.targets) {
    if (t.hide || !t.expr?.trim()) { if (!t.hide && t.expr === undefined && Object.keys(t).length > 2) noteMissing(out, p, t.datasource, ctx); continue; }
    const source = resolveSource(t.datasource, p.datasource, ctx.sources, scope, ctx.inputs);
    if ('missing' in source) { out.missing.push(source.missing); continue; }
    out.substituted ||= source.substituted;
    const scrape = durationMs(source.ds.jsonData?.timeInterval) ?? DEFAULT_SCRAPE;
    const ratePasses = /\$\{?__rate_interval\}?/.test(t.interval ?? ''), targetMin = ratePasses ? undefined : durationMs(t.interval ? interpolate(t.interval, scope) : undefined);
    const s = queryStep({ range, points: p.maxDataPoints || Math.max(100, Math.round(ctx.width)), panelMin: durationMs(p.interval ? interpolate(p.interval, scope) : undefined), targetMin, scrape, factor: t.intervalFactor, ratePasses });
    const qs = queryScope(scope, s), base = { uid: source.ds.uid, expr: promText(t.expr, qs), written: t.expr, table: t.format === 'table', legend: t.legendFormat ? interpolate(t.legendFormat, qs) : t.legendFormat, step: s.step, ...alignRange(range, s.step) };
    if (!t.instant || t.range) out.queries.push({ ...base, refId: t.refId, instant: false });
    if (t.instant) out.queries.push({ ...base, refId: t.range ? `${t.refId}_Instant` : t.refId, instant: true, end: range.to / 1000 });
  }
  return out;
}
function noteMissing(out: Plan, p: Panel, ref: Panel['datasource'], ctx: PlanContext): void {
  const source = resolveSource(ref, p.datasource, ctx.sources, ctx.scope, ctx.inputs);
  if ('missing' in source && source.missing) out.missing.push(source.missing);
}

/** Answers, in the order of the queries -> frames, transformed. */
export function collectFrames(p: Panel, queries: Query[], results: PromResult[]): Promise<Frame[]> {
  const tables = queries.filter((q) => q.table).length;
  const frames = queries.flatMap((q, i) => framesOf(results[i]!, { refId: q.refId, expr: q.expr, legend: q.legend, table: q.table, step: q.instant ? 0 : q.step * 1, valueName: q.table && tables > 1 ? `Value #${q.refId}` : 'Value' }));
  autoNames(frames);
  return transform(frames, p.transformations);
}
export const unknownTransforms = (p: Panel): string[] => p.transformations.filter((t) => !t.disabled && !transformKnown(t.id)).map((t) => t.id);
