// SPDX-License-Identifier: Apache-2.0
/* What: a component whose code is fetched when it is first drawn. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): (p: P) => ReturnType<typeof draw<P>> {
  let ready: ComponentType<P> | undefined;
  return (p) => {
    const [C, set] = useState(() => ready);
    useEffect(() => { if (!C) void load().then((c) => { ready = c; set(() => c); }); }, []);
    return draw(C, p);
  };
}
function draw<P extends object>(C: ComponentType<P> | undefined, p: P) { return C ? <C {...p} /> : null; }
