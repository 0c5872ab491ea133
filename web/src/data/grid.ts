// SPDX-License-Identifier: Apache-2.0
/* What:   where panels lie: rows that open and close, repeats, and the push-down they cause.
 * Source: spec/grafana.md 2.4 (repeats), 2.14 (grid of 24 columns). */
import type { Panel, Variable } from './model.ts';
import { ALL } from './variables.ts';

export const COLUMNS = 24;
const valuesOf = (v: Variable): { text: string; value: string }[] => {
  const cur = Array.isArray(v.current) ? v.current : [v.current];
  if (cur.includes(ALL)) return v.options.filter((o) => o.value !== ALL);
  return cur.filter((x) => x !== '').map((x) => v.options.find((o) => o.value === x) ?? { text: x, value: x });
};

/** Rows flattened (a closed row hides its panels), repeats expanded, everything pushed below what grew. */
export function layout(panels: Panel[], vars: Variable[], closed: (row: Panel) => boolean): Panel[] {
  const sections = split(panels), out: Panel[] = [];
  let y = 0;
  for (const s of sections) for (const copy of repeatSection(s, vars)) {
    if (copy.row) { out.push({ ...copy.row, gridPos: { x: 0, y, w: COLUMNS, h: 1 } }); y += 1; if (closed(copy.row)) continue; }
    const placed = settle(copy.panels.flatMap((p) => repeatPanel(p, vars)), y);
    out.push(...placed);
    y = placed.reduce((m, p) => Math.max(m, p.gridPos.y + p.gridPos.h), y);
  }
  return out;
}
interface Section { row?: Panel; panels: Panel[] }
function split(panels: Panel[]): Section[] {
  const out: Section[] = [{ panels: [] }];
  for (const p of [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x)) {
    if (p.type === 'row') out.push({ row: p, panels: [...(p.panels ?? [])] });
    else out[out.length - 1]!.panels.push(p);
  }
  return out.filter((s) => s.row || s.panels.length);
}
function repeatSection(s: Section, vars: Variable[]): Section[] {
  const v = s.row?.repeat ? vars.find((x) => x.name === s.row!.repeat) : undefined, values = v ? valuesOf(v) : [];
  if (!v || values.length === 0) return [s];
  return values.map((o, i) => ({ row: scope(s.row!, v.name, o, i), panels: s.panels.map((p) => scope(p, v.name, o, i)) }));
}
const scope = (p: Panel, name: string, o: { value: string }, i: number): Panel => ({ ...p, id: i ? p.id * 1000 + i : p.id, scoped: { ...p.scoped, [name]: o.value } });

function repeatPanel(p: Panel, vars: Variable[]): Panel[] {
  const v = p.repeat && !p.scoped?.[p.repeat] ? vars.find((x) => x.name === p.repeat) : undefined, values = v ? valuesOf(v) : [];
  if (!v || values.length < 1) return [p];
  if (p.repeatDirection === 'v') return values.map((o, i) => ({ ...scope(p, v.name, o, i), gridPos: { ...p.gridPos, y: p.gridPos.y + i * p.gridPos.h } }));
  const perRow = Math.min(values.length, p.maxPerRow || 4), w = Math.max(1, Math.floor(COLUMNS / perRow));
  return values.map((o, i) => ({ ...scope(p, v.name, o, i), gridPos: { x: (i % perRow) * w, y: p.gridPos.y + Math.floor(i / perRow) * p.gridPos.h, w, h: p.gridPos.h } }));
}
/* Keep the columns, take the first free line: the gaps above close, overlaps are pushed down. */
function settle(panels: Panel[], top: number): Panel[] {
  const floor = new Array<number>(COLUMNS).fill(top);
  return [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x).map((p) => {
    const x = Math.min(Math.max(0, p.gridPos.x), COLUMNS - 1), w = Math.min(Math.max(1, p.gridPos.w), COLUMNS - x);
    const y = Math.max(...floor.slice(x, x + w));
    floor.fill(y + p.gridPos.h, x, x + w);
    return { ...p, gridPos: { x, y, w, h: p.gridPos.h } };
  });
}
