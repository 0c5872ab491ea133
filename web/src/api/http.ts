// SPDX-License-Identifier: Apache-2.0
/* What: one door to the server. Every answer is JSON or an ApiError that says who refused and why. */

export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly path: string, readonly kind = '') { super(message); }
}
let onUnauthorized: () => void = () => {};
export const whenUnauthorized = (f: () => void): void => { onUnauthorized = f; };

export interface Ask { method?: string; json?: unknown; form?: Record<string, string>; signal?: AbortSignal; quiet?: boolean }

export async function ask<T>(path: string, o: Ask = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  let body: string | undefined;
  if (o.json !== undefined) { headers['Content-Type'] = 'application/json'; body = JSON.stringify(o.json); }
  if (o.form) { headers['Content-Type'] = 'application/x-www-form-urlencoded'; body = new URLSearchParams(o.form).toString(); }
  let r: Response;
  try { r = await fetch(path, { method: o.method ?? (body === undefined ? 'GET' : 'POST'), headers, body, signal: o.signal, credentials: 'same-origin' }); } catch (e) {
    if ((e as Error).name === 'AbortError') throw e;
    throw new ApiError(0, '', path, 'network');
  }
  const text = await r.text();
  if (r.ok) { try { return (text ? JSON.parse(text) : {}) as T; } catch { throw new ApiError(r.status, text.slice(0, 200), path, 'not-json'); } }
  if (r.status === 401 && !o.quiet) onUnauthorized();
  throw failure(r.status, text, path);
}
function failure(status: number, text: string, path: string): ApiError {
  try { const j = JSON.parse(text) as { message?: string; error?: string; errorType?: string }; return new ApiError(status, j.error ?? j.message ?? text, path, j.errorType ?? ''); } catch { return new ApiError(status, text.slice(0, 300), path); }
}
export const aborted = (e: unknown): boolean => (e as Error | undefined)?.name === 'AbortError';
