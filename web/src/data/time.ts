// SPDX-License-Identifier: Apache-2.0
/* What:   Grafana's date arithmetic ("now-6h/h"), durations, and the step and interval of a query.
 * Shape:  pure: `now` and the zone come from the caller.
 * Source: spec/grafana.md 2.2 and 2.3. */

export interface TimeRange { from: number; to: number; raw: { from: string; to: string } }
export type Zone = 'utc' | 'browser';

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 6e4, h: 36e5, d: 864e5, w: 6048e5, M: 2592e6, Q: 7776e6, y: 31536e6 };

/** "1h30m", "15s", "5" (seconds) -> ms; undefined when it is no duration. */
export function durationMs(text: string | undefined | null): number | undefined {
  const t = (text ?? '').trim().replace(/^>/, '').trim();
  if (/^\d+(\.\d+)?$/.test(t)) return Number(t) * 1000;
  let ms = 0, rest = t;
  while (rest) {
    const m = /^(\d+(?:\.\d+)?)(ms|[smhdwMQy])/.exec(rest);
    if (!m) return undefined;
    ms += Number(m[1]) * UNIT_MS[m[2]!]!;
    rest = rest.slice(m[0].length);
  }
  return t ? ms : undefined;
}

/** The largest whole unit: 90000 -> "90s", 120000 -> "2m". */
export function durationText(ms: number): string {
  for (const [u, size] of [['d', 864e5], ['h', 36e5], ['m', 6e4], ['s', 1000]] as const) if (ms >= size && ms % size === 0) return `${ms / size}${u}`;
  return `${Math.max(1, Math.round(ms))}ms`;
}
/** Go's form, as Grafana prints $__rate_interval: 60000 -> "1m0s". */
export function goDuration(ms: number): string {
  const h = Math.floor(ms / 36e5), m = Math.floor((ms % 36e5) / 6e4), s = (ms % 6e4) / 1000;
  return h ? `${h}h${m}m${s}s` : m ? `${m}m${s}s` : s >= 1 ? `${s}s` : `${ms}ms`;
}

type Cal = [number, number, number, number, number, number, number]; // Y M D h m s ms
const split = (ms: number, z: Zone): Cal => {
  const d = new Date(ms);
  return z === 'utc' ? [d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate(), d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds(), d.getUTCMilliseconds()]
    : [d.getFullYear(), d.getMonth(), d.getDate(), d.getHours(), d.getMinutes(), d.getSeconds(), d.getMilliseconds()];
};
const join = (c: Cal, z: Zone): number => (z === 'utc' ? Date.UTC(...c) : new Date(...c).getTime());
const daysIn = (y: number, m: number): number => new Date(Date.UTC(y, m + 1, 0)).getUTCDate();

function add(ms: number, n: number, unit: string, z: Zone): number {
  if (unit === 's' || unit === 'm' || unit === 'h') return ms + n * UNIT_MS[unit]!;
  const c = split(ms, z);
  if (unit === 'd' || unit === 'w') { c[2] += n * (unit === 'w' ? 7 : 1); return join(c, z); }
  const months = unit === 'y' ? 12 * n : unit === 'Q' ? 3 * n : n, m = c[1] + months, y = c[0] + Math.floor(m / 12), mon = ((m % 12) + 12) % 12;
  return join([y, mon, Math.min(c[2], daysIn(y, mon)), c[3], c[4], c[5], c[6]], z);
}
function floor(ms: number, unit: string, z: Zone, weekStart: number): number {
  const c = split(ms, z), keep = { y: 1, Q: 2, M: 2, w: 3, d: 3, h: 4, m: 5, s: 6 }[unit] ?? 7;
  if (unit === 'Q') c[1] -= c[1] % 3;
  if (unit === 'w') { const day = new Date(Date.UTC(c[0], c[1], c[2])).getUTCDay(); c[2] -= (day - weekStart + 7) % 7; }
  for (let i = keep; i < 7; i++) c[i] = i === 2 ? 1 : 0;
  return join(c, z);
}

