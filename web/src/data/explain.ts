// SPDX-License-Identifier: Apache-2.0
/* What:   why an expression has no answer: which part selects nothing, and the nearest that does.
 * Shape:  a small reader of selectors (names and matchers) and a few counts asked of Prometheus; the asking is handed in. */

import { selectors, type Selector } from './selectors.ts';

export type Reason = { kind: 'unknown-metric'; metric: string; nearest?: string; count?: number } | { kind: 'matcher'; metric: string; matcher: string; count: number } | { kind: 'matchers'; metric: string; count: number }
  | { kind: 'not-in-range'; metric: string } | { kind: 'empty'; metric: string };

export function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}
export function nearest(name: string, names: string[]): string | undefined {
  let best: string | undefined, score = Math.max(3, Math.floor(name.length * 0.35)) + 1;
  for (const n of names) { const d = distance(name, n, score); if (d < score) { score = d; best = n; } }
  return best;
}

export interface Asker { count: (selector: string) => Promise<number>; everCount: (selector: string) => Promise<number>; names: () => Promise<string[]> }

export async function explain(expr: string, ask: Asker): Promise<Reason | undefined> {
  for (const s of selectors(expr)) {
    if (!s.metric) continue;
    const full = `${s.metric}{${s.matchers.map((m) => m.label + m.op + m.value).join(',')}}`;
    if (await ask.count(full) > 0) continue;
    const bare = s.matchers.length ? await ask.count(s.metric) : 0;
    if (bare > 0) return blame(s, bare, ask);
    if (await ask.everCount(s.metric) > 0) return { kind: 'not-in-range', metric: s.metric };
    const near = nearest(s.metric, await ask.names());
    return near === s.metric ? { kind: 'not-in-range', metric: s.metric } : { kind: 'unknown-metric', metric: s.metric, ...(near ? { nearest: near, count: await ask.count(near) } : {}) };
  }
  const first = selectors(expr).find((s) => s.metric);
  return first ? { kind: 'empty', metric: first.metric } : undefined;
}
async function blame(s: Selector, bare: number, ask: Asker): Promise<Reason> {
  for (const m of s.matchers) { const text = m.label + m.op + m.value; if (await ask.count(`${s.metric}{${text}}`) === 0) return { kind: 'matcher', metric: s.metric, matcher: text, count: bare }; }
  return { kind: 'matchers', metric: s.metric, count: bare };
}

export interface Place { line: number; column: number; message: string }
/** Prometheus says "1:24: parse error: ..." (and column 0-based for a range "at char N"). */
export function errorPlace(message: string): Place | undefined {
  const m = /(?:^|[^\d])(\d+):(\d+):\s*(?:parse error:\s*)?([\s\S]*)$/.exec(message);
  return m ? { line: Number(m[1]), column: Number(m[2]), message: m[3]!.trim() } : undefined;
}
