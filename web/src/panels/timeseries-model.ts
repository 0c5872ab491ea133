// SPDX-License-Identifier: Apache-2.0
/* What:   timeseries: (data, options) -> aligned columns, series styles, axes, thresholds and legend rows.
 * Shape:  pure; timeseries.tsx hands the result to uPlot.
 * Source: spec/grafana.md 2.11 (timeseries). */
import type { Frame, Json, ShownField, ShownFrame } from '../data/model.ts';
import { alignFrames } from '../data/frames.ts';
import { alpha, namedColor } from '../data/colors.ts';
import { dashOf } from '../data/fields.ts';
import { reduce, reducerName } from '../data/reduce.ts';

export interface Line { title: string; color: string; width: number; fill: number; dash: number[] | undefined; draw: 'line' | 'bars' | 'points'; path: 'linear' | 'smooth' | 'stepBefore' | 'stepAfter'; points: 'auto' | 'always' | 'never'; pointSize: number;
  spanGaps: boolean; gradient: boolean; scale: string; field: ShownField; times: number[]; stack?: string; hidden: boolean; inLegend: boolean; negative: boolean }
export interface Axis { scale: string; right: boolean; hidden: boolean; label: string; log: number; min?: number; max?: number; softMin?: number; softMax?: number; centered: boolean; unitField: ShownField; grid: boolean; integer: boolean; percent: boolean }
export interface Limit { value: number; scale: string; color: string; area: boolean; line: boolean; dashed: boolean; upTo: number }
export interface SeriesModel { times: number[]; columns: (number | null)[][]; lines: Line[]; axes: Axis[]; limits: Limit[]; legend: Legend }
export interface LegendRow { title: string; color: string; dash: boolean; values: string[]; raw: (number | null)[]; index: number }
export interface Legend { show: boolean; table: boolean; right: boolean; calcs: { id: string; name: string }[]; rows: LegendRow[] }

const DASHES: (number[] | undefined)[] = [undefined, [4, 3], [1.5, 3]];
const num = (v: Json): number | undefined => (typeof v === 'number' && Number.isFinite(v) ? v : undefined);

export function seriesModel(frames: ShownFrame[], options: Json, dark: boolean): SeriesModel {
  const fields = frames.flatMap((fr) => { const time = fr.fields.find((x) => x.type === 'time'); return time ? fr.fields.filter((x) => x.type === 'number').map((f) => ({ f, times: time.values as number[] })) : []; });
  const aligned = alignFrames(frames as Frame[]), axes: Axis[] = [], lines = fields.map(({ f, times }) => line(f, times, axes, dark));
  const keep = lines.map((l, i) => ({ l, i })).filter(({ l }) => !l.hidden), columns = keep.map(({ l, i }) => (l.negative ? aligned.columns[i]!.map((v) => (typeof v === 'number' ? -v : v)) : aligned.columns[i]!));
  const drawn = keep.map(({ l }) => l), limits = limitsOf(drawn, dark);
  return { times: aligned.times, columns: stack(columns, drawn), lines: drawn, axes, limits, legend: legendOf(drawn, options.legend ?? {}) };
}

function line(f: ShownField, times: number[], axes: Axis[], dark: boolean): Line {
  const c = f.config.custom ?? {}, mode = f.config.color?.mode ?? 'palette-classic', fixed = mode === 'fixed' || mode === 'shades';
  const by = String(f.config.color?.seriesBy ?? 'last'), color = fixed ? namedColor(f.config.color?.fixedColor ?? 'text', dark) : f.display(mode.startsWith('palette') ? null : reduce(by, f.values)).color;
  const style = c.lineStyle?.fill === 'dash' ? c.lineStyle.dash ?? [10, 10] : c.lineStyle?.fill === 'dot' ? [1, 4] : fixed ? undefined : DASHES[dashOf(f.seriesIndex)];
  const stacking = c.stacking?.mode && c.stacking.mode !== 'none' ? `${c.stacking.mode}/${c.stacking.group ?? 'A'}` : undefined;
  return { title: f.title, times, color, width: num(c.lineWidth) ?? 1.5, fill: (num(c.fillOpacity) ?? 0) / 100, dash: style, draw: c.drawStyle === 'bars' || c.drawStyle === 'points' ? c.drawStyle : 'line', path: c.lineInterpolation ?? 'linear', points: c.showPoints ?? 'auto', pointSize: num(c.pointSize) ?? 5,
    spanGaps: !!c.spanNulls, gradient: c.gradientMode === 'opacity' || c.gradientMode === 'hue', scale: scaleOf(f, axes), field: f, stack: stacking, hidden: !!c.hideFrom?.viz, inLegend: !c.hideFrom?.legend, negative: c.transform === 'negative-Y' };
}
/* One scale for each distinct unit, range, distribution and placement. */
function scaleOf(f: ShownField, axes: Axis[]): string {
  const c = f.config.custom ?? {}, d = c.scaleDistribution ?? {}, log = d.type === 'log' || d.type === 'symlog' ? Number(d.log) || 10 : 0, percent = c.stacking?.mode === 'percent';
  const key = JSON.stringify([f.config.unit ?? '', num(f.config.min), num(f.config.max), c.axisSoftMin, c.axisSoftMax, log, c.axisPlacement ?? 'auto', percent]);
  const found = axes.find((a) => a.scale === key);
  if (found) return key;
  const placement = c.axisPlacement ?? 'auto', autos = axes.filter((a) => !a.hidden).length;
  axes.push({ scale: key, right: placement === 'right' || (placement === 'auto' && autos > 0), hidden: placement === 'hidden', label: String(c.axisLabel ?? ''), log, min: num(f.config.min), max: num(f.config.max), softMin: num(c.axisSoftMin), softMax: num(c.axisSoftMax),
    centered: !!c.axisCenteredZero, unitField: f, grid: c.axisGridShow !== false, integer: f.config.decimals === 0, percent });
  return key;
}

