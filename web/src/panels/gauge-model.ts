// SPDX-License-Identifier: Apache-2.0
/* What:   gauge: (data, options, size) -> arcs of 240 degrees: track, value, threshold band.
 * Source: spec/grafana.md 2.11 (gauge). */
import type { Json, ShownFrame } from '../data/model.ts';
import { namedColor } from '../data/colors.ts';
import { singleValues } from './values.ts';
import type { Size } from './stat-model.ts';

export interface Arc { path: string; color: string; width: number }
export interface Dial { title: string; text: string; color: string; arcs: Arc[]; size: number; fontSize: number; min: string; max: string }
export interface GaugeModel { dials: Dial[]; columns: number; rows: number; labels: boolean; showName: boolean }

const START = -210, SPAN = 240;
const point = (c: number, r: number, percent: number): string => { const a = ((START + SPAN * percent) * Math.PI) / 180; return `${(c + r * Math.cos(a)).toFixed(1)} ${(c + r * Math.sin(a)).toFixed(1)}`; };
export function arcPath(c: number, r: number, from: number, to: number): string {
  return `M${point(c, r, from)}A${r} ${r} 0 ${(to - from) * SPAN > 180 ? 1 : 0} 1 ${point(c, r, to)}`;
}
const clamp = (v: number): number => Math.min(1, Math.max(0, Number.isFinite(v) ? v : 0));

export function gaugeModel(frames: ShownFrame[], options: Json, size: Size, dark: boolean, track: string): GaugeModel {
  const values = singleValues(frames, options), n = Math.max(1, values.length), showName = values.length > 1, columns = options.orientation === 'horizontal' && n > 1 ? 1 : Math.min(n, Math.max(1, Math.round(Math.sqrt((n * size.w) / Math.max(1, size.h))))), rows = Math.ceil(n / columns);
  const side = Math.max(60, Math.min(size.w / columns - 16, (size.h / rows - (showName ? 18 : 0)) * 1.25)), width = Math.max(6, side * 0.09), markers = options.showThresholdMarkers !== false;
  return { columns, rows, labels: !!options.showThresholdLabels, showName, dials: values.map((v) => {
    const { min, max } = v.field.range, c = side / 2, r = c - width / 2 - (markers ? 5 : 1), at = clamp(v.display.percent), arcs: Arc[] = [{ path: arcPath(c, r, 0, 1), color: track, width }];
    if (at > 0) arcs.push({ path: arcPath(c, r, 0, at), color: v.display.color, width });
    if (markers) arcs.push(...bands(v.field.config.thresholds, min, max, c, c - 2, dark));
    return { title: v.title, text: v.display.text, color: v.display.color, arcs, size: side, fontSize: Math.max(12, Math.min(side * 0.24, (side * 0.62) / Math.max(2, v.display.text.length * 0.58))), min: v.field.display(min).text, max: v.field.display(max).text };
  }) };
}
function bands(t: ShownFrame['fields'][number]['config']['thresholds'], min: number, max: number, c: number, r: number, dark: boolean): Arc[] {
  const steps = t?.steps ?? [], at = (v: number | null): number => (v === null ? 0 : clamp(t?.mode === 'percentage' ? v / 100 : (v - min) / (max - min || 1)));
  return steps.map((s, i) => ({ from: at(s.value), to: i + 1 < steps.length ? at(steps[i + 1]!.value) : 1, color: namedColor(s.color, dark) })).filter((b) => b.to > b.from).map((b) => ({ path: arcPath(c, r, b.from, b.to), color: b.color, width: 3 }));
}
