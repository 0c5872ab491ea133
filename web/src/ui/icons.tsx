// SPDX-License-Identifier: Apache-2.0
/* What: the icons, 16 by 16, in the text's colour; and severity as icon + word + colour, never colour alone. */
import { t } from '../i18n/index.ts';

const S = 'fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"';
const line = (d: string, more = ''): string => `<g ${S}><path d="${d}"/>${more}</g>`;
const ring = (d: string, dash = ''): string => `<g ${S}><circle cx="8" cy="8" r="6.2"${dash}/><path d="${d}"/></g>`;
const ICONS: Record<string, string> = {
  critical: '<path d="M5.2 1.2h5.6l4 4v5.6l-4 4H5.2l-4-4V5.2z" fill="currentColor"/><path d="M8 4.3v4.4M8 11.4v.1" stroke="var(--panel)" stroke-width="1.9" stroke-linecap="round"/>',
  warning: '<path d="M8 1.6 15 14H1z" fill="currentColor" stroke="currentColor" stroke-linejoin="round"/><path d="M8 6v3.6M8 11.9v.1" stroke="var(--panel)" stroke-width="1.7" stroke-linecap="round"/>',
  info: ring('M8 7.4v3.6M8 4.9v.1'), ok: ring('m5.2 8.2 2 2 3.6-4.2'), none: ring('M5.5 8h5', ' stroke-dasharray="2 2.4"'), pending: ring('M8 4.6V8l2.4 1.6'), clock: ring('M8 4.4V8l2.4 1.4'), inhibited: ring('m3.8 12.2 8.4-8.4'),
  silenced: line('M4 11.5V7a4 4 0 0 1 6.6-3M12 7.2v4.3H5.5M6.8 13.8h2.4M2 14 14 2'), home: line('M2 13.5V6.8L8 2l6 4.8v6.7zM6.2 13.5V9.2h3.6v4.3'), alerts: line('M4 11.5V7a4 4 0 0 1 8 0v4.5M2.5 11.5h11M6.6 13.8h2.8'),
  dash: line('M2 2h5v7H2zM9 2h5v4H9zM2 11h5v3H2zM9 8h5v6H9z'), sources: line('M13.5 4c0 1.2-2.5 2-5.5 2s-5.5-.8-5.5-2 2.5-2 5.5-2 5.5.8 5.5 2zM2.5 4v8c0 1.2 2.5 2 5.5 2s5.5-.8 5.5-2V4M2.5 8c0 1.2 2.5 2 5.5 2s5.5-.8 5.5-2'),
  find: line('m10.5 10.5 3.3 3.3', '<circle cx="7" cy="7" r="4.6"/>'), out: line('m10.5 10.5 3.3 3.3M5 7h4', '<circle cx="7" cy="7" r="4.6"/>'), theme: `<g ${S}><circle cx="8" cy="8" r="5.8"/></g><path d="M8 2.2a5.8 5.8 0 0 1 0 11.6z" fill="currentColor"/>`,
  doctor: line('M1.5 8.5h3l2-5 3 9 2-4h3'), refresh: line('M13.5 8a5.5 5.5 0 1 1-1.7-4M13.6 1.8v2.9h-2.9'), left: line('m9.8 3.5-4.4 4.5 4.4 4.5'), right: line('m6.2 3.5 4.4 4.5-4.4 4.5'), down: line('m4 6 4 4 4-4'), x: line('m4 4 8 8M12 4l-8 8'), link: line('M6 4H3v9h9v-3M9 3h4v4M13 3 7.5 8.5'), import: line('M8 2v8M4.8 7 8 10.2 11.2 7M2.5 13.5h11'),
  more: '<g fill="currentColor"><circle cx="3" cy="8" r="1.4"/><circle cx="8" cy="8" r="1.4"/><circle cx="13" cy="8" r="1.4"/></g>', up: '<path d="M8 3 13 11H3z" fill="currentColor"/>', dn: '<path d="M8 13 3 5h10z" fill="currentColor"/>', flat: line('M3 8h10'),
  eye: line('M1.2 8S3.8 3.4 8 3.4 14.8 8 14.8 8 12.2 12.6 8 12.6 1.2 8 1.2 8z') + '<circle cx="8" cy="8" r="2.3" fill="currentColor"/>', user: line('M2.8 13.8c.4-2.8 2.5-4.2 5.2-4.2s4.8 1.4 5.2 4.2', '<circle cx="8" cy="5" r="2.8"/>'),
};
export function Icon({ n }: { n: string }) { return <svg class="i" viewBox="0 0 16 16" aria-hidden="true" dangerouslySetInnerHTML={{ __html: ICONS[n] ?? '' }} />; }

export type Severity = 'critical' | 'warning' | 'info' | 'ok' | 'none' | 'pending' | 'silenced' | 'inhibited';
export const CLASS: Record<Severity, string> = { critical: 'crit', warning: 'warn', info: 'info', ok: 'good', none: 'idle', pending: 'warn', silenced: 'idle', inhibited: 'idle' };
export const word = (s: Severity): string => ({ critical: t().critical, warning: t().warning, info: t().info, ok: t().ok, none: t().unknown, pending: t().pending, silenced: t().silenced, inhibited: t().inhibited }[s]);
export function Sev({ s, text }: { s: Severity; text?: string }) { return <span class={`sev ${CLASS[s]}`}><Icon n={s} />{text ?? word(s)}</span>; }
/** The label a rule wears -> one of ours. */
export const severityOf = (label: string | undefined): Severity => (/crit|page|emerg|high/i.test(label ?? '') ? 'critical' : /warn/i.test(label ?? '') ? 'warning' : /info|low|none/i.test(label ?? '') ? 'info' : 'warning');
