// SPDX-License-Identifier: Apache-2.0
/* What: a line of 22 px without axes: shape only, its number stands beside it. */
export interface SparkProps { values: (number | null)[]; color?: string; min?: number; max?: number; end?: boolean; mark?: number; height?: number; fill?: number }
const W = 100;

/** The path of a sparkline in a box of 100 by h; gaps stay gaps. */
export function sparkPath(values: (number | null)[], lo: number, hi: number, h: number, pad = 2): { line: string; area: string; last: [number, number] | undefined } {
  const n = Math.max(1, values.length - 1), y = (v: number): number => pad + (h - 2 * pad) * (1 - (Math.min(Math.max(v, lo), hi) - lo) / (hi - lo || 1));
  let line = '', area = '', start = -1, last: [number, number] | undefined;
  values.forEach((v, i) => {
    if (v === null || v === undefined || !Number.isFinite(v)) { if (start >= 0) area += `L${(((i - 1) / n) * W).toFixed(2)} ${h}L${((start / n) * W).toFixed(2)} ${h}Z`; start = -1; return; }
    const p = `${((i / n) * W).toFixed(2)} ${y(v).toFixed(2)}`;
    line += (start < 0 ? 'M' : 'L') + p;
    area += (start < 0 ? 'M' : 'L') + p;
    if (start < 0) start = i;
    last = [(i / n) * W, y(v)];
  });
  if (start >= 0) area += `L${W} ${h}L${((start / n) * W).toFixed(2)} ${h}Z`;
  return { line, area, last };
}
export function Spark({ values, color = 'var(--muted)', min, max, end, mark, height = 22, fill = 0.12 }: SparkProps) {
  const real = values.filter((v): v is number => v !== null && Number.isFinite(v)), lo = min ?? (real.length ? Math.min(...real) : 0), top = max ?? (real.length ? Math.max(...real) : 1), hi = top > lo ? top : lo + 1;
  const { line, area, last } = sparkPath(values, lo, hi, height);
  return <svg class="spark" viewBox={`0 0 ${W} ${height}`} height={height} preserveAspectRatio="none" aria-hidden="true">
    {fill > 0 && <path d={area} fill={color} opacity={fill} />}<path d={line} fill="none" stroke={color} stroke-width="1.25" stroke-linejoin="round" vector-effect="non-scaling-stroke" />
    {mark !== undefined && <path d={`M${mark * W} 0V${height}`} stroke="var(--critical)" vector-effect="non-scaling-stroke" />}
    {end && last && <path d={`M${last[0]} ${last[1]}h0`} stroke={color} stroke-width="5" stroke-linecap="round" vector-effect="non-scaling-stroke" />}</svg>;
}
