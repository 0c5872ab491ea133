// SPDX-License-Identifier: Apache-2.0
/* What:   which data source a panel or a query means, even when the reference was made for another Grafana.
 * Source: spec/grafana.md 1.5: any Prometheus-like reference that resolves to nothing falls back to the default source. */
import type { DataSourceRef, Json } from './model.ts';
import { interpolate, type Scope } from './interpolate.ts';

export interface DataSource { uid: string; name: string; type: string; url?: string; isDefault: boolean; jsonData?: { timeInterval?: string } }
export type Resolved = { ds: DataSource; substituted: boolean } | { missing: string };
type Ref = DataSourceRef | string | null | undefined;

const PROM_LIKE = new Set(['', 'prometheus', 'victoriametrics-metrics-datasource', 'victoriametrics-datasource', 'thanos', 'mimir', 'grafana-amazonprometheus-datasource']);
const uidOf = (r: Ref): string => (typeof r === 'string' ? r : r?.uid ?? '');
const typeOf = (r: Ref): string => (typeof r === 'string' ? '' : r?.type ?? '');
export const isMixed = (r: Ref): boolean => /^-- Mixed --$/i.test(uidOf(r)) || typeOf(r) === 'mixed';
const isGrafana = (r: Ref): boolean => ['grafana', '-- Grafana --', '-- Dashboard --'].includes(uidOf(r));

export function resolveSource(target: Ref, panel: Ref, sources: DataSource[], scope: Scope, inputs: Json[]): Resolved {
  const own = isMixed(panel) ? target : uidOf(panel) || typeOf(panel) ? (uidOf(target) ? target : panel) : target;
  const fallback = sources.find((s) => s.isDefault && s.type === 'prometheus') ?? sources.find((s) => s.type === 'prometheus');
  const written = uidOf(own), name = expand(written, scope, inputs), found = sources.find((s) => s.uid === name) ?? sources.find((s) => s.name === name);
  if (found) return { ds: found, substituted: false };
  const type = typeOf(own);
  if (isGrafana(own) || (type && !PROM_LIKE.has(type) && !/^\$/.test(type))) return { missing: type || written };
  if (!fallback) return { missing: 'prometheus' };
  return { ds: fallback, substituted: name !== '' && name !== 'default' && name !== 'null' };
}
function expand(ref: string, scope: Scope, inputs: Json[]): string {
  const m = /^\$\{?(\w+)\}?$/.exec(ref);
  if (!m) return ref;
  if (scope[m[1]!]) return interpolate(ref, scope);
  const input = inputs.find((i) => i?.name === m[1]);
  return String(input?.value ?? '') || ref;
}
