// SPDX-License-Identifier: Apache-2.0
/* What:   frames + the panel's field configuration -> fields that know their title, colour and how to show a value.
 * Shape:  defaults, then each override whose matcher fits, then range, series colour, display.
 * Source: spec/grafana.md 2.6, 2.7. */
import type { Field, FieldConfig, FieldConfigSource, Frame, Json, Override, ShownField, ShownFrame } from './model.ts';
import { displayOf, toRegex } from './display.ts';
import { seriesSlots } from './colors.ts';
import { reduce } from './reduce.ts';
import { labelText } from './frames.ts';

export interface ShowContext { dark: boolean; interpolate: (text: string) => string; palette: boolean; gauge?: boolean }

export function fieldTitle(f: Field, frame: Frame, config: FieldConfig, interpolate: (t: string) => string): string {
  if (config.displayName) return fieldTemplate(interpolate(config.displayName), f, frame);
  if (f.dsName) return f.dsName;
  if (f.type === 'number' && f.labels && Object.keys(f.labels).length && f.name === 'Value') return (f.labels.__name__ ?? '') + labelText(f.labels);
  return frame.name && f.name === 'Value' ? frame.name : f.name;
}
/** ${__field.labels.X}, ${__field.name}, ${__series.name} in display names and links. */
export function fieldTemplate(text: string, f: Field, frame: Frame): string {
  return text.replace(/\$\{__(field|series|cell)(?:_|\.)?([\w.]*)\}/g, (all, what: string, path: string) => {
    if (what === 'series') return f.dsName ?? frame.name ?? f.name;
    if (path === 'name') return f.name;
    if (path.startsWith('labels.')) return f.labels?.[path.slice(7)] ?? '';
    return path === 'labels' ? labelText(f.labels ?? {}) : all;
  });
}

type Test = (f: Field, frame: Frame, title: string) => boolean;
const never: Test = () => false;
const OPS: Record<string, (a: number, b: number) => boolean> = { eq: (a, b) => a === b, neq: (a, b) => a !== b, gt: (a, b) => a > b, gte: (a, b) => a >= b, lt: (a, b) => a < b, lte: (a, b) => a <= b };

function matcher(id: string, o: Json): Test {
  if (id === 'byName') return (f, _, title) => f.name === o || title === o;
  if (id === 'byRegexp') { const re = toRegex(String(o)); return re ? (_, __, title) => re.test(title) : never; }
  if (id === 'byType') return (f) => f.type === o;
  if (id === 'byFrameRefID') { const re = /^\/.*\/\w*$/.test(String(o)) ? toRegex(String(o)) : undefined; return (_, frame) => (re ? re.test(frame.refId) : frame.refId === o); }
  if (id === 'byNames') { const names: string[] = o?.names ?? [], flip = o?.mode === 'exclude'; return (f, _, title) => (names.includes(f.name) || names.includes(title)) !== flip; }
  if (id === 'numeric') return (f) => f.type === 'number';
  if (id === 'byValue') { const op = OPS[o?.op ?? 'gte'] ?? OPS.gte!; return (f) => { const v = reduce(o?.reducer ?? 'lastNotNull', f.values); return typeof v === 'number' && op(v, Number(o?.value ?? 0)); }; }
  return never;
}

function setPath(c: FieldConfig, id: string, value: Json): void {
  const path = id.split('.');
  let at = c as Record<string, Json>;
  for (const k of path.slice(0, -1)) at = at[k] = { ...(at[k] ?? {}) };
  const key = path[path.length - 1]!;
  if (value === null || value === undefined) delete at[key];
  else if (key === 'links') at.links = [...(at.links ?? []), ...value];
  else at[key] = value;
}
function configured(f: Field, frame: Frame, source: FieldConfigSource, tests: { o: Override; test: Test }[], interpolate: (t: string) => string): FieldConfig {
  const c: FieldConfig = { ...source.defaults, ...f.config, custom: { ...source.defaults.custom, ...f.config.custom } };
  const title = fieldTitle(f, frame, c, interpolate);
  for (const { o, test } of tests) if (test(f, frame, title)) for (const p of o.properties) setPath(c, p.id, p.value);
  if (c.thresholds && !Array.isArray(c.thresholds.steps)) delete c.thresholds;
  if (c.mappings && !Array.isArray(c.mappings)) delete c.mappings;
  if (isNumber(c.min) && isNumber(c.max) && c.min > c.max) [c.min, c.max] = [c.max, c.min];
  return c;
}
const isNumber = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);

