// SPDX-License-Identifier: Apache-2.0
/* What:   the transformations that fewer dashboards use; fetched when one asks for them.
 * Source: spec/grafana.md 2.12. */
import type { Field, Json, Value } from './model.ts';
import { toRegex } from './display.ts';
import { reduce, reducerName } from './reduce.ts';
import { compare, frame, pickRows, renamed, title, type Step } from './transform.ts';

const filterFieldsByName: Step = (frames, o) => {
  const test = (spec: Json): ((n: string) => boolean) | undefined => {
    const names: string[] = spec?.names ?? [], re = spec?.pattern ? toRegex(String(spec.pattern)) : undefined;
    return names.length || re ? (n) => names.includes(n) || !!re?.test(n) : undefined;
  };
  const inc = test(o.include), exc = test(o.exclude);
  return frames.map((fr) => frame(fr.refId, fr.fields.filter((f) => { const n = title(f, fr); return (!inc || inc(n)) && !exc?.(n); }), fr.name)).filter((fr) => fr.fields.length);
};
const filterByRefId: Step = (frames, o) => { const re = toRegex(String(o.include ?? '')); return re ? frames.filter((f) => re.test(f.refId)) : frames; };

const limit: Step = (frames, o) => frames.map((fr) => pickRows(fr, [...Array(Math.min(fr.length, Number(o.limitField ?? 10))).keys()]));

const labelsToFields: Step = (frames, o) => frames.map((fr) => {
  if (o.mode === 'rows') return fr;
  const values = fr.fields.filter((f) => f.labels), keep: string[] | undefined = o.keepLabels, names = new Map<string, Value[]>();
  const rest: Field[] = values.map((f) => {
    const labels = f.labels!, named = o.valueLabel ? labels[o.valueLabel] : undefined;
    for (const [k, v] of Object.entries(labels)) if (k !== o.valueLabel && k !== '__name__' && (!keep || keep.includes(k))) names.set(k, new Array<Value>(fr.length).fill(v));
    return { ...f, name: named ?? labels.__name__ ?? f.name, labels: undefined, dsName: undefined };
  });
  return frame(fr.refId, [...fr.fields.filter((f) => f.type === 'time'), ...[...names].map(([name, v]): Field => ({ name, type: 'string', values: v, config: {} })), ...rest, ...fr.fields.filter((f) => f.type !== 'time' && !f.labels)], fr.name);
});

const seriesToColumns: Step = (frames, o) => {
  const by: string = o.byField ?? 'Time', parts = frames.map((fr) => ({ fr, key: fr.fields.find((f) => f.name === by || title(f, fr) === by) })).filter((p) => p.key);
  if (parts.length < 2) return frames;
  const keys = [...new Set(parts.flatMap((p) => p.key!.values))].filter((k) => o.mode !== 'inner' || parts.every((p) => p.key!.values.includes(k)));
  if (parts[0]!.key!.type === 'time') keys.sort((a, b) => compare(a, b));
  const at = new Map(keys.map((k, i) => [k, i]));
  const fields = parts.flatMap(({ fr, key }) => fr.fields.filter((f) => f !== key).map((f) => {
    const values = new Array<Value>(keys.length).fill(null);
    key!.values.forEach((k, i) => { const r = at.get(k); if (r !== undefined) values[r] = f.values[i] ?? null; });
    return { ...f, values };
  }));
  return [frame(parts[0]!.fr.refId, [{ ...parts[0]!.key!, values: keys }, ...fields])];
};

const seriesToRows: Step = (frames) => {
  const rows = frames.flatMap((fr) => { const t = fr.fields.find((f) => f.type === 'time'); return t ? fr.fields.filter((f) => f.type === 'number').flatMap((f) => f.values.map((v, i) => ({ t: t.values[i]!, m: title(f, fr), v, f }))) : []; });
  rows.sort((a, b) => Number(b.t) - Number(a.t));
  const value = rows[0]?.f.config ?? {};
  return [frame(frames[0]?.refId ?? 'A', [{ name: 'Time', type: 'time', values: rows.map((r) => r.t), config: {} }, { name: 'Metric', type: 'string', values: rows.map((r) => r.m), config: {} },
    { name: 'Value', type: 'number', values: rows.map((r) => r.v), config: value }])];
};

