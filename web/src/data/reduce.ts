// SPDX-License-Identifier: Apache-2.0
/* What:   a column of values -> one number, by Grafana's reducer names, and the words that legends use for them.
 * Source: spec/grafana.md 2.8. */
import type { Value } from './model.ts';

type Reducer = (all: Value[], nums: number[]) => Value;

const first = <T>(a: readonly T[]): T | null => (a.length ? a[0]! : null);
const last = <T>(a: readonly T[]): T | null => (a.length ? a[a.length - 1]! : null);
const sum = (n: number[]): number => n.reduce((a, b) => a + b, 0);
const real = (n: number[]): number[] => n.filter((v) => !Number.isNaN(v));
const min = (n: number[]): number | null => { let m = Infinity; for (const v of n) if (v < m) m = v; return n.length ? m : null; };
const max = (n: number[]): number | null => { let m = -Infinity; for (const v of n) if (v > m) m = v; return n.length ? m : null; };
const notNull = (all: Value[]): Value[] => all.filter((v) => v !== null && v !== undefined && !(typeof v === 'number' && Number.isNaN(v)));

function delta(n: number[]): number {
  let d = 0, prev: number | null = null, skip = false;
  for (const v of n) {
    if (prev !== null) { if (v < prev) skip = true; else if (skip) skip = false; else d += v - prev; }
    prev = v;
  }
  return d;
}
function variance(n: number[]): number | null {
  if (!n.length) return null;
  const mean = sum(n) / n.length;
  return n.reduce((a, v) => a + (v - mean) ** 2, 0) / n.length;
}
function percentile(n: number[], p: number): number | null {
  if (!n.length) return null;
  const s = [...n].sort((a, b) => a - b);
  return s[Math.round((s.length - 1) * p)]!;
}
const diff = (n: number[]): number | null => (n.length ? n[n.length - 1]! - n[0]! : null);
function minStep(n: number[]): number | null {
  let m = Infinity;
  for (let i = 1; i < n.length; i++) m = Math.min(m, n[i]! - n[i - 1]!);
  return n.length > 1 ? m : null;
}
const changes = (all: Value[]): number => all.reduce<number>((c, v, i) => c + (i > 0 && v !== all[i - 1] ? 1 : 0), 0);

const TABLE: Record<string, Reducer> = {
  lastNotNull: (a) => last(notNull(a)), firstNotNull: (a) => first(notNull(a)), last, first, min: (_, n) => min(real(n)), max: (_, n) => max(real(n)),
  mean: (_, n) => { const r = real(n); return r.length ? sum(r) / r.length : null; }, sum: (_, n) => sum(real(n)), count: (a) => a.filter((v) => v !== null).length, countAll: (a) => a.length,
  range: (_, n) => { const r = real(n); return r.length ? max(r)! - min(r)! : null; }, diff: (_, n) => diff(real(n)), delta: (_, n) => delta(real(n)), step: (_, n) => minStep(real(n)),
  diffperc: (_, n) => { const r = real(n), d = diff(r); return d === null ? null : (100 * d) / r[0]!; }, changeCount: changes, distinctCount: (a) => new Set(a).size,
  logmin: (_, n) => min(real(n).filter((v) => v > 0)), allIsZero: (a) => a.every((v) => v === 0), allIsNull: (a) => a.every((v) => v === null), median: (_, n) => percentile(real(n), 0.5),
  variance: (_, n) => variance(real(n)), stdDev: (_, n) => { const v = variance(real(n)); return v === null ? null : Math.sqrt(v); },
};
const ALIAS: Record<string, string> = { current: 'lastNotNull', avg: 'mean', total: 'sum' };

export function reduce(calc: string, values: Value[]): Value {
  const nums = values.filter((v): v is number => typeof v === 'number');
  const id = ALIAS[calc] ?? calc, p = /^p(\d{1,2})$/.exec(id);
  if (p) return percentile(real(nums), Number(p[1]) / 100);
  return (TABLE[id] ?? TABLE.lastNotNull!)(values, nums);
}
export const reducerKnown = (calc: string): boolean => (ALIAS[calc] ?? calc) in TABLE || /^p\d{1,2}$/.test(calc);

const NAMES: Record<string, string> = {
  lastNotNull: 'Last *', last: 'Last', first: 'First', firstNotNull: 'First *', min: 'Min', max: 'Max', mean: 'Mean', sum: 'Total', count: 'Count', range: 'Range', delta: 'Delta', step: 'Step',
  diff: 'Difference', diffperc: 'Difference percent', logmin: 'Min (above zero)', median: 'Median', variance: 'Variance', stdDev: 'StdDev', countAll: 'Count all', distinctCount: 'Distinct Count', changeCount: 'Change Count',
};
export const reducerName = (calc: string): string => NAMES[ALIAS[calc] ?? calc] ?? calc;
