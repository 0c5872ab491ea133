// SPDX-License-Identifier: Apache-2.0
/* What: a button that opens a box beneath it; Escape or a click elsewhere closes it and gives the focus back. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

export function Pop({ label, cls = 'btn', title, right, children }: { label: ComponentChildren; cls?: string; title?: string; right?: boolean; children: (close: () => void) => ComponentChildren }) {
  const [open, set] = useState(false), box = useRef<HTMLSpanElement>(null), button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const away = (e: MouseEvent): void => { if (!box.current?.contains(e.target as Node)) set(false); };
    const esc = (e: KeyboardEvent): void => { if (e.key === 'Escape') { e.stopPropagation(); set(false); button.current?.focus(); } };
    document.addEventListener('mousedown', away);
    document.addEventListener('keydown', esc, true);
    return () => { document.removeEventListener('mousedown', away); document.removeEventListener('keydown', esc, true); };
  }, [open]);
  return <span class="popwrap" ref={box}><button type="button" class={cls} title={title} aria-label={title} aria-haspopup="true" aria-expanded={open} ref={button} onClick={() => set(!open)}>{label}</button>
    {open && <div class={`pop${right ? ' pr' : ''}`}>{children(() => { set(false); button.current?.focus(); })}</div>}</span>;
}
