// SPDX-License-Identifier: Apache-2.0
/* What: a series model on a uPlot canvas, its tooltip, its legend. Colours and texts come ready from the model. */
import uPlot from 'uplot';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { unitFormatter } from '../data/units.ts';
import { alpha } from '../data/colors.ts';
import { clock, day } from '../i18n/format.ts';
import type { Axis, LegendRow, Line, SeriesModel } from './timeseries-model.ts';
import { areaColor } from './timeseries-model.ts';
import { useSize } from '../ui/hooks.ts';

export interface Mark { at: number; label: string; color: string }
export interface ChartProps { model: SeriesModel; from: number; to: number; dark: boolean; marks: Mark[]; sync: string; tooltip: string; sort: string; faded: boolean; shared: boolean; title: string; utc: boolean; onZoom?: (from: number, to: number) => void }

const INK = { dark: { text: '#8C96A3', grid: 'rgba(240,250,255,.08)', critical: '#F2495C' }, light: { text: '#5B6673', grid: 'rgba(0,10,23,.08)', critical: '#C4162A' } };
const FONT = '11px system-ui, sans-serif';
const { linear, spline, stepped, bars } = uPlot.paths;
const PATHS = { linear: linear!(), smooth: spline!(), stepBefore: stepped!({ align: -1 }), stepAfter: stepped!({ align: 1 }), bars: bars!({ size: [0.6, 40] }) };

