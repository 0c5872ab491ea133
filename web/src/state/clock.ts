// SPDX-License-Identifier: Apache-2.0
/* What: the beat of the page: `tick` counts refreshes, by the interval of the address bar, and rests while the tab is hidden. */
import { store } from './store.ts';
import { refreshLive } from './live.ts';
import { durationMs } from '../data/time.ts';

export const tick = store(0);
let timer: ReturnType<typeof setInterval> | undefined, every = 0, last = 0;

export function refreshNow(): void { last = Date.now(); tick.set(tick.get() + 1); void refreshLive(); }
const MIN_REFRESH = 1000;
export function setRefresh(text: string): void {
  every = Math.max(text ? durationMs(text) ?? 0 : 0, text ? MIN_REFRESH : 0);
  clearInterval(timer);
  if (every) timer = setInterval(() => { if (!document.hidden) refreshNow(); }, every);
}
document.addEventListener('visibilitychange', () => { if (!document.hidden && every && Date.now() - last > every) refreshNow(); });
