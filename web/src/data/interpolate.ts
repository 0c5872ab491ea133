// SPDX-License-Identifier: Apache-2.0
/* What:   $name, ${name:fmt} and [[name]] in texts, expressions and links.
 * Shape:  a scope (name -> value) and a format; what nobody knows stays as it is written.
 * Source: spec/grafana.md 2.4. */
import { formatMoment } from './units.ts';

export interface ScopeValue { values: string[]; texts: string[]; multi: boolean; raw?: string }
export type Scope = Record<string, ScopeValue>;

const REF = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}/g;

const escapeOne = (s: string): string => s.replace(/\\/g, '\\\\').replace(/'/g, "\\'");
/* It lands inside a PromQL string, so every backslash is written twice. */
export const escapeRegex = (s: string): string => s.replace(/\\/g, '\\\\\\\\').replace(/[$^*{}[\]'+?.()|]/g, '\\\\$&');

/** How Grafana's Prometheus source writes a variable that has no explicit format. */
export function promFormat(v: ScopeValue): string {
  if (v.raw !== undefined) return v.raw;
  if (!v.multi) return escapeOne(v.values[0] ?? '');
  const parts = v.values.map(escapeRegex);
  return parts.length === 1 ? parts[0]! : `(${parts.join('|')})`;
}
const glob = (v: ScopeValue): string => (v.raw !== undefined ? v.raw : v.values.length === 1 ? v.values[0]! : v.values.length ? `{${v.values.join(',')}}` : '');
const quoted = (q: string) => (v: ScopeValue): string => v.values.map((x) => q + x.split(q).join(`\\${q}`) + q).join(',');

const FORMATS: Record<string, (v: ScopeValue, name: string, arg: string) => string> = {
  raw: (v) => v.values.join(','), csv: (v) => v.values.join(','), pipe: (v) => v.values.join('|'), json: (v) => JSON.stringify(v.values.length === 1 ? v.values[0] : v.values), glob,
  regex: (v) => { const p = v.values.map((s) => s.replace(/[$^*{}[\]'+?.()|\\/]/g, '\\$&')); return p.length === 1 ? p[0]! : `(${p.join('|')})`; },
  text: (v) => v.texts.join(' + '), singlequote: quoted("'"), doublequote: quoted('"'), sqlstring: (v) => v.values.map((x) => `'${x.replace(/'/g, "''")}'`).join(','), percentencode: (v) => encodeURIComponent(glob(v)),
  uriencode: (v) => encodeURI(glob(v)), lucene: (v) => (v.values.length > 1 ? `(${v.values.map((x) => `"${x}"`).join(' OR ')})` : v.values[0] ?? ''), distributed: (v, n) => v.values.map((x, i) => (i ? `${n}=${x}` : x)).join(','),
  queryparam: (v, n) => v.values.map((x) => `var-${n}=${encodeURIComponent(x)}`).join('&'), join: (v, _, arg) => v.values.join(arg || ','), html: (v) => v.values.join(', '),
  date: (v, _, arg) => { const ms = Number(v.values[0]); return !arg || arg === 'iso' ? new Date(ms).toISOString() : arg === 'ms' ? String(ms) : arg === 'seconds' ? String(Math.round(ms / 1000)) : formatMoment(ms, arg); },
};

export type Plain = (v: ScopeValue) => string;
export function interpolate(text: string, scope: Scope, plain: Plain = glob): string {
  return text.replace(REF, (all, a?: string, b?: string, bf?: string, c?: string, field?: string, cf?: string) => {
    const name = a ?? b ?? c ?? '', v = scope[field ? `${name}.${field}` : name] ?? (field ? undefined : scope[name]);
    if (!v) return all;
    const format = bf ?? cf;
    if (!format) return plain(v);
    const colon = format.indexOf(':'), id = colon < 0 ? format : format.slice(0, colon);
    return (FORMATS[id] ?? plain)(v, name, colon < 0 ? '' : format.slice(colon + 1));
  });
}
/** Names that a text refers to, for the order of variables and for "not defined" messages. */
export function references(text: string): string[] {
  const out = new Set<string>();
  for (const m of text.matchAll(REF)) out.add(m[1] ?? m[2] ?? m[4]!);
  return [...out];
}
export const scalar = (value: string, text = value): ScopeValue => ({ values: [value], texts: [text], multi: false });