/** "now-1h/h", epoch ms, or an ISO date with "||" arithmetic. `up` takes the end of a rounded unit. */
export function parseDate(text: string, now: number, up: boolean, z: Zone = 'browser', weekStart = 1): number | undefined {
  let t = text.trim(), ms: number;
  if (t.startsWith('now')) { ms = now; t = t.slice(3); } else {
    const [base = '', math = ''] = t.split('||');
    ms = /^-?\d{9,}$/.test(base) ? Number(base) : parseIso(base, z);
    t = math;
  }
  if (!Number.isFinite(ms)) return undefined;
  t = t.replace(/\s+/g, '');
  while (t) {
    const m = /^([-+/])(\d{0,5})(f?[yMwdhmsQ])/.exec(t);
    if (!m) return undefined;
    const unit = m[3]!.replace('f', '');
    if (m[1] === '/') { ms = floor(ms, unit, z, weekStart); if (up) ms = add(ms, 1, unit, z) - 1; } else ms = add(ms, (m[1] === '-' ? -1 : 1) * (m[2] ? Number(m[2]) : 1), unit, z);
    t = t.slice(m[0].length);
  }
  return ms;
}
function parseIso(t: string, z: Zone): number {
  const m = /^(\d{4})-(\d\d)(?:-(\d\d))?(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(t.trim());
  if (!m) return NaN;
  if (m[8]) return Date.parse(t.trim().replace(' ', 'T'));
  return join([Number(m[1]), Number(m[2]) - 1, Number(m[3] ?? 1), Number(m[4] ?? 0), Number(m[5] ?? 0), Number(m[6] ?? 0), Number((m[7] ?? '0').padEnd(3, '0'))], z);
}
export function resolveRange(raw: { from: string; to: string }, now: number, z: Zone = 'browser'): TimeRange | undefined {
  const from = parseDate(raw.from, now, false, z), to = parseDate(raw.to, now, true, z);
  return from === undefined || to === undefined || from >= to ? undefined : { from, to, raw };
}
export const isRelative = (raw: { to: string }): boolean => raw.to.includes('now');

/* limit, result: the first row whose limit is above x. */
const ROUND: [number, number][] = [[10, 1], [15, 10], [35, 20], [75, 50], [150, 100], [350, 200], [750, 500], [1500, 1000], [3500, 2000], [7500, 5000], [12500, 10000], [17500, 15000], [25000, 20000], [45000, 30000],
  [90000, 60000], [210000, 120000], [450000, 300000], [750000, 600000], [1050000, 900000], [1500000, 1200000], [2700000, 1800000], [5400000, 3600000], [9000000, 7200000], [16200000, 10800000], [32400000, 21600000],
  [86400000, 43200000], [604800000, 86400000], [1814400000, 604800000], [3628800000, 2592000000]];
export const roundInterval = (ms: number): number => ROUND.find(([limit]) => ms < limit)?.[1] ?? 31536000000;

export interface StepInput { range: TimeRange; points: number; panelMin?: number; targetMin?: number; scrape: number; factor?: number; ratePasses?: boolean }
export interface Step { step: number; interval: number; rate: number }

/** Step of the query, $__interval and $__rate_interval, all in ms. */
export function queryStep(q: StepInput): Step {
  const span = q.range.to - q.range.from, points = Math.max(1, q.points);
  const interval = Math.max(roundInterval(span / points), q.panelMin ?? q.scrape);
  const min = q.targetMin ?? q.panelMin ?? q.scrape, raw = span / points;
  const adjusted = Math.max(raw < min ? min : roundInterval(raw), roundInterval(span / 11000));
  const scrape = q.targetMin ?? q.scrape, rate = Math.max(interval + scrape, 4 * scrape);
  const step = q.ratePasses ? Math.max(adjusted + scrape, 4 * scrape) : adjusted * (q.factor && q.factor > 0 ? q.factor : 1);
  return { step, interval, rate };
}
/** Start and end on the step's grid, in seconds, as the back end does it. */
export const alignRange = (range: TimeRange, step: number): { start: number; end: number } => ({ start: (Math.floor(range.from / step) * step) / 1000, end: (Math.floor(range.to / step) * step) / 1000 });

export function shiftRange(r: TimeRange, direction: number): { from: string; to: string } {
  const half = (r.to - r.from) / 2;
  return { from: String(Math.round(r.from + direction * half)), to: String(Math.round(r.to + direction * half)) };
}
export function zoomOut(r: TimeRange, now: number): { from: string; to: string } {
  const span = r.to - r.from, mid = (r.from + r.to) / 2, to = Math.min(Math.max(now, r.to), mid + span);
  return { from: String(Math.round(to - 2 * span)), to: String(Math.round(to)) };
}
