// SPDX-License-Identifier: Apache-2.0
/* What:   stat: (data, options, size) -> tiles with their place, text, colours and one font size that fits them all.
 * Source: spec/grafana.md 2.11 (stat). */
import type { Json, ShownFrame } from '../data/model.ts';
import { inkOn } from '../data/colors.ts';
import { singleValues, type Single } from './values.ts';

export interface Size { w: number; h: number }
export interface Tile { title: string; text: string; color: string; background: string | undefined; ink: string | undefined; spark: Single['points']; range: { min: number; max: number }; change?: number; severity?: 'ok' | 'warning' | 'critical' }
export interface StatModel { tiles: Tile[]; columns: number; rows: number; wide: boolean; valueSize: number; titleSize: number; showName: boolean; showValue: boolean; sparkHeight: number; center: boolean }

const GLYPH = 0.58; // mean width of a figure, in ems
const fit = (text: string, w: number, h: number, max: number): number => Math.max(12, Math.min(max, h, w / Math.max(1, text.length * GLYPH)));

/** Rows and columns that leave each tile the most room. */
function grid(n: number, size: Size, orientation: string): { columns: number; rows: number } {
  if (n <= 1) return { columns: 1, rows: 1 };
  if (orientation === 'horizontal') return { columns: 1, rows: n };
  if (orientation === 'vertical') return { columns: n, rows: 1 };
  let best = { columns: n, rows: 1 }, score = 0;
  for (let columns = 1; columns <= n; columns++) {
    const rows = Math.ceil(n / columns), w = size.w / columns, h = size.h / rows, s = Math.min(w, h * 2.2) * (n / (rows * columns)) ** 0.5;
    if (s > score) { score = s; best = { columns, rows }; }
  }
  return best;
}

export function statModel(frames: ShownFrame[], options: Json, size: Size): StatModel {
  const values = singleValues(frames, options), n = Math.max(1, values.length), { columns, rows } = grid(n, size, options.orientation ?? 'auto');
  const w = size.w / columns - 8, h = size.h / rows - 4, textMode = options.textMode ?? 'auto';
  const showName = textMode === 'name' || textMode === 'value_and_name' || (textMode === 'auto' && values.length > 1), showValue = textMode !== 'name' && textMode !== 'none';
  const wide = options.wideLayout !== false && showName && showValue && w / h > 2.5, spark = options.graphMode !== 'none' && h > (wide ? 50 : 64) && values.some((v) => v.points);
  const sparkHeight = spark ? Math.min(h * 0.42, 90) : 0, room = h - sparkHeight - (showName && !wide ? 20 : 0);
  const longest = values.reduce((a, v) => (v.display.text.length > a.length ? v.display.text : a), '0'), longTitle = values.reduce((a, v) => (v.title.length > a.length ? v.title : a), '');
  const valueSize = options.text?.valueSize ?? Math.round(fit(longest, (wide ? 0.4 : 0.92) * w, room * 0.78, 44)), titleSize = options.text?.titleSize ?? (showValue ? Math.round(Math.min(wide ? 15 : 13, fit(longTitle, w * (wide ? 0.58 : 1), 20, 30))) : Math.round(fit(longTitle, w, h * 0.6, 30)));
  const mode = options.colorMode ?? 'value';
  return { columns, rows, wide, valueSize, titleSize, showName, showValue, sparkHeight, center: options.justifyMode === 'center' || values.length <= 1 || !wide, tiles: values.map((v) => tile(v, mode)) };
}
function tile(v: Single, mode: string): Tile {
  const filled = mode.startsWith('background'), color = v.display.color, severity = mode === 'value' || filled ? severityOf(v) : undefined;
  return { title: v.title, text: v.display.text || '', color: mode === 'none' ? '' : color, background: filled ? color : undefined, ink: filled ? inkOn(color) : undefined, spark: v.points, range: v.field.range, change: v.change, severity };
}
/* Colour never stands alone: a value whose colour comes from thresholds or mappings gets the icon of that colour's meaning. */
function severityOf(v: Single): Tile['severity'] {
  const steps = v.field.config.thresholds?.steps ?? [];
  if (v.field.config.color?.mode !== 'thresholds' || (steps.length < 2 && !v.display.mapped)) return undefined;
  return severityOfColor(v.display.color);
}
export function severityOfColor(color: string): Tile['severity'] {
  const m = /^#(..)(..)(..)$/.exec(color);
  if (!m) return undefined;
  const [r, g, b] = m.slice(1).map((x) => parseInt(x, 16)) as [number, number, number], max = Math.max(r, g, b), min = Math.min(r, g, b);
  if (max - min < 40) return undefined;
  const hue = max === r ? (((g - b) / (max - min) + 6) % 6) * 60 : max === g ? ((b - r) / (max - min) + 2) * 60 : ((r - g) / (max - min) + 4) * 60;
  return hue >= 340 || hue < 15 ? 'critical' : hue < 60 ? 'warning' : hue >= 80 && hue < 170 ? 'ok' : undefined;
}