const reduceRows: Step = (frames, o) => {
  const calcs: string[] = o.reducers?.length ? o.reducers : ['max'];
  if (o.mode === 'reduceFields') return frames.map((fr) => frame(fr.refId, fr.fields.filter((f) => f.type === 'number').map((f) => ({ ...f, values: [reduce(calcs[0]!, f.values)] })), fr.name));
  const series = frames.flatMap((fr) => fr.fields.filter((f) => f.type === 'number').map((f) => ({ f, name: title(f, fr) })));
  const labels: string[] = o.labelsToFields ? [...new Set(series.flatMap((s) => Object.keys(s.f.labels ?? {})))].filter((l) => l !== '__name__').sort() : [];
  return [frame(frames[0]?.refId ?? 'A', [{ name: 'Field', type: 'string', values: series.map((s) => s.name), config: {} }, ...labels.map((l): Field => ({ name: l, type: 'string', values: series.map((s) => s.f.labels?.[l] ?? null), config: {} })),
    ...calcs.map((c): Field => ({ name: reducerName(c), type: 'number', values: series.map((s) => reduce(c, s.f.values)), config: series[0]?.f.config ?? {} }))])];
};

const renameByRegex: Step = (frames, o) => {
  const re = toRegex(String(o.regex ?? ''));
  return re ? frames.map((fr) => ({ ...fr, fields: fr.fields.map((f) => (f.type === 'time' && fr.fields.length > 1 ? f : renamed(f, title(f, fr).replace(re, String(o.renamePattern ?? ''))))) })) : frames;
};

const groupBy: Step = (frames, o) => frames.map((fr) => {
  const spec = o.fields ?? {}, op = (f: Field): Json => spec[title(f, fr)] ?? spec[f.name];
  const keys = fr.fields.filter((f) => op(f)?.operation === 'groupby'), groups = new Map<string, number[]>();
  if (!keys.length) return fr;
  for (let r = 0; r < fr.length; r++) { const k = JSON.stringify(keys.map((f) => f.values[r])); groups.set(k, [...(groups.get(k) ?? []), r]); }
  const rows = [...groups.values()];
  return frame(fr.refId, [...keys.map((f) => ({ ...f, values: rows.map((g) => f.values[g[0]!] ?? null) })), ...fr.fields.flatMap((f) => (op(f)?.operation === 'aggregate' ? (op(f).aggregations as string[]) ?? [] : []).map((c): Field =>
    ({ ...f, name: `${title(f, fr)} (${c})`, dsName: undefined, values: rows.map((g) => reduce(c, g.map((r) => f.values[r] ?? null))) })))], fr.name);
});

const TESTS: Record<string, (v: Value, o: Json) => boolean> = {
  isNull: (v) => v === null, isNotNull: (v) => v !== null, greater: (v, o) => Number(v) > Number(o.value), greaterOrEqual: (v, o) => Number(v) >= Number(o.value), lower: (v, o) => Number(v) < Number(o.value),
  lowerOrEqual: (v, o) => Number(v) <= Number(o.value), equal: (v, o) => String(v) === String(o.value), notEqual: (v, o) => String(v) !== String(o.value), substring: (v, o) => String(v).includes(String(o.value)),
  notSubstring: (v, o) => !String(v).includes(String(o.value)), regex: (v, o) => !!toRegex(`/${o.value}/`)?.test(String(v)), between: (v, o) => Number(v) >= Number(o.from) && Number(v) <= Number(o.to),
};
const filterByValue: Step = (frames, o) => frames.map((fr) => {
  const filters = ((o.filters ?? []) as Json[]).map((x) => ({ f: fr.fields.find((f) => title(f, fr) === x.fieldName || f.name === x.fieldName), test: TESTS[x.config?.id], o: x.config?.options ?? {} })).filter((x) => x.f && x.test);
  if (!filters.length) return fr;
  const hit = (r: number): boolean => (o.match === 'all' ? filters.every((x) => x.test!(x.f!.values[r] ?? null, x.o)) : filters.some((x) => x.test!(x.f!.values[r] ?? null, x.o)));
  return pickRows(fr, [...Array(fr.length).keys()].filter((r) => hit(r) === (o.type !== 'exclude')));
});

export const TABLE: Record<string, Step> = { filterFieldsByName, filterByRefId, limit, labelsToFields, seriesToColumns, joinByField: seriesToColumns, seriesToRows, reduce: reduceRows, renameByRegex, groupBy, filterByValue };