export function TimeSeries(p: ChartProps) {
  const [box, size] = useSize<HTMLDivElement>(), plot = useRef<uPlot | null>(null), [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const faded = useRef(p.faded), zoom = useRef(p.onZoom), tip = useRef<HTMLDivElement>(null), { model } = p, { legend } = model;
  zoom.current = p.onZoom;
  const shape = useMemo(() => JSON.stringify([model.lines.map((l) => [l.title, l.color, l.width, l.fill, l.dash, l.draw, l.path, l.scale, l.points, l.stack]), model.axes.map((a) => [a.scale, a.right, a.hidden]), model.limits, p.dark, p.marks, p.sync, p.tooltip, p.sort, p.utc]), [model, p.dark, p.marks, p.sync, p.tooltip, p.sort, p.utc]);
  useEffect(() => {
    if (!box.current || size.w < 40 || size.h < 30) return undefined;
    const u = new uPlot(options(p, size, tip.current, () => faded.current, (a, b) => zoom.current?.(a, b)), data(model), box.current);
    plot.current = u;
    return () => { u.destroy(); plot.current = null; };
  }, [shape, size.w, size.h]);
  useEffect(() => {
    const u = plot.current;
    if (!u) return;
    u.setData(data(model), false);
    u.batch(() => { u.setScale('x', { min: p.from / 1000, max: p.to / 1000 }); model.lines.forEach((l, i) => u.setSeries(i + 1, { show: !hidden.has(l.title) })); });
    u.redraw(true, true);
  }, [model, p.from, p.to, hidden, shape, size.w, size.h]);
  useEffect(() => { faded.current = p.faded; plot.current?.redraw(false); }, [p.faded]);
  const click = (title: string, toggle: boolean): void => setHidden((h) => nextHidden(h, title, toggle, model.lines.map((l) => l.title)));
  const summary = model.lines.slice(0, 6).map((l) => { const v = l.field.values[l.field.values.length - 1] ?? null; return `${l.title} ${l.field.display(v).text}`; }).join(', ');
  return <div class={`tschart${legend.show && legend.right ? ' lr' : ''}${legend.table ? ' lt' : ''}`}><div class="plot" ref={box} role="img" aria-label={`${p.title}: ${summary}`}><div class="tip" ref={tip} hidden /></div>
    {legend.show && legend.rows.length > 0 && (legend.table ? <LegendTable rows={legend.rows} calcs={legend.calcs.map((c) => c.name)} hidden={hidden} click={click} /> : <LegendList model={model} hidden={hidden} click={click} />)}</div>;
}
/* A click shows one series alone, the next one all again; with Ctrl it switches that one. */
function nextHidden(h: ReadonlySet<string>, title: string, toggle: boolean, all: string[]): ReadonlySet<string> {
  if (toggle) { const n = new Set(h); if (!n.delete(title)) n.add(title); return n; }
  const alone = !h.has(title) && h.size === all.length - 1;
  return alone ? new Set() : new Set(all.filter((x) => x !== title));
}
const lastText = (l: Line): string => { for (let i = l.field.values.length - 1; i >= 0; i--) { const v = l.field.values[i]; if (typeof v === 'number' && !Number.isNaN(v)) return l.field.display(v).text; } return ''; };
type Click = (title: string, toggle: boolean) => void;
const button = (r: LegendRow, hidden: ReadonlySet<string>, click: Click, rest?: string) => <button class="lg" aria-pressed={!hidden.has(r.title)} onClick={(e) => click(r.title, e.ctrlKey || e.metaKey)}><i class={`sw${r.dash ? ' dashed' : ''}`} style={{ '--c': r.color }} /><span>{r.title}</span>{rest && <b>{rest}</b>}</button>;
function LegendList({ model, hidden, click }: { model: SeriesModel; hidden: ReadonlySet<string>; click: Click }) {
  const { rows, calcs } = model.legend;
  return <div class="legend">{rows.slice(0, 100).map((r) => button(r, hidden, click, calcs.length ? calcs.map((c, i) => (calcs.length > 1 ? `${c.name}: ` : '') + r.values[i]).join('  ') : rows.length <= 8 ? lastText(model.lines[r.index]!) : ''))}</div>;
}
function LegendTable({ rows, calcs, hidden, click }: { rows: LegendRow[]; calcs: string[]; hidden: ReadonlySet<string>; click: Click }) {
  return <div class="legendt scroll"><table><thead><tr><th>Name</th>{calcs.map((c) => <th class="r">{c}</th>)}</tr></thead><tbody>{rows.slice(0, 200).map((r) => <tr><td>{button(r, hidden, click)}</td>{r.values.map((v) => <td class="r">{v}</td>)}</tr>)}</tbody></table></div>;
}

const data = (m: SeriesModel): uPlot.AlignedData => [m.times.map((x) => x / 1000), ...m.columns] as uPlot.AlignedData;

function options(p: ChartProps, size: { w: number; h: number }, tip: HTMLElement | null, faded: () => boolean, zoomTo: (a: number, b: number) => void): uPlot.Options {
  const ink = INK[p.dark ? 'dark' : 'light'], { model } = p, axes = model.axes.length ? model.axes : [];
  return {
    width: size.w, height: size.h, legend: { show: false }, padding: [p.marks.length ? 14 : 6, 15, 0, 0], tzDate: p.utc ? (ts) => uPlot.tzDate(new Date(ts * 1e3), 'Etc/UTC') : undefined,
    cursor: { points: { size: 5, one: true }, drag: { x: true, y: false, setScale: false }, focus: { prox: 24 }, ...(p.sync ? { sync: { key: p.sync } } : {}) }, focus: { alpha: 1 },
    scales: { x: { time: true, min: p.from / 1000, max: p.to / 1000, range: (u) => [u.scales.x!.min ?? p.from / 1000, u.scales.x!.max ?? p.to / 1000] }, ...Object.fromEntries(axes.map((a) => [a.scale, scale(a, model)])) },
    series: [{}, ...model.lines.map((l) => series(l, faded))], bands: bandsOf(model),
    axes: [{ stroke: ink.text, font: FONT, grid: { show: false }, ticks: { show: false }, size: 22, gap: 4, space: 64, values: (_, v, __, ___, inc) => v.map((s) => xText(s * 1000, inc, p.to - p.from, p.utc)) }, ...axes.map((a, i) => yAxis(a, i, ink, size.h))],
    hooks: { drawClear: [(u) => limits(u, model, 'area')], draw: [(u) => limits(u, model, 'line'), (u) => marks(u, p, ink.critical)], setSelect: [(u) => { if (u.select.width > 4) { const a = u.posToVal(u.select.left, 'x'), b = u.posToVal(u.select.left + u.select.width, 'x'); u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false); zoomTo(Math.round(a * 1000), Math.round(b * 1000)); } }], setCursor: [(u) => tip && showTip(u, p, tip)] },
  };
}
function scale(a: Axis, m: SeriesModel): uPlot.Scale {
  if (a.log > 1) return { distr: 3, log: a.log === 2 ? 2 : 10, range: (_, lo, hi) => (lo > 0 && hi > 0 ? uPlot.rangeLog(lo, hi, a.log === 2 ? 2 : 10, true) : [0.1, 100]) };
  if (a.percent) return { range: [0, 1] };
  const stacked = m.lines.some((l) => l.scale === a.scale && (l.stack || l.draw === 'bars'));
  return { range: (_, lo, hi) => yRange(a, stacked, lo, hi) };
}
/** Ten per cent of air; zero is kept when it is near; a flat line v gets [0, 2v]. */
export function yRange(a: Partial<Axis>, zero: boolean, lo: number | null, hi: number | null): [number, number] {
  if (lo === null || hi === null || !Number.isFinite(lo) || !Number.isFinite(hi)) return [a.min ?? 0, a.max ?? 100];
  let min = a.softMin !== undefined ? Math.min(lo, a.softMin) : lo, max = a.softMax !== undefined ? Math.max(hi, a.softMax) : hi;
  if (zero) { min = Math.min(0, min); max = Math.max(0, max); }
  if (a.centered) { max = Math.max(Math.abs(min), Math.abs(max)); min = -max; }
  const flat: [number, number] | undefined = min !== max ? undefined : min === 0 ? [0, 1] : min > 0 ? [0, 2 * min] : [2 * min, 0];
  const [r0, r1] = flat ?? uPlot.rangeNum(min, max, { min: { pad: 0.1, soft: 0, mode: 3 }, max: { pad: 0.1, soft: 0, mode: 3 } });
  const low = a.min ?? r0 ?? 0, high = a.max ?? r1 ?? 100;
  return low < high ? [low, high] : [low, low + 1];
}
function series(l: Line, faded: () => boolean): uPlot.Series {
  const half = alpha(l.color, 0.5), stroke = (): string => (faded() ? half : l.color), points = l.draw === 'points' || l.points === 'always';
  const fill = l.fill > 0 ? (l.gradient ? (u: uPlot): CanvasGradient => { const g = u.ctx.createLinearGradient(0, u.bbox.top, 0, u.bbox.top + u.bbox.height); g.addColorStop(0, alpha(l.color, l.fill)); g.addColorStop(1, alpha(l.color, 0)); return g; } : () => alpha(l.color, l.fill * (faded() ? 0.5 : 1))) : undefined;
  return { label: l.title, scale: l.scale, stroke, width: l.draw === 'points' || (l.draw === 'bars' && l.fill > 0.3) ? 0 : l.width, fill, dash: l.dash, spanGaps: l.spanGaps, paths: l.draw === 'bars' ? PATHS.bars : l.draw === 'points' ? () => null : PATHS[l.path] ?? PATHS.linear,
    points: { size: l.pointSize, fill: stroke, stroke, ...(points ? { show: true } : l.points === 'never' ? { show: false, filter: alone } : { filter: alone }) } };
}
/* A sample with a gap on both sides would be invisible as a line: it is drawn as a point. */
const alone: uPlot.Series.Points.Filter = (u, si, show, gaps) => {
  const d = u.data[si]!, out: number[] = [];
  if (!gaps && !show && d.length > 200) return null;
  for (let i = 0; i < d.length; i++) if (typeof d[i] === 'number' && !known(d, i, -1) && !known(d, i, 1)) out.push(i);
  return out.length ? out : null;
};
function known(d: ArrayLike<number | null | undefined>, i: number, step: number): boolean { for (let k = i + step; k >= 0 && k < d.length; k += step) { if (d[k] === undefined) continue; return typeof d[k] === 'number'; } return false; }
function bandsOf(m: SeriesModel): uPlot.Band[] {
  const out: uPlot.Band[] = [], last = new Map<string, number>();
  m.lines.forEach((l, i) => { if (!l.stack) return; const k = `${l.stack}/${l.scale}/${l.draw}/${l.negative}`, prev = last.get(k); if (prev !== undefined) out.push({ series: [i + 1, prev + 1], fill: alpha(l.color, l.fill || 0) }); last.set(k, i); });
  return out;
}
function yAxis(a: Axis, i: number, ink: { text: string; grid: string }, h: number): uPlot.Axis {
  const f = unitFormatter(a.percent ? 'percentunit' : a.unitField.config.unit), fixedDecimals = a.unitField.config.decimals;
  return { scale: a.scale, side: a.right ? 1 : 3, show: !a.hidden, stroke: ink.text, font: FONT, ticks: { show: false }, gap: 6, space: h < 150 ? 20 : 34, grid: { show: a.grid && i === 0, stroke: ink.grid, width: 1, ...(a.log ? { filter: (_: uPlot, at: number[]) => at.map((v) => (isDecade(v) ? v : null)) } : {}) }, label: a.label || undefined, labelFont: FONT, labelSize: 16, labelGap: 0, incrs: a.integer ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] : undefined,
    values: (_, v, __, ___, inc) => v.map((x) => (x === null ? '' : tick(f, x, inc, fixedDecimals, a.log))),
    size: (u, values) => { if (!values?.length) return 42; u.ctx.font = FONT; return Math.max(34, Math.ceil(Math.max(...values.map((v) => u.ctx.measureText(v).width))) + 14); } };
}
const isDecade = (v: number): boolean => Math.abs(Math.log10(Math.abs(v)) - Math.round(Math.log10(Math.abs(v)))) < 1e-6;
/** As many decimals as the increment needs in the unit that the value is shown in; trailing zeros are cut: 1.50 K -> 1.5 K. */
export function tick(f: (v: number, d?: number | null) => string, v: number, inc: number, decimals: number | null | undefined, log = 0): string {
  if (log && !isDecade(v)) return '';
  if (decimals !== null && decimals !== undefined) return f(v, decimals);
  const text = f(v, null), shown = Math.abs(parseFloat(text.replace(/^[^\d.-]+/, ''))), unit = v && shown ? Math.abs(v) / shown : 1, need = inc / unit;
  let d = 0;
  while (d < 8 && Math.abs(need * 10 ** d - Math.round(need * 10 ** d)) > need * 10 ** d * 0.01) d++;
  return (log ? text : f(v, d)).replace(/(\.\d*?)0+(?=\D|$)/, '$1').replace(/\.(?=\D|$)/, '');
}
function xText(ms: number, inc: number, span: number, utc: boolean): string {
  const x = utc ? ms + new Date(ms).getTimezoneOffset() * 6e4 : ms;
  if (inc >= 86400) return day(x).slice(inc >= 86400 * 28 ? 0 : 5, inc >= 86400 * 28 ? 7 : 10);
  return span > 864e5 ? `${day(x).slice(5)} ${clock(x, false)}` : clock(x, inc < 60);
}

