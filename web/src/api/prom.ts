// SPDX-License-Identifier: Apache-2.0
/* What: Prometheus through the data source proxy. */
import type { Labels } from '../data/model.ts';
import type { PromResult } from '../data/frames.ts';
import { ask, ApiError } from './http.ts';
import type { Alert, PromAnswer, QueryAnswer, RuleGroup, ScrapeTarget } from './types.ts';

export const proxy = (uid: string, path: string): string => `/api/datasources/proxy/uid/${encodeURIComponent(uid)}${path}`;
const LONG = 1500;

async function get<T>(uid: string, path: string, params: Record<string, string>, signal?: AbortSignal): Promise<T> {
  const q = new URLSearchParams(params).toString(), url = proxy(uid, `/api/v1/${path}`);
  const a = q.length > LONG ? await ask<PromAnswer<T>>(url, { form: params, signal }) : await ask<PromAnswer<T>>(q ? `${url}?${q}` : url, { signal });
  if (a.status !== 'success') throw new ApiError(200, a.error ?? '', url, a.errorType ?? '');
  return a.data;
}
export type { QueryAnswer };
export const queryInstant = (uid: string, query: string, time: number, signal?: AbortSignal): Promise<PromResult> => get(uid, 'query', { query, time: String(time) }, signal);
export const queryRange = (uid: string, query: string, start: number, end: number, step: number, signal?: AbortSignal): Promise<PromResult> =>
  get(uid, 'query_range', { query, start: String(start), end: String(end), step: String(step) }, signal);
const span = (start: number, end: number): Record<string, string> => ({ start: String(Math.floor(start)), end: String(Math.ceil(end)) });
export const labelNames = (uid: string, start: number, end: number): Promise<string[]> => get(uid, 'labels', span(start, end));
export const labelValues = (uid: string, label: string, start: number, end: number, match?: string, signal?: AbortSignal): Promise<string[]> =>
  get(uid, `label/${encodeURIComponent(label)}/values`, { ...span(start, end), ...(match ? { 'match[]': match } : {}) }, signal);
export const series = (uid: string, match: string, start: number, end: number): Promise<Labels[]> => get(uid, 'series', { ...span(start, end), 'match[]': match });
export const alerts = async (uid: string, signal?: AbortSignal): Promise<Alert[]> => (await get<{ alerts: Alert[] }>(uid, 'alerts', {}, signal)).alerts;
export const rules = async (uid: string, signal?: AbortSignal): Promise<RuleGroup[]> => (await get<{ groups: RuleGroup[] }>(uid, 'rules', {}, signal)).groups;
export const targets = async (uid: string, signal?: AbortSignal): Promise<ScrapeTarget[]> => (await get<{ activeTargets: ScrapeTarget[] }>(uid, 'targets', { state: 'active' }, signal)).activeTargets;
