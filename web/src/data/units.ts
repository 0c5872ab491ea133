// SPDX-License-Identifier: Apache-2.0
/* What:   a number and a unit id -> the exact text that Grafana prints for them.
 * Shape:  a table of unit ids, each a small formatter (value, decimals) -> text. No locale, no DOM, no globals.
 * Source: spec/grafana.md 2.9; held to its vectors by test/units.test.ts. */

export type Decimals = number | null | undefined;
export type Formatter = (v: number, decimals?: Decimals) => string;

/** Fixed or automatic decimals. Automatic keeps about three significant digits. */
export function toFixed(v: number | null | undefined, decimals?: Decimals): string {
  if (v === null || v === undefined) return '';
  if (Number.isNaN(v)) return 'NaN';
  if (!Number.isFinite(v)) return v > 0 ? '∞' : '-∞';
  if (decimals === null || decimals === undefined) decimals = autoDecimals(v);
  if (v === 0) return (0).toFixed(Math.min(decimals, 100));
  const factor = 10 ** Math.max(0, decimals);
  const text = String(Math.round(v * factor) / factor);
  if (text.includes('e') || decimals <= 0) return text;
  const dot = text.indexOf('.');
  const have = dot < 0 ? 0 : text.length - dot - 1;
  return have < decimals ? text + (dot < 0 ? '.' : '') + '0'.repeat(decimals - have) : text;
}

export function autoDecimals(v: number): number {
  if (v === 0 || Number.isInteger(v)) return 0;
  let dec = 1 - Math.floor(Math.log(Math.abs(v)) / Math.LN10);
  if (Math.abs(v) / 10 ** -dec > 2.25) dec++;
  return Math.max(0, dec);
}

const fixedUnit = (suffix: string): Formatter => (v, d) => toFixed(v, d) + suffix;

function scaled(base: number, names: readonly string[], offset = 0): Formatter {
  return (v, d) => {
    if (!Number.isFinite(v)) return toFixed(v) + (names[offset] ?? '');
    let i = v === 0 ? 0 : Math.floor(Math.log(Math.abs(v)) / Math.log(base));
    i = Math.min(names.length - 1 - offset, Math.max(-offset, i));
    return toFixed(v / base ** i, d) + names[i + offset];
  };
}

const SI = ['f', 'p', 'n', 'µ', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const SI_ZERO = 5;
const si = (unit: string, offset = 0): Formatter => scaled(1000, SI.map((p) => ` ${p}${unit}`), SI_ZERO + offset);

const IEC = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];
const iec = (unit: string, offset = 0): Formatter => scaled(1024, IEC.map((p) => ` ${p}${unit}`), offset);

const KMBT = ['', 'K', 'M', 'B', 'T'];
const simpleCount = (unit: string): Formatter => scaled(1000, KMBT.map((p) => `${p} ${unit}`));
const SHORT = ['', ' K', ' Mil', ' Bil', ' Tri', ' Quadr', ' Quint', ' Sext', ' Sept'];

function currency(symbol: string, suffix = false): Formatter {
  const scale = scaled(1000, KMBT);
  return (v, d) => {
    const text = scale(Math.abs(v), d), sign = v < 0 ? '-' : '';
    return suffix ? `${sign}${text}${symbol}` : `${sign}${symbol}${text}`;
  };
}

/* Durations: the first row whose limit exceeds |v| (in the base unit) wins; plural rows take an s above one. */
interface TimeStep { under: number; div: number; name: string; plural?: boolean }
const MIN = 60, HOUR = 3600, DAY = 86400, WEEK = 604800, YEAR = 31557000;
const steps = (rows: [number, number, string, boolean?][]): TimeStep[] =>
  rows.map(([under, div, name, plural]) => ({ under, div, name, plural: plural ?? false }));
const INF = Infinity;