function limits(u: uPlot, m: SeriesModel, part: 'area' | 'line'): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const l of m.limits) {
    const y = (v: number): number => (v === -Infinity ? bbox.top + bbox.height : v === Infinity ? bbox.top : u.valToPos(v, l.scale, true));
    if (part === 'area' && l.area) { ctx.fillStyle = areaColor(l); ctx.fillRect(bbox.left, y(l.upTo), bbox.width, y(l.value) - y(l.upTo)); }
    if (part === 'line' && l.line && Number.isFinite(l.value)) { ctx.strokeStyle = alpha(l.color, 0.8); ctx.lineWidth = 1.5 * devicePixelRatio; ctx.setLineDash(l.dashed ? [6 * devicePixelRatio, 4 * devicePixelRatio] : []); ctx.beginPath(); ctx.moveTo(bbox.left, y(l.value)); ctx.lineTo(bbox.left + bbox.width, y(l.value)); ctx.stroke(); }
  }
  ctx.restore();
}
/* An incident: a line of one pixel with its time, and a band of nine per cent from then to now. */
function marks(u: uPlot, p: ChartProps, ink: string): void {
  const { ctx, bbox } = u, r = devicePixelRatio;
  ctx.save();
  ctx.setLineDash([]);
  ctx.font = `${11 * r}px system-ui, sans-serif`;
  for (const m of p.marks) {
    const x = Math.round(u.valToPos(m.at / 1000, 'x', true)) + 0.5;
    if (x > bbox.left + bbox.width || m.at > p.to) continue;
    const from = Math.max(bbox.left, x), color = m.color || ink;
    ctx.fillStyle = alpha(color, 0.09);
    ctx.fillRect(from, bbox.top, bbox.left + bbox.width - from, bbox.height);
    if (x < bbox.left) continue;
    ctx.strokeStyle = color;
    ctx.lineWidth = r;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top - 4 * r);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const left = x > bbox.left + bbox.width * 0.6, room = left ? x - bbox.left : bbox.left + bbox.width - x, text = ctx.measureText(m.label).width < room ? m.label : m.label.split(' ')[0]!;
    ctx.fillStyle = color;
    ctx.textAlign = left ? 'right' : 'left';
    ctx.fillText(text, x + (left ? -4 : 4) * r, bbox.top - 5 * r);
  }
  ctx.restore();
}

