// SPDX-License-Identifier: Apache-2.0
/* What:   Prometheus' answers -> frames, and the names of their series.
 * Source: spec/grafana.md 2.5 and 2.6. */
import type { Field, Frame, Labels, Value } from './model.ts';

export type Sample = [number, string];
export interface PromSeries { metric: Labels; values?: Sample[]; value?: Sample }
export interface PromResult { resultType: 'matrix' | 'vector' | 'scalar' | 'string'; result: PromSeries[] | Sample }
export interface FrameInput { refId: string; expr: string; legend?: string; table: boolean; step: number; start?: number; end?: number; valueName?: string }

const SPECIAL: Record<string, number> = { '+Inf': Infinity, Inf: Infinity, '-Inf': -Infinity, NaN: NaN };
export const parseNumber = (s: string): number => SPECIAL[s] ?? Number(s);

export function quote(s: string): string { return JSON.stringify(s).replace(/[\u007f]/g, '\\x7f'); }
export function labelText(labels: Labels): string {
  const pairs = Object.keys(labels).filter((k) => k !== '__name__').sort().map((k) => `${k}=${quote(labels[k]!)}`);
  return pairs.length ? `{${pairs.join(', ')}}` : '';
}
/** Rule 1 and 2 of the name; `__auto` is settled later, when all series of the panel are known. */
export function seriesName(labels: Labels, legend: string | undefined, expr: string): string {
  if (legend && legend !== '__auto') {
    const text = legend.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, l: string) => labels[l] ?? '');
    return text === '{}' ? expr : text;
  }
  return ((labels.__name__ ?? '') + labelText(labels)) || expr;
}

function seriesOf(r: PromResult): PromSeries[] {
  if (r.resultType === 'scalar' || r.resultType === 'string') return [{ metric: {}, value: r.result as Sample }];
  return r.result as PromSeries[];
}
const samples = (s: PromSeries): Sample[] => s.values ?? (s.value ? [s.value] : []);
const time = (values: number[], interval?: number): Field => ({ name: 'Time', type: 'time', values, config: {}, ...(interval ? { interval } : {}) });

export function framesOf(result: PromResult, q: FrameInput): Frame[] {
  if (q.table) return [tableFrame(seriesOf(result), q)];
  return seriesOf(result).map((s) => {
    const rows = samples(s), value: Field = { name: 'Value', type: 'number', values: rows.map((x) => parseNumber(x[1])), labels: s.metric, config: {}, dsName: q.legend === '__auto' ? undefined : seriesName(s.metric, q.legend, q.expr) };
    return { refId: q.refId, fields: [time(rows.map((x) => Math.round(x[0] * 1000)), q.step), value], length: rows.length };
  });
}

/** One frame a query: Time, every label sorted, Value. */
function tableFrame(series: PromSeries[], q: FrameInput): Frame {
  const names = [...new Set(series.flatMap((s) => Object.keys(s.metric)))].sort();
  const rows: { t: number; labels: Labels; v: number }[] = [];
  for (const s of series) for (const x of samples(s)) rows.push({ t: Math.round(x[0] * 1000), labels: s.metric, v: parseNumber(x[1]) });
  rows.sort((a, b) => a.t - b.t);
  const fields: Field[] = series.length === 0 ? [] : [time(rows.map((r) => r.t)), ...names.map((n): Field => ({ name: n, type: 'string', values: rows.map((r): Value => r.labels[n] ?? ''), config: {} })),
    { name: q.valueName ?? 'Value', type: 'number', values: rows.map((r): Value => r.v), config: {} }];
  return { refId: q.refId, fields, length: rows.length };
}

/** `__auto`: what tells the series of a panel apart. */
export function autoNames(frames: Frame[]): void {
  const auto = frames.flatMap((f) => f.fields.filter((x) => x.type === 'number' && x.labels && x.dsName === undefined));
  if (!auto.length) return;
  const keys = new Set(auto.flatMap((f) => Object.keys(f.labels!).filter((k) => k !== '__name__')));
  const only = keys.size === 1 ? [...keys][0]! : undefined;
  const common = auto.length > 1 ? [...keys].filter((k) => auto.every((f) => f.labels![k] === auto[0]!.labels![k])) : [];
  for (const f of auto) {
    const rest: Labels = {};
    for (const k of keys) if (f.labels![k] !== undefined && !common.includes(k)) rest[k] = f.labels![k]!;
    f.dsName = (only ? f.labels![only] : labelText(rest)) || f.labels!.__name__ || 'Value';
  }
}

/** Union of the times of several frames, each series with null where it has no sample; a gap wider than the step gets a null of its own. */
export function alignFrames(frames: Frame[]): { times: number[]; columns: (number | null)[][] } {
  const pairs = frames.flatMap((f) => {
    const t = f.fields.find((x) => x.type === 'time');
    return t ? f.fields.filter((x) => x.type === 'number').map((v) => ({ t: t.values as number[], v: v.values as (number | null)[], step: t.interval ?? 0 })) : [];
  });
  const all = new Set<number>();
  for (const p of pairs) { p.t.forEach((x) => all.add(x)); gaps(p.t, p.step).forEach((x) => all.add(x)); }
  const times = [...all].sort((a, b) => a - b), at = new Map(times.map((t, i) => [t, i]));
  const columns = pairs.map((p) => {
    const col = new Array<number | null | undefined>(times.length).fill(undefined); // undefined: joined over; null: a gap
    p.t.forEach((t, i) => { const v = p.v[i]; col[at.get(t)!] = v === null || v === undefined || Number.isNaN(v) ? null : v; });
    gaps(p.t, p.step).forEach((t) => { col[at.get(t)!] = null; });
    return col as (number | null)[];
  });
  return { times, columns };
}
function gaps(t: number[], step: number): number[] {
  const out: number[] = [];
  if (step > 0) for (let i = 1; i < t.length; i++) if (t[i]! - t[i - 1]! > step * 1.5) out.push(t[i - 1]! + step);
  return out;
}
