// SPDX-License-Identifier: Apache-2.0
/* What: one JSON value out of a text that may carry a byte order mark before it and anything after it, as Grafana reads it. */
import type { Json } from './model.ts';

export type Parsed = { value: Json; trailing: boolean } | { error: string; line: number; column: number };

export function parseLenient(text: string): Parsed {
  const t = text.replace(/^\ufeff/, '');
  try { return { value: JSON.parse(t), trailing: false }; } catch (e) {
    const end = firstValueEnd(t);
    if (end !== undefined && t.slice(end).trim()) { try { return { value: JSON.parse(t.slice(0, end)), trailing: true }; } catch { /* the first value is broken too: say where */ } }
    return where(t, String((e as Error).message));
  }
}
function firstValueEnd(t: string): number | undefined {
  let depth = 0, inText = false;
  for (let i = 0; i < t.length; i++) {
    const c = t[i];
    if (inText) { if (c === '\\') i++; else if (c === '"') inText = false; continue; }
    if (c === '"') inText = true;
    else if (c === '{' || c === '[') depth++;
    else if ((c === '}' || c === ']') && --depth === 0) return i + 1;
  }
  return undefined;
}
function where(t: string, message: string): Parsed {
  const line = /line (\d+) column (\d+)/.exec(message), pos = /position (\d+)/.exec(message);
  if (line) return { error: message, line: Number(line[1]), column: Number(line[2]) };
  const at = pos ? Number(pos[1]) : t.length, before = t.slice(0, at);
  return { error: message, line: before.split('\n').length, column: at - before.lastIndexOf('\n') };
}
