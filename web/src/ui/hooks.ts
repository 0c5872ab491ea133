// SPDX-License-Identifier: Apache-2.0
/* What: size, visibility and time as hooks. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';

export interface Size { w: number; h: number }
/** The element's inner size; changes of a pixel or less do not count, so that a scroll bar cannot make it swing. */
export function useSize<T extends HTMLElement>(): [RefObject<T | null>, Size] {
  const ref = useRef<T>(null), [size, set] = useState<Size>({ w: 0, h: 0 });
  useLayoutEffect(() => {
    const el = ref.current;
    if (!el) return undefined;
    const read = (): void => set((s) => { const w = el.clientWidth, h = el.clientHeight; return Math.abs(w - s.w) > 1 || Math.abs(h - s.h) > 1 ? { w, h } : s; });
    read();
    const o = new ResizeObserver(read);
    o.observe(el);
    return () => o.disconnect();
  }, []);
  return [ref, size];
}
/** True once the element has come near the window, and from then on. */
export function useSeen<T extends HTMLElement>(): [RefObject<T | null>, boolean] {
  const ref = useRef<T>(null), [seen, set] = useState(false);
  useEffect(() => {
    const el = ref.current;
    if (!el || seen) return undefined;
    const o = new IntersectionObserver((e) => { if (e.some((x) => x.isIntersecting)) set(true); }, { rootMargin: '300px' });
    o.observe(el);
    return () => o.disconnect();
  }, [seen]);
  return [ref, seen];
}
export function useNow(everyMs: number, on = true): number {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    if (!on) return undefined;
    set(Date.now());
    const i = setInterval(() => set(Date.now()), everyMs);
    return () => clearInterval(i);
  }, [everyMs, on]);
  return now;
}
export function useTitle(title: string): void { useEffect(() => { document.title = `${title} · Vigie`; }, [title]); }
