// SPDX-License-Identifier: Apache-2.0
/* What:   thresholds, value mappings and units: one value -> text and colour.
 * Source: spec/grafana.md 2.7. */
import type { DisplayValue, FieldConfig, Json, Thresholds, Value } from './model.ts';
import { namedColor, readable, scaleColor } from './colors.ts';
import { unitFormatter } from './units.ts';

export function thresholdColor(t: Thresholds | undefined, v: number, percent: number): string | undefined {
  const x = t?.mode === 'percentage' ? percent * 100 : v;
  let hit: string | undefined = t?.steps[0]?.color;
  for (const s of t?.steps ?? []) if (s.value === null || x >= s.value) hit = s.color;
  return hit;
}

export interface Mapped { text?: string; color?: string }
const num = (v: unknown): number | null => (v === null || v === undefined || v === '' ? null : Number(v));
const special = (match: string, v: Value): boolean => ({ null: v === null, nan: typeof v === 'number' && Number.isNaN(v), 'null+nan': v === null || (typeof v === 'number' && Number.isNaN(v)),
  true: v === true, false: v === false, empty: v === '' } as Record<string, boolean>)[match] ?? false;

/** The first mapping that fits, in the order of the array. */
export function mapValue(mappings: Json[] | undefined, v: Value): Mapped | undefined {
  for (const m of mappings ?? []) {
    const o = m?.options ?? {};
    if (m?.type === 'value' && v !== null && String(v) in o) return o[String(v)] as Mapped;
    if (m?.type === 'range' && typeof v === 'number') {
      const from = num(o.from), to = num(o.to);
      if ((from === null || v >= from) && (to === null || v <= to)) return (o.result ?? {}) as Mapped;
    }
    if (m?.type === 'special' && special(String(o.match), v)) return (o.result ?? {}) as Mapped;
    if (m?.type === 'regex' && typeof v === 'string') { const hit = mapRegex(o, v); if (hit) return hit; }
  }
  return undefined;
}
function mapRegex(o: Json, v: string): Mapped | undefined {
  const re = toRegex(String(o.pattern ?? ''));
  if (!re || !re.test(v)) return undefined;
  const r = (o.result ?? {}) as Mapped;
  return { ...r, ...(r.text !== undefined ? { text: v.replace(re, r.text) } : {}) };
}
/** "/re/flags", or the whole text anchored. */
export function toRegex(text: string): RegExp | undefined {
  const m = /^\/(.*)\/([gimsuy]*)$/s.exec(text);
  try { return m ? new RegExp(m[1]!, m[2]) : new RegExp(`^${text}$`); } catch { return undefined; }
}

export interface DisplayContext { dark: boolean; range: { min: number; max: number }; seriesColor?: string }

export function percentOf(v: number, r: { min: number; max: number }): number { return r.max === r.min ? (v >= r.max ? 1 : 0) : (v - r.min) / (r.max - r.min); }

/** The colour of a value by the field's mode; by-series modes give the series colour. */
export function valueColor(c: FieldConfig, v: number, percent: number, ctx: DisplayContext): string {
  const mode = c.color?.mode ?? 'thresholds', base = ctx.seriesColor ?? namedColor('text', ctx.dark);
  if (mode === 'fixed' || mode === 'shades') return namedColor(c.color?.fixedColor ?? 'text', ctx.dark);
  if (mode === 'thresholds') return readable(namedColor(thresholdColor(c.thresholds, v, percent) ?? 'text', ctx.dark), ctx.dark);
  return scaleColor(mode, percent, ctx.dark) ?? base;
}

export function displayOf(c: FieldConfig, ctx: DisplayContext): (v: Value) => DisplayValue {
  const format = unitFormatter(c.unit), isText = c.unit === 'string';
  return (v) => {
    const numeric = typeof v === 'number' ? v : typeof v === 'boolean' ? Number(v) : NaN, percent = Number.isNaN(numeric) ? 0 : percentOf(numeric, ctx.range);
    const mapped = mapValue(c.mappings, v);
    let text = mapped?.text ?? '';
    if (!text) text = v === null || v === undefined || (typeof v === 'number' && Number.isNaN(v)) ? (c.noValue ?? '') : typeof v === 'number' ? (isText ? String(v) : format(v, c.decimals)) : String(v);
    const color = mapped?.color ? namedColor(mapped.color, ctx.dark) : Number.isNaN(numeric) ? (mapped ? namedColor('text', ctx.dark) : valueColor(c, NaN, 0, ctx)) : valueColor(c, numeric, percent, ctx);
    return { text, color, numeric, percent, mapped: mapped !== undefined };
  };
}