function showTip(u: uPlot, p: ChartProps, tip: HTMLElement): void {
  const { idx, left, top } = u.cursor;
  if (p.tooltip === 'none' || (!u.cursor.event && !p.shared) || idx === null || idx === undefined || left === undefined || left < 0 || top === undefined) { tip.hidden = true; return; }
  const rows = p.model.lines.map((l, i) => ({ l, raw: u.data[i + 1]![idx], y: i })).filter((r) => u.series[r.y + 1]!.show && typeof r.raw === 'number').map((r) => ({ ...r, v: valueAt(r.l, p.model.times[idx]!), pos: u.valToPos(r.raw as number, r.l.scale) }));
  if (!rows.length) { tip.hidden = true; return; }
  const near = rows.reduce((a, b) => (Math.abs(b.pos - top) < Math.abs(a.pos - top) ? b : a)), shown = p.tooltip === 'multi' ? [...rows] : [near], sign = p.sort === 'asc' ? 1 : p.sort === 'desc' ? -1 : 0;
  if (sign) shown.sort((a, b) => sign * (Number(a.v) - Number(b.v)));
  tip.replaceChildren(line('time', `${day(p.model.times[idx]!)} ${clock(p.model.times[idx]!)}`), ...shown.slice(0, 24).map((r) => { const d = line(r === near && shown.length > 1 ? 'on' : ''), sw = document.createElement('i'), b = document.createElement('b'); sw.className = 'sw'; sw.style.setProperty('--c', r.l.color); b.textContent = r.l.field.display(r.v).text; d.append(sw, r.l.title, b); return d; }));
  tip.hidden = false;
  const over = u.over, x = over.offsetLeft + left, w = tip.offsetWidth;
  tip.style.transform = `translate(${Math.round(x + w + 24 > u.width ? Math.max(0, x - w - 12) : x + 12)}px, ${Math.round(Math.max(0, Math.min(top, u.height - tip.offsetHeight - 8)))}px)`;
}
function line(cls: string, text = ''): HTMLDivElement { const d = document.createElement('div'); d.className = cls; d.textContent = text; return d; }
/* A stack draws sums; the tooltip says the series' own value. */
function valueAt(l: Line, time: number): number | null {
  const i = l.times.indexOf(time), v = i >= 0 ? l.field.values[i] : null;
  return typeof v === 'number' ? v : null;
}