const STEPS_NS = steps([[1e3, 1, ' ns'], [1e6, 1e3, ' µs'], [1e9, 1e6, ' ms'], [6e10, 1e9, ' s'], [3.6e12, 6e10, ' min', true], [8.64e13, 3.6e12, ' hour', true], [INF, 8.64e13, ' day', true]]);
const STEPS_US = steps([[1e3, 1, ' µs'], [1e6, 1e3, ' ms'], [INF, 1e6, ' s']]);
const STEPS_MS = steps([[1e3, 1, ' ms'], [6e4, 1e3, ' s'], [3.6e6, 6e4, ' min', true], [8.64e7, 3.6e6, ' hour', true], [3.1536e10, 8.64e7, ' day', true], [INF, 3.1536e10, ' year', true]]);
const STEPS_S = steps([[1e-6, 1e-9, ' ns'], [1e-3, 1e-6, ' µs'], [1, 1e-3, ' ms'], [MIN, 1, ' s'], [HOUR, MIN, ' min', true], [DAY, HOUR, ' hour', true], [WEEK, DAY, ' day', true], [YEAR, WEEK, ' week', true], [INF, 3.15569e7, ' year', true]]);
const STEPS_MIN = steps([[60, 1, ' min'], [1440, 60, ' hour', true], [10080, 1440, ' day', true], [604800, 10080, ' week', true], [INF, 5.25948e5, ' year', true]]);
const STEPS_HOUR = steps([[24, 1, ' hour'], [168, 24, ' day', true], [8760, 168, ' week', true], [INF, 8760, ' year', true]]);
const STEPS_DAY = steps([[7, 1, ' day', true], [365, 7, ' week', true], [INF, 365, ' year', true]]);

function duration(rows: TimeStep[]): Formatter {
  return (v, d) => {
    if (!Number.isFinite(v)) return toFixed(v);
    const a = Math.abs(v);
    const row = rows.find((r) => a < r.under) ?? rows[rows.length - 1]!;
    const x = v / row.div, text = toFixed(x, d);
    return text + row.name + (row.plural && Math.abs(x) > 1 && row.name !== '' ? 's' : '');
  };
}
const seconds: Formatter = (v, d) => (v === 0 ? '0 s' : duration(STEPS_S)(v, d));

/* Words: as many whole parts as asked for, largest first. */
const WORDS: [string, number][] = [['year', 31536e6], ['month', 2628e6], ['week', 6048e5], ['day', 864e5], ['hour', 36e5], ['minute', 6e4], ['second', 1e3], ['millisecond', 1]];
function words(ms: number, decimals: Decimals, unit: string): string {
  if (ms === 0) return `0 ${unit}s`;
  if (ms < 0) return `${words(-ms, decimals, unit)} ago`;
  const out: string[] = [];
  let left = ms, more = decimals ?? 0;
  for (const [name, size] of WORDS) {
    const n = Math.floor(left / size);
    if (n <= 0 && out.length === 0) continue;
    if (n > 0) out.push(`${n} ${name}${n === 1 ? '' : 's'}`);
    left -= n * size;
    if (more-- <= 0) break;
  }
  return out.join(', ');
}

const two = (n: number): string => String(n).padStart(2, '0');
function hms(v: number, days: boolean): string {
  if (v < 0) return `${hms(-v, days)} ago`;
  const s = Math.floor(v), d = days ? Math.floor(s / DAY) : 0, rest = s - d * DAY;
  const text = `${two(Math.floor(rest / HOUR))}:${two(Math.floor((rest % HOUR) / MIN))}:${two(rest % MIN)}`;
  return d > 0 ? `${d} d ${text}` : text;
}

const mod = (a: number, n: number): number => ((a % n) + n) % n;
function clock(ms: number, decimals: Decimals): string {
  const a = Math.trunc(ms), three = String(Math.trunc(mod(a, 1000))).padStart(3, '0');
  if (ms < 1000) return `${three}ms`;
  const s = two(Math.floor(ms / 1000) % 60), m = two(Math.floor(ms / 6e4) % 60), h = two(Math.floor(ms / 36e5));
  const all = ms < 6e4 ? [`${s}s`, `${three}ms`] : ms < 36e5 ? [`${m}m`, `${s}s`, `${three}ms`] : [`${h}h`, `${m}m`, `${s}s`, `${three}ms`];
  return (decimals === null || decimals === undefined ? all : all.slice(0, decimals + 1)).join(':');
}

const pad = (n: number, w = 2): string => String(n).padStart(w, '0');
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Moment's commonest tokens; what is not a token stays as it is. */
export function formatMoment(ms: number, pattern: string, utc = false): string {
  if (!Number.isFinite(ms)) return '';
  const d = new Date(utc ? ms : ms - new Date(ms).getTimezoneOffset() * 6e4);
  const Y = d.getUTCFullYear(), M = d.getUTCMonth(), D = d.getUTCDate(), H = d.getUTCHours(), h = H % 12 || 12;
  const tok: Record<string, string> = {
    YYYY: String(Y), YY: pad(Y % 100), MMMM: MONTHS[M]!, MMM: MONTHS[M]!.slice(0, 3), MM: pad(M + 1), M: String(M + 1), DD: pad(D), D: String(D),
    dddd: WEEKDAYS[d.getUTCDay()]!, ddd: WEEKDAYS[d.getUTCDay()]!.slice(0, 3), HH: pad(H), H: String(H), hh: pad(h), h: String(h),
    mm: pad(d.getUTCMinutes()), m: String(d.getUTCMinutes()), ss: pad(d.getUTCSeconds()), s: String(d.getUTCSeconds()), SSS: pad(d.getUTCMilliseconds(), 3),
    A: H < 12 ? 'AM' : 'PM', a: H < 12 ? 'am' : 'pm', X: String(Math.floor(ms / 1000)), x: String(ms),
  };
  return pattern.replace(/\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|a|X|x/g, (t, lit: string | undefined) => lit ?? tok[t]!);
}

