// SPDX-License-Identifier: Apache-2.0
/* What:   table: (data, options, sort) -> columns and rows of cells with text, colour and order.
 * Source: spec/grafana.md 2.11 (table). */
import type { Json, ShownField, ShownFrame, Value } from '../data/model.ts';
import { severityOfColor, type Tile } from './stat-model.ts';
import { inkOn } from '../data/colors.ts';

export interface Column { title: string; right: boolean; width?: number; field: ShownField; cell: string; mode: string }
export interface Cell { text: string; color?: string; background?: string; ink?: string; percent?: number; severity?: Tile['severity']; link?: string; raw: Value }
export interface SortBy { title: string; desc: boolean }
export interface TableModel { columns: Column[]; rows: Cell[][]; total: number; frameNames: string[]; sort: SortBy | undefined; header: boolean; thresholds: { text: string; color: string }[] }

/** Range results of several series become Time + one column each only when they are one frame; else one frame is shown and chosen. */
export function tableFrame(frames: ShownFrame[], index: number): ShownFrame | undefined {
  const live = frames.filter((f) => f.fields.length);
  return live[Math.min(Math.max(0, index), live.length - 1)];
}

export function tableModel(frames: ShownFrame[], options: Json, sort: SortBy | undefined, limit: number, link?: (f: ShownField, row: number) => string | undefined): TableModel {
  const frame = tableFrame(frames, Number(options.frameIndex) || 0), by = sort ?? fromOptions(options);
  const columns = (frame?.fields ?? []).filter((f) => !f.config.custom?.hidden && !f.config.custom?.hideFrom?.viz).map(column);
  const order = rowOrder(frame?.length ?? 0, columns.find((c) => c.title === by?.title || c.field.name === by?.title), by?.desc ?? false);
  const rows = order.slice(0, limit).map((r) => columns.map((c) => cell(c, r, link)));
  return { columns, rows, total: frame?.length ?? 0, frameNames: frames.filter((f) => f.fields.length).map((f, i) => f.name ?? f.fields.find((x) => x.type === 'number')?.title ?? `${f.refId} ${i}`), sort: by, header: options.showHeader !== false, thresholds: legendOf(columns) };
}
const fromOptions = (o: Json): SortBy | undefined => (o.sortBy?.[0] ? { title: String(o.sortBy[0].displayName), desc: !!o.sortBy[0].desc } : undefined);

function column(f: ShownField): Column {
  const custom = f.config.custom ?? {}, cellType = String(custom.cellOptions?.type ?? 'auto'), align = custom.align;
  return { title: f.title, right: align === 'right' || ((!align || align === 'auto') && f.type === 'number'), width: typeof custom.width === 'number' ? custom.width : undefined, field: f, cell: cellType, mode: String(custom.cellOptions?.mode ?? 'gradient') };
}
function rowOrder(n: number, by: Column | undefined, desc: boolean): number[] {
  const rows = [...Array(n).keys()];
  if (!by) return rows;
  const v = by.field.values;
  return rows.sort((a, b) => (desc ? -1 : 1) * order(v[a], v[b]) || a - b);
}
function order(a: Value | undefined, b: Value | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a ?? '').localeCompare(String(b ?? ''), undefined, { numeric: true });
}
function cell(c: Column, row: number, link?: (f: ShownField, row: number) => string | undefined): Cell {
  const raw = c.field.values[row] ?? null, d = c.field.display(raw), out: Cell = { text: d.text, raw, link: link?.(c.field, row) };
  if (c.cell === 'color-text') { out.color = d.color; out.severity = severityOfColor(d.color); }
  if (c.cell === 'color-background') { out.background = d.color; out.ink = inkOn(d.color); }
  if (c.cell === 'gauge') { out.percent = Math.min(1, Math.max(0, d.percent)); out.color = d.color; }
  return out;
}
/* The limits that colour a column, so that the colours can be read. */
function legendOf(columns: Column[]): { text: string; color: string }[] {
  const c = columns.find((x) => x.cell === 'color-text' || x.cell === 'color-background'), steps = c?.field.config.thresholds?.mode !== 'percentage' ? c?.field.config.thresholds?.steps ?? [] : [];
  return c && steps.length > 1 ? steps.map((s, i) => { const v = s.value ?? steps[i + 1]!.value!, shown = c.field.display(v); return { text: s.value === null ? `<${shown.text}` : `≥${shown.text}`, color: c.field.display(s.value === null ? v - 1e-9 * Math.max(1, Math.abs(v)) : v).color }; }) : [];
}
export function csv(m: TableModel): string {
  const q = (s: string): string => (/[",\n]/.test(s) ? `"${s.replace(/"/g, '""')}"` : s);
  return [m.columns.map((c) => q(c.title)).join(','), ...m.rows.map((r) => r.map((c) => q(c.raw === null ? '' : String(c.raw))).join(','))].join('\n');
}
