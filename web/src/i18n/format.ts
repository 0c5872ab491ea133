// SPDX-License-Identifier: Apache-2.0
/* What:   numbers, durations and clock times of our own pages, in English and French. (Users' dashboards keep Grafana's texts.)
 * Source: design/mockups, "Numbers": groups by U+202F, three significant digits in tiles, two parts of a duration at most. */

export const NNBSP = '\u202f', NBSP = '\u00a0';
let comma = false;
export const useComma = (on: boolean): void => { comma = on; };
const dec = (s: string): string => (comma ? s.replace('.', ',') : s);

export function whole(v: number): string {
  if (!Number.isFinite(v)) return '–';
  return (v < 0 ? '−' : '') + String(Math.round(Math.abs(v))).replace(/\B(?=(\d{3})+$)/g, NNBSP);
}
/** Three significant digits. */
export function sig(v: number): string {
  if (!Number.isFinite(v)) return '–';
  const a = Math.abs(v);
  return a >= 100 || Number.isInteger(v) ? whole(v) : dec(v.toFixed(a >= 10 ? 1 : a >= 0.995 ? 2 : a === 0 ? 0 : 3).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, ''));
}
export const fixed = (v: number, digits: number): string => (Number.isFinite(v) ? dec(v.toFixed(digits)) : '–');
export const percent = (v: number): string => `${fixed(v, 1)}${NBSP}%`;
export const megabytes = (v: number): string => fixed(v / 1e6, 2);

const UNITS: [string, number][] = [['d', 864e5], ['h', 36e5], ['min', 6e4], ['s', 1e3]];
const FRENCH: Record<string, string> = { d: 'j', h: 'h', min: 'min', s: 's' };
/** "14 min 26 s", "8 h 41 min", "6.0 s". */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 0) ms = 0;
  if (ms < 1e4) return `${fixed(ms / 1e3, 1)}${NBSP}s`;
  const i = UNITS.findIndex(([, size]) => ms >= size), [u, size] = UNITS[i]!, n = Math.floor(ms / size), next = UNITS[i + 1], name = (x: string): string => (comma ? FRENCH[x]! : x);
  const rest = next ? Math.floor((ms - n * size) / next[1]) : 0;
  return `${n}${NBSP}${name(u)}${next && rest > 0 && !(u === 'd' && n > 6) ? `${NBSP}${rest}${NBSP}${name(next[0])}` : ''}`;
}
/** One part only: "14 min". */
export function about(ms: number): string { return duration(ms).split(NBSP).slice(0, 2).join(NBSP); }
const two = (n: number): string => String(n).padStart(2, '0');
export function clock(ms: number, seconds = true): string { const d = new Date(ms); return `${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ''}`; }
export function day(ms: number): string { const d = new Date(ms); return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`; }
/** A time of today is a clock time; an older one carries its date. */
export const when = (ms: number, now: number): string => (day(ms) === day(now) ? clock(ms) : `${day(ms)} ${clock(ms, false)}`);
