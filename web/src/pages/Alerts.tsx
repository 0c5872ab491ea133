// SPDX-License-Identifier: Apache-2.0
/* What: alerts worst first, with what Alertmanager does about each, then silences and rules. */
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { when } from '../i18n/format.ts';
import { live, refreshLive } from '../state/live.ts';
import { setRefresh, tick } from '../state/clock.ts';
import { useStore } from '../state/store.ts';
import { Frame } from '../ui/Frame.tsx';
import { AlertRow } from '../ui/AlertRow.tsx';
import { SilenceForm } from '../ui/SilenceForm.tsx';
import { endSilence } from '../api/grafana.ts';
import type { ApiError } from '../api/http.ts';
import { amUid } from '../state/session.ts';
import { groupAlerts } from '../data/alerts.ts';
import { Icon, Sev } from '../ui/icons.tsx';
import { useTitle } from '../ui/hooks.ts';

export function AlertsPage() {
  const x = t(), l = useStore(live), now = Date.now(), [error, setError] = useState(''), groups = groupAlerts(l.alerts, l.am, l.silences, l.rules, false), rules = l.rules.flatMap((g) => g.rules.filter((r) => r.type === 'alerting').map((r) => ({ g, r })));
  useTitle(x.alerts);
  useStore(tick);
  useEffect(() => { void refreshLive(); setRefresh('10s'); return () => setRefresh(''); }, []);
  const silences = l.silences.filter((s) => s.status.state !== 'expired');
  const end = async (id: string): Promise<void> => { try { await endSilence(amUid(), id); setError(''); await refreshLive(); } catch (e) { setError((e as ApiError).message || x.netDown); } };
  return <Frame page="alerts" title={x.alerts}>
    {l.amError && <section class="panel edge c"><p class="body pad crit"><Icon n="critical" /> {x.amSilent} <span class="sub">{l.amError}</span></p></section>}
    <section class="panel"><header><h2>{x.alerts}</h2><span class="note">{x.alertsNote(groups.filter((g) => g.state === 'firing').reduce((a, g) => a + g.alerts.length, 0), groups.filter((g) => g.state === 'pending').reduce((a, g) => a + g.alerts.length, 0))}</span></header>
      {groups.length === 0 && <div class="al"><span class="good"><Icon n="ok" /></span><span class="t">{rules.length ? x.noneFiring(rules.length) : x.noRules}</span></div>}{groups.map((g) => <div><AlertRow g={g} now={now} long />{g.fate === 'firing' && <SilenceForm g={g} />}</div>)}</section>
    <section class="panel"><header><h2>{x.silences}</h2></header>{error && <p class="body pad crit" role="alert"><Icon n="critical" /> {error}</p>}{silences.length === 0 ? <p class="body muted">{x.noSilences}</p> : <table><thead><tr><th>{x.labels}</th><th>{x.ends}</th><th class="hide-s">{x.by}</th><th class="hide-s">{x.comment}</th><th></th></tr></thead><tbody>{silences.map((s) => <tr data-row><td class="wrap"><span class="labels">{s.matchers.map((m) => <span>{m.name}{m.isEqual === false ? (m.isRegex ? '!~' : '!=') : m.isRegex ? '=~' : '='}{m.value}</span>)}</span></td><td>{when(Date.parse(s.endsAt), now)}</td><td class="hide-s">{s.createdBy}</td><td class="hide-s wrap">{s.comment}</td><td class="r"><button class="btn" onClick={() => void end(s.id)}>{x.endSilence}</button></td></tr>)}</tbody></table>}</section>
    <section class="panel"><header><h2>{x.rules}</h2><span class="note">{rules.length}</span></header><table><thead><tr><th>{x.name}</th><th>{x.state}</th><th class="hide-s">{x.expression}</th></tr></thead><tbody>{rules.map(({ r }) => <tr data-row><td><b>{r.name}</b></td><td>{r.health === 'err' ? <Sev s="critical" text={r.lastError ?? ''} /> : r.state === 'firing' ? <Sev s="critical" text={x.firing} /> : r.state === 'pending' ? <Sev s="pending" /> : <Sev s="ok" />}</td><td class="hide-s wrap mono">{r.query}</td></tr>)}</tbody></table></section></Frame>;
}
