// SPDX-License-Identifier: Apache-2.0
/* What:   the transformations that the six panel types need, each frames -> frames.
 * Shape:  a table by id; one nobody knows leaves the frames alone and is reported.
 * Source: spec/grafana.md 2.12. */
import type { Field, Frame, Json, Transformation, Value } from './model.ts';
import { fieldTitle } from './fields.ts';
import { toRegex } from './display.ts';

export type Step = (frames: Frame[], o: Json) => Frame[];
export const title = (f: Field, fr: Frame): string => fieldTitle(f, fr, f.config, (t) => t);
export const frame = (refId: string, fields: Field[], name?: string): Frame => ({ refId, name, fields, length: fields[0]?.values.length ?? 0 });
export const renamed = (f: Field, name: string): Field => ({ ...f, config: { ...f.config, displayName: name } });

const organize: Step = (frames, o) => frames.map((fr) => {
  const drop = o.excludeByName ?? {}, keep = o.includeByName ?? {}, order = o.indexByName ?? {}, names = o.renameByName ?? {}, only = Object.values(keep).some(Boolean);
  const fields = fr.fields.map((f, i) => ({ f, i, n: title(f, fr) })).filter(({ n }) => (only ? keep[n] : !drop[n]));
  fields.sort((a, b) => (order[a.n] ?? 1e6) - (order[b.n] ?? 1e6) || a.i - b.i);
  return frame(fr.refId, fields.map(({ f, n }) => (names[n] ? renamed(f, names[n]) : f)), fr.name);
});

const merge: Step = (frames) => {
  const live = frames.filter((f) => f.fields.length);
  if (live.length < 2) return frames;
  const columns: Field[] = [];
  for (const fr of live) for (const f of fr.fields) if (!columns.some((c) => c.name === f.name)) columns.push({ ...f, values: [] });
  const shared = columns.map((c) => c.name).filter((n) => live.every((fr) => fr.fields.some((f) => f.name === n)));
  if (!shared.length) return frames;
  const rows: (Value | undefined)[][] = [], byKey = new Map<string, number[]>();
  for (const fr of live) {
    const at = columns.map((c) => fr.fields.findIndex((f) => f.name === c.name));
    for (let r = 0; r < fr.length; r++) {
      const cells = at.map((i) => (i < 0 ? undefined : fr.fields[i]!.values[r] ?? null));
      const key = JSON.stringify(shared.map((n) => cells[columns.findIndex((c) => c.name === n)])), same = byKey.get(key) ?? [];
      const fit = same.find((k) => cells.every((v, c) => v === undefined || rows[k]![c] === undefined || rows[k]![c] === v));
      if (fit === undefined) { byKey.set(key, [...same, rows.length]); rows.push(cells); } else cells.forEach((v, c) => { if (v !== undefined) rows[fit]![c] = v; });
    }
  }
  return [frame(live[0]!.refId, columns.map((c, i) => ({ ...c, values: rows.map((r) => r[i] ?? null) })))];
};

export const compare = (a: Value | undefined, b: Value | undefined): number => (a === b ? 0 : a === null || a === undefined ? 1 : b === null || b === undefined ? -1 : a < b ? -1 : 1);
export const pickRows = (fr: Frame, rows: number[]): Frame => ({ ...fr, length: rows.length, fields: fr.fields.map((f) => ({ ...f, values: rows.map((r) => f.values[r] ?? null) })) });
const sortBy: Step = (frames, o) => frames.map((fr) => {
  const s = o.sort?.[0], key = fr.fields.find((f) => title(f, fr) === s?.field || f.name === s?.field);
  if (!key) return fr;
  return pickRows(fr, [...Array(fr.length).keys()].sort((a, b) => (s.desc ? -1 : 1) * compare(key.values[a], key.values[b])));
});
const BASIC: Record<string, Step> = { organize, merge, sortBy };
const MORE = new Set('filterFieldsByName filterByRefId limit labelsToFields seriesToColumns joinByField seriesToRows reduce renameByRegex groupBy filterByValue'.split(' '));
export const transformKnown = (id: string): boolean => id in BASIC || MORE.has(id);

export async function transform(frames: Frame[], steps: Transformation[]): Promise<Frame[]> {
  for (const t of steps) {
    const step = BASIC[t.id] ?? (MORE.has(t.id) ? (await import('./transform-more.ts')).TABLE[t.id] : undefined);
    if (!step || t.disabled) continue;
    const re = t.filter?.options ? toRegex(String(t.filter.options)) : undefined, mine = (f: Frame): boolean => !re || re.test(f.refId);
    frames = re ? [...step(frames.filter(mine), t.options ?? {}), ...frames.filter((f) => !mine(f))] : step(frames, t.options ?? {});
  }
  return frames;
}
