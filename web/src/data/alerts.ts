// SPDX-License-Identifier: Apache-2.0
/* What: alerts as the page shows them: one entry for each rule and fate, worst first. */
import type { Alert, AmAlert, NewSilence, RuleGroup, Silence } from '../api/types.ts';
import type { Labels, Panel } from './model.ts';
import { metricNames } from './selectors.ts';

export type Fate = 'firing' | 'pending' | 'silenced' | 'inhibited';
export interface AlertGroup { name: string; state: 'firing' | 'pending'; fate: Fate; severity: 'critical' | 'warning' | 'info'; alerts: Alert[]; since: number; forMs: number; annotations: Labels; silence?: Silence; receivers: string[] }

export const rankOf = (label: string | undefined): AlertGroup['severity'] => (/crit|page|emerg|high/i.test(label ?? '') ? 'critical' : /info|low|none/i.test(label ?? '') ? 'info' : 'warning');
const ORDER: Record<string, number> = { 'firing critical': 0, 'firing warning': 1, 'firing info': 3, pending: 2, inhibited: 4, silenced: 5 };
const orderOf = (g: AlertGroup): number => ORDER[g.fate === 'firing' ? `firing ${g.severity}` : g.fate]! + (g.fate === 'pending' && g.severity === 'critical' ? -0.5 : 0);
const same = (a: Labels, b: Labels): boolean => Object.entries(a).every(([k, v]) => b[k] === v);
export const isWatchdog = (a: Alert): boolean => a.labels.alertname === 'Watchdog';

export function groupAlerts(alerts: Alert[], am: AmAlert[] | undefined, silences: Silence[], rules: RuleGroup[], watchdog: boolean): AlertGroup[] {
  const out = new Map<string, AlertGroup>(), durations = new Map(rules.flatMap((g) => g.rules.map((r) => [r.name, (r.duration ?? 0) * 1000] as const)));
  for (const a of alerts) {
    if (a.state === 'inactive' || (!watchdog && isWatchdog(a))) continue;
    const sent = am?.find((m) => same(a.labels, m.labels)), fate: Fate = a.state === 'pending' ? 'pending' : sent?.status.silencedBy.length ? 'silenced' : sent?.status.inhibitedBy.length ? 'inhibited' : 'firing';
    const name = a.labels.alertname ?? '', key = `${name} ${fate} ${a.labels.severity ?? ''}`, at = Date.parse(a.activeAt), g = out.get(key);
    if (g) { g.alerts.push(a); g.since = Math.min(g.since, at); } else out.set(key, { name, state: a.state, fate, severity: rankOf(a.labels.severity), alerts: [a], since: at, forMs: durations.get(name) ?? 0, annotations: a.annotations, silence: silences.find((s) => sent?.status.silencedBy.includes(s.id)), receivers: sent?.receivers.map((r) => r.name) ?? [] });
  }
  return [...out.values()].sort((a, b) => orderOf(a) - orderOf(b) || a.since - b.since);
}

/** What silences this entry and nothing else that it can tell apart: the labels that all its alerts share. */
export function silenceOf(g: AlertGroup, now: number, forMs: number, by: string, comment: string): NewSilence {
  const first = g.alerts[0]?.labels ?? {}, shared = Object.entries(first).filter(([k, v]) => g.alerts.every((a) => a.labels[k] === v)).sort(([a], [b]) => (a < b ? -1 : 1));
  return { matchers: shared.map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })), startsAt: new Date(now).toISOString(), endsAt: new Date(now + forMs).toISOString(), createdBy: by, comment };
}

/** Active alerts whose rule reads a metric that this panel reads. */
export function panelAlerts(panel: Panel, l: { alerts: Alert[]; rules: RuleGroup[]; am: AmAlert[] | undefined }): Alert[] {
  const mine = new Set(panel.targets.flatMap((q) => metricNames(q.expr ?? '')));
  if (!mine.size) return [];
  const rules = new Set(l.rules.flatMap((g) => g.rules).filter((r) => r.type === 'alerting' && metricNames(r.query).some((m) => mine.has(m))).map((r) => r.name));
  const quiet = (l.am ?? []).filter((m) => m.status.state === 'suppressed');
  return l.alerts.filter((a) => a.state !== 'inactive' && rules.has(a.labels.alertname ?? '') && !quiet.some((m) => same(a.labels, m.labels)));
}
