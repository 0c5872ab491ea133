// SPDX-License-Identifier: Apache-2.0
/* What: what every page shows beside its own data: alerts, rules, targets, silences. One reader, however many watchers. */
import { store } from './store.ts';
import { amUid, promUid, session } from './session.ts';
import * as prom from '../api/prom.ts';
import { amAlerts, amSilences } from '../api/grafana.ts';
import type { Alert, AmAlert, RuleGroup, ScrapeTarget, Silence } from '../api/types.ts';

export interface Live { at: number; alerts: Alert[]; rules: RuleGroup[]; targets: ScrapeTarget[]; am: AmAlert[] | undefined; silences: Silence[]; promError: string; amError: string; promOkAt: number }
export const live = store<Live>({ at: 0, alerts: [], rules: [], targets: [], am: undefined, silences: [], promError: '', amError: '', promOkAt: 0 });

const settle = async <T>(p: Promise<T>): Promise<{ ok: T } | { error: string }> => { try { return { ok: await p }; } catch (e) { return { error: String((e as Error).message) || 'network' }; } };
let running = false;

export async function refreshLive(): Promise<void> {
  if (running || !session.get().user) return;
  running = true;
  const p = promUid(), a = amUid();
  const [alerts, rules, targets, am, silences] = await Promise.all([settle(prom.alerts(p)), settle(prom.rules(p)), settle(prom.targets(p)), settle(amAlerts(a)), settle(amSilences(a))]);
  const before = live.get(), now = Date.now();
  live.set({ at: now, alerts: 'ok' in alerts ? alerts.ok : before.alerts, rules: 'ok' in rules ? rules.ok : before.rules, targets: 'ok' in targets ? targets.ok : before.targets, am: 'ok' in am ? am.ok : undefined,
    silences: 'ok' in silences ? silences.ok : [], promError: 'error' in alerts ? alerts.error : '', amError: 'error' in am ? am.error : '', promOkAt: 'ok' in alerts ? now : before.promOkAt });
  running = false;
}
