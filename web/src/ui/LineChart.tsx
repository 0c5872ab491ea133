// SPDX-License-Identifier: Apache-2.0
/* What: the small charts of our own pages, as SVG: a few lines over the last hour, with ticks, hours and the incident marked.
 *       (Dashboards draw with uPlot; the first page does not wait for it.) */
import { useState } from 'preact/hooks';
import { clock, sig } from '../i18n/format.ts';
import { useSize } from './hooks.ts';

export interface ChartLine { name: string; color: string; values: (number | null)[] }
export interface ChartProps { lines: ChartLine[]; start: number; end: number; label: string; mark?: { at: number; text: string }; height: number; shown?: (v: number) => string }

/** Round ticks from zero: about `want` of them. */
export function ticks(max: number, want = 4): number[] {
  const top = max > 0 ? max * 1.05 : 1, raw = top / want, mag = 10 ** Math.floor(Math.log10(raw)), step = mag * ([1, 1.5, 2, 2.5, 3, 5, 10].find((m) => m * mag >= raw) ?? 10), n = Math.ceil(top / step - 1e-9);
  return Array.from({ length: n + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}
const STEPS = [60, 300, 600, 900, 1800, 3600, 10800, 21600, 43200, 86400];
export function hours(start: number, end: number, width: number): number[] {
  const step = STEPS.find((s) => (end - start) / s <= Math.max(2, width / 78)) ?? 86400, offset = new Date(start * 1000).getTimezoneOffset() * 60, first = Math.ceil((start - offset) / step) * step + offset;
  return Array.from({ length: Math.max(0, Math.floor((end - first) / step) + 1) }, (_, i) => first + i * step);
}
const L = 42, R = 6, T = 16, B = 18;
export function linePath(values: (number | null)[], x: (i: number) => number, y: (v: number) => number): string {
  let d = '', on = false;
  values.forEach((v, i) => { if (v === null) { on = false; return; } d += `${on ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`; on = true; });
  return d;
}

export function LineChart({ lines, start, end, label, mark, height, shown = sig }: ChartProps) {
  const [box, size] = useSize<HTMLDivElement>(), [at, setAt] = useState<number | undefined>(), w = Math.max(0, size.w - L - R), h = height - T - B;
  const max = Math.max(0, ...lines.flatMap((l) => l.values.filter((v): v is number => v !== null))), ys = ticks(max), top = ys[ys.length - 1]!, n = Math.max(2, lines[0]?.values.length ?? 2);
  const x = (i: number): number => L + (i / (n - 1)) * w, X = (s: number): number => L + ((s - start) / (end - start)) * w, y = (v: number): number => T + h - (Math.min(v, top) / top) * h;
  const mx = mark && mark.at < end ? Math.round(X(Math.max(start, mark.at))) + 0.5 : undefined, late = mx !== undefined && mx > L + w * 0.5, word = mark && (late ? mx! - L : L + w - (mx ?? 0)) < mark.text.length * 6.4 ? mark.text.split(' ')[0] : mark?.text;
  const move = (e: PointerEvent): void => { const r = (e.currentTarget as Element).getBoundingClientRect(), i = Math.round(((e.clientX - r.left - L) / w) * (n - 1)); setAt(i >= 0 && i < n ? i : undefined); };
  const when = at === undefined ? 0 : start + (at / (n - 1)) * (end - start);
  return <div ref={box} class="lchart" style={{ height: `${height}px` }} onPointerMove={move} onPointerLeave={() => setAt(undefined)}>{size.w > 60 && <svg class="chart" width={size.w} height={height} role="img" aria-label={`${label}: ${lines.map((l) => `${l.name} ${shown([...l.values].reverse().find((v) => v !== null) ?? NaN)}`).join(', ')}`}>
    {mx !== undefined && <rect x={mx} y={T} width={Math.max(1, L + w - mx)} height={h} fill="var(--critical)" opacity=".09" />}
    {ys.map((v) => <><path d={`M${L} ${Math.round(y(v)) + 0.5}H${L + w}`} stroke="var(--grid)" /><text x={L - 6} y={y(v) + 4} text-anchor="end">{shown(v)}</text></>)}
    {hours(start, end, w).map((s) => <text x={X(s)} y={height - 4} text-anchor={X(s) > L + w - 18 ? 'end' : X(s) < L + 14 ? 'start' : 'middle'}>{clock(s * 1000, false)}</text>)}
    {lines.map((l) => <path d={linePath(l.values, x, y)} fill="none" stroke={l.color} stroke-width="1.5" stroke-linejoin="round" />)}
    {mx !== undefined && <><path d={`M${mx} ${T - 4}V${T + h}`} stroke="var(--critical)" /><text x={mx + (late ? -4 : 4)} y={T - 5} text-anchor={late ? 'end' : 'start'} style={{ fill: 'var(--critical)' }}>{word}</text></>}
    {at !== undefined && <path d={`M${x(at).toFixed(1)} ${T}V${T + h}`} stroke="var(--muted)" stroke-dasharray="3 3" />}
    {at !== undefined && lines.map((l) => { const v = l.values[at]; return typeof v === 'number' ? <circle cx={x(at)} cy={y(v)} r="3" fill={l.color} /> : null; })}</svg>}
    {at !== undefined && <div class="tip" style={{ left: `${x(at) > L + w / 2 ? Math.max(0, x(at) - 170) : x(at) + 12}px` }}><div class="time">{clock(when * 1000)}</div>{lines.map((l) => { const v = l.values[at]; return typeof v === 'number' ? <div><i class="sw" style={{ '--c': l.color }} />{l.name}<b>{shown(v)}</b></div> : null; })}</div>}</div>;
}
