// SPDX-License-Identifier: Apache-2.0
/* What: the answers behind the home page, asked at each tick; a question that fails leaves its answer out and the rest stand. */
import { useEffect, useState } from 'preact/hooks';
import { apart, HISTORY, NOW, together, type Answers, type HistoryKey, type NowKey } from '../data/home.ts';
import { queryInstant, queryRange } from '../api/prom.ts';
import { ApiError } from '../api/http.ts';
import type { TimeRange } from '../data/time.ts';
import { promUid } from './session.ts';

export interface HomeData { answers: Answers; at: number; error: string; asking: boolean }
const POINTS = 120;

export async function askHome(range: TimeRange, signal: AbortSignal): Promise<{ answers: Answers; error: string }> {
  const uid = promUid(), step = Math.max(15, Math.round((range.to - range.from) / 1000 / POINTS)), end = Math.floor(range.to / 1000 / step) * step, start = end - Math.round((range.to - range.from) / 1000 / step) * step;
  const out: Answers = { now: {}, history: {}, start, end, step };
  try {
    const [now, past] = await Promise.all([queryInstant(uid, together(NOW), range.to / 1000, signal), queryRange(uid, together(HISTORY), start, end, step, signal)]);
    return { answers: { ...out, now: apart<NowKey>(now), history: apart<HistoryKey>(past) }, error: '' };
  } catch (e) { if (!(e instanceof ApiError) || e.status === 0 || e.status >= 500) return { answers: out, error: String((e as Error).message) || 'network' }; }
  return oneByOne(uid, range, out, signal);
}
/* Refused as a whole (a source that lacks a function, say): each question for itself. */
async function oneByOne(uid: string, range: TimeRange, out: Answers, signal: AbortSignal): Promise<{ answers: Answers; error: string }> {
  let error = '', good = 0;
  const { start, end, step } = out;
  const keep = async (p: Promise<void>): Promise<void> => { try { await p; good++; } catch (e) { error = String((e as Error).message) || 'network'; } };
  await Promise.all([
    ...(Object.keys(NOW) as NowKey[]).map((k) => keep(queryInstant(uid, NOW[k], range.to / 1000, signal).then((r) => { out.now[k] = r; }))),
    ...(Object.keys(HISTORY) as HistoryKey[]).map((k) => keep(queryRange(uid, HISTORY[k], start, end, step, signal).then((r) => { out.history[k] = r; }))),
  ]);
  return { answers: out, error: good ? '' : error };
}
export function useHome(range: TimeRange, key: string): HomeData | undefined {
  const [data, set] = useState<HomeData | undefined>();
  useEffect(() => {
    const c = new AbortController();
    set((d) => (d ? { ...d, asking: true } : d));
    void askHome(range, c.signal).then((r) => { if (!c.signal.aborted) set((d) => (r.error && d ? { ...d, error: r.error, asking: false } : { answers: r.answers, at: Date.now(), error: r.error, asking: false })); });
    return () => c.abort();
  }, [key]);
  return data;
}
