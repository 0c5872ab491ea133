// SPDX-License-Identifier: Apache-2.0
/* What: the data of one panel: asked when seen, again at each tick; the last answer stays while the next one is under way. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Frame, Panel } from '../data/model.ts';
import { collectFrames, plan, type Plan, type PlanContext, type Query } from '../data/plan.ts';
import type { PromResult } from '../data/frames.ts';
import { queryInstant, queryRange } from '../api/prom.ts';
import { aborted, ApiError } from '../api/http.ts';

export interface Failure { query: Query | undefined; message: string; network: boolean }
export interface PanelData { frames: Frame[] | undefined; plan: Plan | undefined; at: number; from: number; to: number; loadingSince: number; failure: Failure | undefined; ms: number }
const EMPTY: PanelData = { frames: undefined, plan: undefined, at: 0, from: 0, to: 0, loadingSince: 0, failure: undefined, ms: 0 };

const run = (q: Query, signal: AbortSignal): Promise<PromResult> => (q.instant ? queryInstant(q.uid, q.expr, q.end, signal) : queryRange(q.uid, q.expr, q.start, q.end, q.step / 1000, signal));
async function runAll(queries: Query[], signal: AbortSignal): Promise<PromResult[]> {
  return Promise.all(queries.map(async (q) => { try { return await run(q, signal); } catch (e) { if (aborted(e)) throw e; throw Object.assign(e as Error, { query: q }); } }));
}

export function usePanelData(panel: Panel, ctx: Omit<PlanContext, 'width'> & { key: string }, width: number, on: boolean): [PanelData, () => void] {
  const [data, set] = useState<PanelData>(EMPTY), abort = useRef<AbortController | undefined>(undefined), bucket = Math.round(width / 100) * 100;
  useEffect(() => {
    if (!on || !width) return undefined;
    const control = new AbortController(), started = performance.now();
    abort.current = control;
    const p = plan(panel, { ...ctx, width });
    set((d) => ({ ...d, loadingSince: Date.now(), plan: p }));
    runAll(p.queries, control.signal).then(async (results) => {
      const frames = await collectFrames(panel, p.queries, results);
      if (!control.signal.aborted) set({ frames, plan: p, at: Date.now(), from: p.range.from, to: p.range.to, loadingSince: 0, failure: undefined, ms: performance.now() - started });
    }).catch((e: Error & { query?: Query }) => {
      if (control.signal.aborted) return;
      set((d) => ({ ...d, loadingSince: 0, ms: performance.now() - started, failure: { query: e.query, message: e.message, network: e instanceof ApiError && (e.status === 0 || e.status >= 502) } }));
    });
    return () => control.abort();
  }, [panel, ctx.key, bucket, on]);
  const cancel = (): void => { abort.current?.abort(); set((d) => ({ ...d, loadingSince: 0 })); };
  return [data, cancel];
}
