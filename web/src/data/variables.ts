// SPDX-License-Identifier: Apache-2.0
/* What:   template variables: their options, the choice among them, the order of their updates, the scope they make.
 * Source: spec/grafana.md 2.4. */
import type { Json, Labels, VarOption, VarValue, Variable } from './model.ts';
import { interpolate, promFormat, references, type Scope, type ScopeValue, scalar } from './interpolate.ts';
import { toRegex } from './display.ts';
import { durationText, goDuration, roundInterval, type TimeRange } from './time.ts';

export const ALL = '$__all';
export type VarQuery = { kind: 'names'; match?: string } | { kind: 'values'; label: string; selector?: string } | { kind: 'metrics'; regex: string } | { kind: 'result'; expr: string } | { kind: 'series'; selector: string };

/** The text of a query variable -> what is asked of Prometheus. */
export function parseVarQuery(text: string): VarQuery {
  const t = text.trim();
  let m = /^label_names\((?:(.*))?\)$/s.exec(t);
  if (m) return { kind: 'names', match: m[1]?.trim() || undefined };
  m = /^label_values\((?:([\s\S]*),)?\s*([\w.:-]+)\s*\)$/.exec(t);
  if (m) return { kind: 'values', label: m[2]!, selector: m[1]?.trim() || undefined };
  m = /^metrics\((.*)\)$/s.exec(t);
  if (m) return { kind: 'metrics', regex: m[1]! };
  m = /^query_result\(([\s\S]*)\)$/.exec(t);
  return m ? { kind: 'result', expr: m[1]! } : { kind: 'series', selector: t };
}
export function queryText(v: Variable): string {
  const q = v.query as Json;
  if (typeof q === 'string') return q;
  return String(q?.query ?? v.definition ?? '');
}
export const metricText = (labels: Labels): string => {
  const { __name__: name = '', ...rest } = labels;
  return `${name}{${Object.entries(rest).map(([k, x]) => `${k}="${x}"`).join(',')}}`;
};

/** Regex, uniqueness, order. */
export function varOptions(raw: string[], regex: string, sort: number): VarOption[] {
  const re = regex ? toRegex(regex) : undefined, seen = new Map<string, VarOption>();
  for (const text of raw) for (const o of re ? pick(text, re) : [{ text, value: text }]) if (!seen.has(o.value)) seen.set(o.value, o);
  return sortOptions([...seen.values()], sort);
}
function pick(text: string, re: RegExp): VarOption[] {
  const hits = re.global ? [...text.matchAll(re)] : [re.exec(text)].filter((m): m is RegExpExecArray => m !== null);
  return hits.map((m) => {
    const value = m.groups?.value ?? m.groups?.text ?? m[1] ?? m[0], shown = m.groups?.text ?? m.groups?.value ?? value;
    return { text: shown, value };
  });
}
const number = (s: string): number => { const m = /\d+/.exec(s); return m ? Number(m[0]) : -1; };
function sortOptions(o: VarOption[], sort: number): VarOption[] {
  if (sort < 1 || sort > 8) return o;
  const kind = Math.ceil(sort / 2), by: ((a: VarOption, b: VarOption) => number)[] = [(a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0), (a, b) => number(a.text) - number(b.text),
    (a, b) => a.text.toLowerCase().localeCompare(b.text.toLowerCase()), (a, b) => a.text.localeCompare(b.text, undefined, { numeric: true })];
  const sorted = [...o].sort(by[kind - 1]!);
  return sort % 2 === 0 ? sorted.reverse() : sorted;
}
export function customOptions(text: string): VarOption[] {
  return (text.match(/(?:\\,|[^,])+/g) ?? []).map((s) => s.replace(/\\,/g, ',').trim()).filter(Boolean).map((s) => {
    const m = /^\s*(.+?)\s+:\s+(.+)$/.exec(s);
    return m ? { text: m[1]!.trim(), value: m[2]!.trim() } : { text: s, value: s };
  });
}