/* Stacks add up in place, split by sign; percent stacks are scaled to 0..1. */
function stack(columns: (number | null)[][], lines: Line[]): (number | null)[][] {
  const groups = new Map<string, number[]>();
  lines.forEach((l, i) => { if (l.stack) { const k = `${l.stack}/${l.scale}/${l.draw}/${l.negative}`; groups.set(k, [...(groups.get(k) ?? []), i]); } });
  if (!groups.size) return columns;
  const out = columns.map((c) => c);
  for (const [key, members] of groups) {
    const n = columns[0]?.length ?? 0, base = new Array<number>(n).fill(0), total = new Array<number>(n).fill(0), percent = key.startsWith('percent');
    for (const m of members) for (let i = 0; i < n; i++) total[i]! += Math.abs(columns[m]![i] ?? 0);
    for (const m of members) out[m] = Array.from({ length: n }, (_, i) => {
      const any = members.some((x) => typeof columns[x]![i] === 'number');
      if (!any) return columns[m]![i] as null;
      base[i]! += columns[m]![i] ?? 0;
      return percent ? (total[i] ? base[i]! / total[i]! : 0) : base[i]!;
    });
  }
  return out;
}

function limitsOf(lines: Line[], dark: boolean): Limit[] {
  const out: Limit[] = [], seen = new Set<string>();
  for (const l of lines) {
    const mode = String(l.field.config.custom?.thresholdsStyle?.mode ?? 'off'), t = l.field.config.thresholds;
    if (mode === 'off' || mode === 'series' || !t || t.mode === 'percentage' || seen.has(l.scale)) continue;
    seen.add(l.scale);
    t.steps.forEach((s, i) => {
      const color = namedColor(s.color, dark), upTo = t.steps[i + 1]?.value ?? Infinity;
      if (color !== 'transparent') out.push({ value: s.value ?? -Infinity, scale: l.scale, color, area: mode.includes('area'), line: mode.includes('line') || mode.includes('dashed'), dashed: mode.includes('dashed'), upTo });
    });
  }
  return out;
}
export const areaColor = (l: Limit): string => alpha(l.color, 0.12);

function legendOf(lines: Line[], o: Json): Legend {
  const calcs = ((o.calcs ?? []) as string[]).map((id) => ({ id, name: reducerName(id) }));
  const rows = lines.map((l, index): LegendRow => {
    const raw = calcs.map((c) => { const v = reduce(c.id, l.field.values); return typeof v === 'number' ? v : null; });
    return { title: l.title, color: l.color, dash: !!l.dash, values: raw.map((v) => l.field.display(v).text), raw, index };
  }).filter((r) => lines[r.index]!.inLegend);
  const at = o.sortBy ? calcs.findIndex((c) => c.name === o.sortBy) : -1, sign = o.sortDesc ? -1 : 1;
  if (at >= 0) rows.sort((a, b) => sign * ((a.raw[at] ?? -Infinity) - (b.raw[at] ?? -Infinity)));
  else if (o.sortBy === 'Name') rows.sort((a, b) => sign * a.title.localeCompare(b.title));
  return { show: o.showLegend !== false && o.displayMode !== 'hidden', table: o.displayMode === 'table', right: o.placement === 'right', calcs, rows };
}
