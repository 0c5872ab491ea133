// SPDX-License-Identifier: Apache-2.0
/* What: the variables of an open dashboard: options read in order of dependence, values chosen, address kept in step. */
import type { Dashboard, Labels, VarOption, VarValue, Variable } from '../data/model.ts';
import type { PromSeries } from '../data/frames.ts';
import { ALL, chooseValue, makeScope, metricText, parseVarQuery, promText, queryScope, queryText, updateOrder, varOptions } from '../data/variables.ts';
import { interpolate } from '../data/interpolate.ts';
import { resolveSource, type DataSource } from '../data/datasource.ts';
import { toRegex } from '../data/display.ts';
import type { TimeRange } from '../data/time.ts';
import * as prom from '../api/prom.ts';

export interface VarState { vars: Variable[]; errors: Record<string, string> }

export const fromUrl = (v: Variable, query: URLSearchParams): VarValue | undefined => {
  const got = query.getAll(`var-${v.name}`).map((x) => (x === 'All' && v.includeAll ? ALL : x));
  return got.length === 0 ? undefined : v.multi ? got : got[0]!;
};
/** Options and values of all variables, each after those it needs. Errors are told by name; the others go on. */
export async function loadVariables(d: Dashboard, query: URLSearchParams, range: TimeRange, sources: DataSource[]): Promise<VarState> {
  const done: Variable[] = [], errors: Record<string, string> = {};
  for (const v of updateOrder(d.variables)) {
    const wanted = fromUrl(v, query) ?? v.current;
    let options: VarOption[] = v.options;
    try { options = await optionsOf(v, done, d, range, sources); } catch (e) { errors[v.name] = String((e as Error).message); }
    const free = v.type === 'textbox' || v.type === 'constant' || v.type === 'adhoc' || errors[v.name] !== undefined;
    done.push({ ...v, options, current: free ? (v.type === 'constant' ? v.current : wanted) : chooseValue(v, options, wanted) });
  }
  return { vars: d.variables.map((v) => done.find((x) => x.name === v.name)!), errors };
}
async function optionsOf(v: Variable, done: Variable[], d: Dashboard, range: TimeRange, sources: DataSource[]): Promise<VarOption[]> {
  const scope = makeScope(done, range);
  if (v.type === 'datasource') {
    const re = v.regex ? toRegex(interpolate(v.regex, scope)) : undefined, type = String(queryText(v) || 'prometheus'), mine = sources.filter((s) => s.type === type && (!re || re.test(s.name)));
    return mine.map((s) => ({ text: s.name, value: s.uid }));
  }
  if (v.type !== 'query') return v.options;
  const source = resolveSource(v.datasource, null, sources, scope, d.inputs);
  if ('missing' in source) throw new Error(source.missing);
  const asked = queryScope(scope, { interval: 15000, rate: 60000 }), raw = await ask(source.ds.uid, promText(queryText(v), asked), range);
  return varOptions(raw, interpolate(v.regex, scope), v.sort);
}
async function ask(uid: string, text: string, range: TimeRange): Promise<string[]> {
  const q = parseVarQuery(text), from = range.from / 1000, to = range.to / 1000;
  if (q.kind === 'names') { const re = q.match ? toRegex(q.match) : undefined, names = await prom.labelNames(uid, from, to); return re ? names.filter((n) => re.test(n)) : names; }
  if (q.kind === 'values') return prom.labelValues(uid, q.label, from, to, q.selector);
  if (q.kind === 'metrics') { const re = toRegex(`/${q.regex}/`), names = await prom.labelValues(uid, '__name__', from, to); return re ? names.filter((n) => re.test(n)) : names; }
  if (q.kind === 'series') return (await prom.series(uid, q.selector, from, to)).map((l: Labels) => metricText(l));
  const r = await prom.queryInstant(uid, q.expr, to);
  return Array.isArray(r.result) ? (r.result as PromSeries[]).map((s) => `${metricText(s.metric)} ${s.value?.[1] ?? ''} ${Math.round((s.value?.[0] ?? 0) * 1000)}`) : [];
}