export function fromNow(ms: number, now: number): string {
  const s = Math.abs(now - ms) / 1000;
  const rows: [number, number, string, string][] = [[45, 1, 'a few seconds', ''], [90, 1, 'a minute', ''], [45 * MIN, MIN, '', 'minutes'], [90 * MIN, 1, 'an hour', ''], [22 * HOUR, HOUR, '', 'hours'],
    [36 * HOUR, 1, 'a day', ''], [26 * DAY, DAY, '', 'days'], [45 * DAY, 1, 'a month', ''], [320 * DAY, 30.44 * DAY, '', 'months'], [548 * DAY, 1, 'a year', ''], [INF, 365.25 * DAY, '', 'years']];
  const [, div, one, many] = rows.find(([u]) => s < u)!;
  const text = one || `${Math.round(s / div)} ${many}`;
  return ms > now ? `in ${text}` : `${text} ago`;
}

const group = (v: number): string => {
  const [int = '0', frac] = String(Math.abs(Math.round(v * 1000) / 1000)).split('.');
  return (v < 0 ? '-' : '') + int.replace(/\B(?=(\d{3})+$)/g, ',') + (frac ? `.${frac}` : '');
};
const sameDay = (a: number, b: number): boolean => formatMoment(a, 'YYYYMMDD') === formatMoment(b, 'YYYYMMDD');
const date = (pattern: string, today?: string): Formatter => (v) => formatMoment(v, today && sameDay(v, Date.now()) ? today : pattern);
const yesNo = (yes: string, no: string): Formatter => (v) => (v ? yes : no);

const TABLE: Record<string, Formatter> = {
  none: toFixed, short: scaled(1000, SHORT), sishort: scaled(1000, SI.map((p) => ` ${p}`), SI_ZERO), percent: fixedUnit('%'),
  percentunit: (v, d) => `${toFixed(v * 100, d)}%`, humidity: fixedUnit(' %H'), dB: fixedUnit(' dB'), string: (v) => String(v), sci: (v, d) => (d ? v.toExponential(d) : v.toExponential()),
  hex: (v, d) => Number(toFixed(v, d)).toString(16).toUpperCase(), hex0x: (v) => `0x${Math.trunc(v).toString(16).toUpperCase()}`,
  locale: group, bool: yesNo('True', 'False'), bool_yes_no: yesNo('Yes', 'No'), bool_on_off: yesNo('On', 'Off'),
  bytes: iec('B'), decbytes: si('B'), bits: iec('b'), decbits: si('b'), kbytes: iec('B', 1), deckbytes: si('B', 1), mbytes: iec('B', 2), decmbytes: si('B', 2),
  gbytes: iec('B', 3), decgbytes: si('B', 3), tbytes: iec('B', 4), dectbytes: si('B', 4), pbytes: iec('B', 5), decpbytes: si('B', 5),
  Bps: si('B/s'), binBps: iec('B/s'), bps: si('b/s'), binbps: iec('b/s'), KBs: si('B/s', 1), KiBs: iec('B/s', 1), MBs: si('B/s', 2), MiBs: iec('B/s', 2), GBs: si('B/s', 3), GiBs: iec('B/s', 3),
  Kbits: si('b/s', 1), Kibits: iec('b/s', 1), Mbits: si('b/s', 2), Mibits: iec('b/s', 2), Gbits: si('b/s', 3), Gibits: iec('b/s', 3), pps: si('p/s'), hertz: si('Hz'), rotrpm: fixedUnit(' rpm'),
  ns: duration(STEPS_NS), 'µs': duration(STEPS_US), us: duration(STEPS_US), ms: duration(STEPS_MS), s: seconds, m: duration(STEPS_MIN), h: duration(STEPS_HOUR), d: duration(STEPS_DAY),
  dtdurationms: (v, d) => words(v, d, 'millisecond'), dtdurations: (v, d) => (v === 0 ? '0 seconds' : words(v * 1000, d, 'second')), dthms: (v) => hms(v, false), dtdhms: (v) => hms(v, true),
  timeticks: (v, d) => seconds(v / 100, d), clockms: clock, clocks: (v, d) => clock(v * 1000, d),
  celsius: fixedUnit(' °C'), fahrenheit: fixedUnit(' °F'), kelvin: fixedUnit(' K'), watt: si('W'), kwatt: si('W', 1), volt: si('V'), amp: si('A'), degree: fixedUnit('°'),
  dateTimeAsIso: date('YYYY-MM-DD HH:mm:ss'), dateTimeAsIsoNoDateIfToday: date('YYYY-MM-DD HH:mm:ss', 'HH:mm:ss'), dateTimeAsUS: date('MM/DD/YYYY h:mm:ss a'),
  dateTimeAsUSNoDateIfToday: date('MM/DD/YYYY h:mm:ss a', 'h:mm:ss a'), dateTimeAsLocal: date('YYYY-MM-DD HH:mm:ss'), dateTimeAsSystem: date('YYYY-MM-DD HH:mm:ss'),
  dateTimeFromNow: (v) => fromNow(v, Date.now()),
};
const RATES: Record<string, string> = { ops: 'ops/s', reqps: 'req/s', rps: 'rd/s', wps: 'wr/s', iops: 'io/s', opm: 'ops/m', rpm: 'rd/m', wpm: 'wr/m', reqpm: 'req/m', cps: 'c/s', eps: 'evt/s', mps: 'msg/s', mpm: 'msg/m',
  cpm: 'c/m', recps: 'rec/s', recpm: 'rec/m', rowsps: 'rows/s', rowspm: 'rows/m' };
