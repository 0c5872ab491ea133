// SPDX-License-Identifier: Apache-2.0
/* What: the address bar as state: path and query, changed without loading a page. */
import { store } from './store.ts';

export interface Route { path: string; query: URLSearchParams }
const read = (): Route => ({ path: location.pathname, query: new URLSearchParams(location.search) });
export const route = store<Route>(read());

export function navigate(url: string, replace = false): void {
  if (url === location.pathname + location.search) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', url);
  const moved = route.get().path !== location.pathname;
  route.set(read());
  if (moved && !replace) scrollTo(0, 0);
}
/** Change some parameters; null removes one, a list repeats it. */
export function setQuery(changes: Record<string, string | string[] | null>, replace = true): void {
  const q = new URLSearchParams(location.search);
  for (const [k, v] of Object.entries(changes)) { q.delete(k); if (v !== null) for (const x of Array.isArray(v) ? v : [v]) q.append(k, x); }
  const text = q.toString();
  navigate(location.pathname + (text ? `?${text}` : ''), replace);
}
/** Links inside the page stay inside the page. */
export function followLinks(): void {
  addEventListener('popstate', () => route.set(read()));
  document.addEventListener('click', (e) => {
    const a = (e.target as Element | null)?.closest?.('a');
    if (!a || e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || a.target === '_blank' || a.origin !== location.origin || a.pathname === '/logout' || a.hasAttribute('download')) return;
    e.preventDefault();
    if (a.pathname !== location.pathname || a.search !== location.search) navigate(a.pathname + a.search);
  });
}
