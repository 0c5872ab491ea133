// SPDX-License-Identifier: Apache-2.0
/* What: the selectors of an expression, without a whole parser: enough to know which metrics it reads. */

export interface Matcher { label: string; op: string; value: string }
export interface Selector { metric: string; matchers: Matcher[] }

const WORDS = new Set('by without on ignoring group_left group_right bool offset and or unless sum avg min max count topk bottomk quantile stddev stdvar count_values group atan2 inf nan start end limitk limit_ratio'.split(' '));

/** Every selector of an expression: name{matchers}. Strings and grouping labels are passed over. */
export function selectors(expr: string): Selector[] {
  const out: Selector[] = [], t = expr.replace(/#[^\n]*/g, '');
  const re = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\[[^\]]*\]|([a-zA-Z_:][\w:]*)\s*(\(|\{[^}]*\})?|(\{[^}]*\})|\d[\w.]*/g;
  for (const m of t.matchAll(re)) {
    const name = m[1], tail = m[2] ?? m[3];
    if (name !== undefined && (tail === '(' || WORDS.has(name.toLowerCase()))) continue;
    if (name === undefined && m[3] === undefined) continue;
    const matchers = tail?.startsWith('{') ? [...tail.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')/g)].map((x) => ({ label: x[1]!, op: x[2]!, value: x[3]! })) : [];
    const named = matchers.find((x) => x.label === '__name__' && x.op === '=');
    out.push({ metric: name ?? named?.value.slice(1, -1) ?? '', matchers: matchers.filter((x) => x !== named) });
  }
  return out;
}
export const metricNames = (expr: string): string[] => [...new Set(selectors(expr).map((s) => s.metric).filter(Boolean))];
