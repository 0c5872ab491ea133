// SPDX-License-Identifier: Apache-2.0
/* What: a value that components can watch. */
import { useEffect, useState } from 'preact/hooks';

export interface Store<T> { get: () => T; set: (v: T) => void; watch: (f: () => void) => () => void }
export function store<T>(value: T): Store<T> {
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set: (v) => { if (v !== value) { value = v; [...watchers].forEach((f) => f()); } },
    watch: (f) => { watchers.add(f); return () => { watchers.delete(f); }; },
  };
}
export function useStore<T>(s: Store<T>): T {
  const [, again] = useState(0);
  useEffect(() => s.watch(() => again((n) => n + 1)), [s]);
  return s.get();
}