const asList = (v: VarValue): string[] => (Array.isArray(v) ? v : v === '' ? [] : [v]);
/** Keep what is still an option; else All, else the first. */
export function chooseValue(v: Variable, options: VarOption[], wanted: VarValue): VarValue {
  const want = asList(wanted), all = v.includeAll && want.includes(ALL);
  if (all) return v.multi ? [ALL] : ALL;
  const valid = want.filter((x) => options.some((o) => o.value === x));
  const named = valid.length ? valid : want.flatMap((x) => options.filter((o) => o.text === x).map((o) => o.value));
  if (v.multi && named.length) return named;
  if (!v.multi && named[0] !== undefined) return named[0];
  if (v.includeAll && (options.length === 0 || want.length === 0)) return v.multi ? [ALL] : ALL;
  const first = options[0]?.value;
  return v.multi ? (first === undefined ? [] : [first]) : first ?? '';
}
/** One click in the list of a multi variable: All and the others exclude each other. */
export function toggleValue(current: VarValue, value: string): string[] {
  const list = asList(current);
  if (value === ALL) return [ALL];
  const next = list.includes(value) ? list.filter((x) => x !== value) : [...list.filter((x) => x !== ALL), value];
  return next.length ? next : [ALL];
}

/** Each variable after those it refers to. A circle keeps the written order. */
export function updateOrder(vars: Variable[]): Variable[] {
  const by = new Map(vars.map((v) => [v.name, v])), done = new Set<string>(), out: Variable[] = [];
  const visit = (v: Variable, path: string[]): void => {
    if (done.has(v.name) || path.includes(v.name)) return;
    for (const r of dependsOn(v)) { const d = by.get(r); if (d) visit(d, [...path, v.name]); }
    done.add(v.name);
    out.push(v);
  };
  vars.forEach((v) => visit(v, []));
  return out;
}
export const dependsOn = (v: Variable): string[] => references(`${queryText(v)} ${v.regex} ${typeof v.datasource === 'string' ? v.datasource : v.datasource?.uid ?? ''}`);

export const valueText = (v: Variable): string => {
  const list = asList(v.current);
  if (list.includes(ALL)) return 'All';
  return list.map((x) => v.options.find((o) => o.value === x)?.text ?? x).join(' + ');
};
function scopeValue(v: Variable, scope: Scope, range: TimeRange): ScopeValue {
  const list = asList(v.current), multi = v.multi || v.includeAll;
  if (v.type === 'interval' && list[0]?.startsWith('$__auto')) return scalar(autoInterval(v, range));
  if (list.includes(ALL)) {
    if (v.allValue) return { values: [interpolate(v.allValue, scope)], texts: ['All'], multi, raw: interpolate(v.allValue, scope) };
    const values = v.options.filter((o) => o.value !== ALL);
    return { values: values.map((o) => o.value), texts: values.map((o) => o.text), multi };
  }
  return { values: list.length ? list : [''], texts: list.map((x) => v.options.find((o) => o.value === x)?.text ?? x), multi };
}
const autoInterval = (v: Variable, r: TimeRange): string => durationText(Math.max(roundInterval((r.to - r.from) / (v.autoCount || 30)), 10_000));

export interface ScopeExtras { dashboard?: { title: string; uid: string }; login?: string }
export function makeScope(vars: Variable[], range: TimeRange, extra: ScopeExtras = {}): Scope {
  const scope: Scope = {
    __from: scalar(String(range.from)), __to: scalar(String(range.to)), __range_ms: scalar(String(range.to - range.from)), __range_s: scalar(String(Math.round((range.to - range.from) / 1000))),
    __range: scalar(`${Math.round((range.to - range.from) / 1000)}s`), __timezone: scalar('browser'), __org: scalar('1'), '__org.id': scalar('1'), '__org.name': scalar('Main Org.'), '__user.login': scalar(extra.login ?? ''),
    timeFilter: scalar(''), __url_time_range: scalar(`from=${range.raw.from}&to=${range.raw.to}`),
  };
  if (extra.dashboard) { scope.__dashboard = scalar(extra.dashboard.title); scope['__dashboard.uid'] = scalar(extra.dashboard.uid); }
  for (const v of updateOrder(vars)) scope[v.name] = scopeValue(v, scope, range);
  scope.__all_variables = { values: [varParams(vars)], texts: [''], multi: false, raw: varParams(vars) };
  return scope;
}
export const varParams = (vars: Variable[]): string => vars.filter((v) => !v.skipUrlSync && v.type !== 'constant').flatMap((v) => asList(v.current).map((x) => `var-${v.name}=${encodeURIComponent(x)}`)).join('&');

/** Scope of one query: the panel's own, plus what depends on its step. */
export function queryScope(scope: Scope, step: { interval: number; rate: number }): Scope {
  const s = durationText(step.interval);
  return { ...scope, __interval: scalar(s), interval: scope.interval ?? scalar(s), __interval_ms: scalar(String(step.interval)), __rate_interval: scalar(goDuration(step.rate)), __rate_interval_ms: scalar(String(step.rate)), __auto: scalar(s) };
}
export const promText = (text: string, scope: Scope): string => interpolate(text, scope, promFormat);
