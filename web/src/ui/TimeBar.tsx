// SPDX-License-Identifier: Apache-2.0
/* What: the range of the page: quick ranges, typed ends, shift and zoom, refresh interval. All of it lives in the address. */
import { useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { clock, day } from '../i18n/format.ts';
import { resolveRange, shiftRange, zoomOut, type TimeRange } from '../data/time.ts';
import { setQuery } from '../state/route.ts';
import { refreshNow } from '../state/clock.ts';
import { Icon } from './icons.tsx';
import { Pop } from './Pop.tsx';
import { useNow } from './hooks.ts';

const QUICK: [string, 'm' | 'h' | 'd', number][] = [['now-5m', 'm', 5], ['now-15m', 'm', 15], ['now-30m', 'm', 30], ['now-1h', 'h', 1], ['now-3h', 'h', 3], ['now-6h', 'h', 6], ['now-12h', 'h', 12], ['now-24h', 'h', 24], ['now-2d', 'd', 2], ['now-7d', 'd', 7], ['now-30d', 'd', 30]];
const NAMED = (): [string, string, string][] => [['now/d', 'now', t().today], ['now-1d/d', 'now-1d/d', t().yesterday], ['now/w', 'now', t().week]];
const quickName = ([, unit, n]: (typeof QUICK)[number]): string => t().lastN(unit === 'm' ? t().minutes(n) : unit === 'h' ? t().hours(n) : t().days(n));

export function rangeName(r: TimeRange): string {
  const q = QUICK.find(([from]) => r.raw.from === from && r.raw.to === 'now');
  if (q) return quickName(q);
  const n = NAMED().find(([f, to]) => f === r.raw.from && to === r.raw.to);
  if (n) return n[2];
  if (/now/.test(r.raw.from) && /now/.test(r.raw.to)) return `${r.raw.from} – ${r.raw.to}`;
  return day(r.from) === day(r.to) ? `${day(r.from)} ${clock(r.from, false)} – ${clock(r.to, false)}` : `${day(r.from)} ${clock(r.from, false)} – ${day(r.to)} ${clock(r.to, false)}`;
}
export const setRange = (r: { from: string; to: string }): void => setQuery({ from: r.from, to: r.to }, false);
export const zoom = (r: TimeRange): void => setRange(zoomOut(r, Date.now()));
export const shift = (r: TimeRange, d: number): void => setRange(shiftRange(r, d));

export const REFRESH = ['5s', '10s', '30s', '1m', '5m', '15m', '30m', '1h'];
export function TimeBar({ range, refresh, intervals }: { range: TimeRange; refresh: string; intervals?: string[] }) {
  const x = t();
  return <><span class="group">
    <button class="btn ic desk" title={`${x.back} (t ←)`} aria-label={x.back} onClick={() => shift(range, -1)}><Icon n="left" /></button>
    <Pop label={<><Icon n="clock" /><span class="rangename">{rangeName(range)}</span></>} right>{(close) => <RangeForm range={range} close={close} />}</Pop>
    <button class="btn ic desk" title={`${x.forward} (t →)`} aria-label={x.forward} onClick={() => shift(range, 1)}><Icon n="right" /></button>
    <button class="btn ic desk" title={`${x.zoomOut} (t z)`} aria-label={x.zoomOut} onClick={() => zoom(range)}><Icon n="out" /></button></span>
  <span class="group"><button class="btn ic" title={`${x.refresh} (d r)`} aria-label={x.refresh} onClick={refreshNow}><Icon n="refresh" /></button>
    <span class="desk"><Pop right label={<>{refresh ? refresh.replace(/(\d)([a-z])/, '$1\u00a0$2') : x.off} <Icon n="down" /></>} title={x.refresh}>{(close) => <ul class="menu">{['', ...(intervals?.length ? intervals : REFRESH)].map((r) =>
      <li><button aria-pressed={r === refresh} onClick={() => { setQuery({ refresh: r }); close(); }}>{r || x.off}</button></li>)}</ul>}</Pop></span></span><Clock /></>;
}
function Clock() { const now = useNow(1000); return <span class="muted desk" title={Intl.DateTimeFormat().resolvedOptions().timeZone}>{clock(now)}</span>; }

function RangeForm({ range, close }: { range: TimeRange; close: () => void }) {
  const x = t(), [from, setFrom] = useState(range.raw.from), [to, setTo] = useState(range.raw.to), [bad, setBad] = useState(false);
  const apply = (e: Event): void => { e.preventDefault(); if (resolveRange({ from, to }, Date.now())) { setRange({ from, to }); close(); } else setBad(true); };
  const text = (v: string): string => (/^\d{9,}$/.test(v) ? `${day(Number(v))} ${clock(Number(v))}` : v);
  return <div class="rangeform"><form onSubmit={apply}>
    <label>{x.from}<input value={text(from)} onInput={(e) => setFrom(e.currentTarget.value)} /></label><label>{x.to}<input value={text(to)} onInput={(e) => setTo(e.currentTarget.value)} /></label>
    {bad && <p class="crit" role="alert">{x.badRange}</p>}<button class="btn pri">{x.apply}</button></form>
    <ul class="menu" aria-label={x.quick}>{QUICK.map((q) => <li><button aria-pressed={range.raw.from === q[0] && range.raw.to === 'now'} onClick={() => { setRange({ from: q[0], to: 'now' }); close(); }}>{quickName(q)}</button></li>)}
      {NAMED().map(([f, to2, name]) => <li><button aria-pressed={range.raw.from === f && range.raw.to === to2} onClick={() => { setRange({ from: f, to: to2 }); close(); }}>{name}</button></li>)}</ul></div>;
}
