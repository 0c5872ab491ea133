// SPDX-License-Identifier: Apache-2.0
/* What:   the single values that stat and gauge show: one for each field and calculation, or one for each row.
 * Source: spec/grafana.md 2.8 (reduceOptions). */
import type { Json, ShownField, ShownFrame, DisplayValue } from '../data/model.ts';
import { reduce } from '../data/reduce.ts';
import { toRegex } from '../data/display.ts';

export interface Single { title: string; display: DisplayValue; field: ShownField; points: { t: number[]; v: (number | null)[] } | undefined; change?: number }
const DEFAULT_LIMIT = 25;

function chosen(frames: ShownFrame[], fields: string): { f: ShownField; frame: ShownFrame }[] {
  const all = frames.flatMap((frame) => frame.fields.map((f) => ({ f, frame }))).filter(({ f }) => !f.config.custom?.hideFrom?.viz);
  const numeric = all.filter(({ f }) => f.type === 'number');
  if (!fields) return numeric;
  const re = fields.startsWith('/') ? toRegex(fields) : undefined;
  return all.filter(({ f }) => f.type !== 'time' || fields.includes('Time')).filter(({ f }) => (re ? re.test(f.title) : f.title === fields || f.name === fields));
}

export function singleValues(frames: ShownFrame[], options: Json): Single[] {
  const o = options.reduceOptions ?? {}, calcs: string[] = o.calcs?.length ? o.calcs : ['last'], picked = chosen(frames, o.fields ?? '');
  if (o.values) return rowValues(picked, Number(o.limit) || DEFAULT_LIMIT);
  return picked.flatMap(({ f, frame }) => calcs.map((calc): Single => {
    const value = reduce(calc, f.values), display = f.display(value), time = frame.fields.find((x) => x.type === 'time');
    const points = time && f.values.length > 1 ? { t: time.values as number[], v: f.values.map((v) => (typeof v === 'number' && Number.isFinite(v) ? v : null)) } : undefined;
    const change = options.showPercentChange ? reduce('diffperc', f.values) : undefined;
    return { title: f.title, display, field: f, points, change: typeof change === 'number' ? change : undefined };
  }));
}
function rowValues(picked: { f: ShownField; frame: ShownFrame }[], limit: number): Single[] {
  const out: Single[] = [];
  for (const { f, frame } of picked) for (let r = 0; r < frame.length && out.length < limit; r++) {
    const words = frame.fields.filter((x) => x.type === 'string').map((x) => String(x.values[r] ?? '')).filter(Boolean).join(' ');
    out.push({ title: words || f.title, display: f.display(f.values[r] ?? null), field: f, points: undefined });
  }
  return out;
}