for (const [id, unit] of Object.entries(RATES)) TABLE[id] = simpleCount(unit);
const MONEY: Record<string, string> = { USD: '$', GBP: '£', EUR: '€', JPY: '¥', RUB: '₽', UAH: '₴', BRL: 'R$', INR: '₹', KRW: '₩', BTC: '฿', PLN: 'zł', ZAR: 'R' };
for (const [id, sym] of Object.entries(MONEY)) TABLE[`currency${id}`] = currency(sym);
for (const id of ['DKK', 'ISK', 'NOK', 'SEK', 'CZK', 'CHF']) TABLE[`currency${id}`] = currency(id === 'CZK' ? ' czk' : id === 'CHF' ? ' CHF' : ' kr', true);

/* "si:mF" carries its own prefix: milli means one step below zero. */
function siCustom(spec: string): Formatter {
  const prefix = spec.length > 1 ? SI.indexOf(spec[0]!) : -1;
  return prefix >= 0 && spec[0] !== '' ? si(spec.slice(1), prefix - SI_ZERO) : si(spec);
}

const CUSTOM: Record<string, (rest: string) => Formatter> = {
  prefix: (rest) => (v, d) => rest + toFixed(v, d), suffix: (rest) => fixedUnit(rest.startsWith(' ') ? rest : ` ${rest}`), time: (rest) => (v) => formatMoment(v, rest.trim()), si: siCustom,
  count: simpleCount, currency: (rest) => (rest.startsWith('financial:') ? financial(rest.slice(10)) : currency(rest)),
  bool: (rest) => { const [yes = '', no = ''] = rest.split('/'); return yesNo(yes, no); },
};
function financial(rest: string): Formatter {
  const [symbol = '', suffix] = rest.split(':');
  return (v, d) => { const t = group(Number(toFixed(Math.abs(v), d ?? 2))), s = v < 0 ? '-' : ''; return suffix ? `${s}${t}${symbol}` : `${s}${symbol}${t}`; };
}

const made = new Map<string, Formatter>();
export function unitFormatter(id: string | undefined): Formatter {
  if (!id) return TABLE.none!;
  let f = TABLE[id] ?? made.get(id);
  if (!f) { made.set(id, f = custom(id)); }
  return f;
}
function custom(id: string): Formatter {
  const colon = id.indexOf(':');
  const make = colon > 0 ? CUSTOM[id.slice(0, colon)] : undefined;
  return make ? make(id.slice(colon + 1)) : fixedUnit(` ${id}`);
}
export const unitFormat = (id: string | undefined, v: number, decimals?: Decimals): string => unitFormatter(id)(v, decimals);
export const unitKnown = (id: string): boolean => id in TABLE || id.includes(':');