interface Range { min: number; max: number }
function extent(fields: Field[]): Range {
  let min = Infinity, max = -Infinity;
  for (const f of fields) for (const v of f.values) if (isNumber(v)) { if (v < min) min = v; if (v > max) max = v; }
  return min <= max ? { min, max } : { min: 0, max: 100 };
}

/** All frames of a panel, ready to be drawn. */
export function showFrames(frames: Frame[], source: FieldConfigSource, ctx: ShowContext): ShownFrame[] {
  const tests = source.overrides.map((o) => ({ o, test: matcher(o.matcher.id, o.matcher.options) }));
  const all = frames.flatMap((frame) => frame.fields.map((f) => ({ f, frame, c: configured(f, frame, source, tests, ctx.interpolate) })));
  const titles = uniqueTitles(all.map((x) => fieldTitle(x.f, x.frame, x.c, ctx.interpolate)), all.map((x) => x.f.type === 'time'));
  const numeric = all.filter((x) => x.f.type === 'number'), global = extent(numeric.map((x) => x.f));
  const colors = seriesSlots(all.map((x, i) => ({ x, i })).filter(({ x }) => x.f.type === 'number').map(({ x, i }) => colorKey(x.f, titles[i]!)), ctx.dark);
  let next = 0;
  const shown = new Map<Field, ShownField>();
  all.forEach(({ f, frame, c }, i) => {
    const seriesIndex = f.type === 'number' ? next++ : -1, slot = colors[seriesIndex];
    const own = c.fieldMinMax ? extent([f]) : global;
    const range = ctx.gauge ? { min: isNumber(c.min) ? c.min : 0, max: isNumber(c.max) ? c.max : c.unit === 'percentunit' ? 1 : 100 } : { min: isNumber(c.min) ? c.min : own.min, max: isNumber(c.max) ? c.max : own.max };
    if (!c.color) c.color = { mode: ctx.palette ? 'palette-classic' : 'thresholds' };
    const shownConfig = f.type === 'time' && !c.unit ? { ...c, unit: 'dateTimeAsIso' } : f.type === 'time' ? { ...c, unit: /^(dateTime|time:)/.test(c.unit ?? '') ? c.unit : 'dateTimeAsIso' } : c;
    shown.set(f, { ...f, config: shownConfig, title: titles[i]!, seriesIndex, refId: frame.refId, range, display: displayOf(shownConfig, { dark: ctx.dark, range, seriesColor: slot?.color }) });
  });
  return frames.map((fr) => ({ refId: fr.refId, name: fr.name, length: fr.length, fields: fr.fields.map((f) => shown.get(f)!) }));
}
/* What a series keeps its colour by: its labels, so that a broker looks the same in every panel whatever the legend says. */
function colorKey(f: Field, title: string): string {
  const { __name__: _, job: __, instance: ___, ...own } = f.labels ?? {};
  return Object.keys(own).sort().map((k) => own[k]).join(' ') || title;
}
/* The same title twice gets " 1", " 2", so that a legend can tell them apart. */
function uniqueTitles(titles: string[], isTime: boolean[]): string[] {
  const count = new Map<string, number>(), seen = new Map<string, number>();
  titles.forEach((t, i) => { if (!isTime[i]) count.set(t, (count.get(t) ?? 0) + 1); });
  return titles.map((t, i) => {
    if (isTime[i] || (count.get(t) ?? 0) < 2) return t;
    const n = (seen.get(t) ?? 0) + 1;
    seen.set(t, n);
    return `${t} ${n}`;
  });
}
export const dashOf = (seriesIndex: number): number => Math.floor(Math.max(0, seriesIndex) / 8) % 3;
