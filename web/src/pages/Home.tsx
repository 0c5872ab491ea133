// SPDX-License-Identifier: Apache-2.0
/* What: the first page: is something wrong, what exactly and since when, what do I do now. Things keep their place on bad days. */
import { useEffect, useMemo } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { clock, duration } from '../i18n/format.ts';
import { resolveRange } from '../data/time.ts';
import { facts, history, type Facts } from '../data/home.ts';
import { groupAlerts, type AlertGroup } from '../data/alerts.ts';
import { verdict, type Verdict } from '../data/verdict.ts';
import { live, type Live } from '../state/live.ts';
import { route } from '../state/route.ts';
import { setRefresh, tick } from '../state/clock.ts';
import { useStore } from '../state/store.ts';
import { useHome, type HomeData } from '../state/home.ts';
import { Frame } from '../ui/Frame.tsx';
import { rangeName, TimeBar } from '../ui/TimeBar.tsx';
import { AlertRow } from '../ui/AlertRow.tsx';
import { useNow, useTitle } from '../ui/hooks.ts';
import { langOf } from '../i18n/index.ts';
import { Icon, Sev } from '../ui/icons.tsx';
import { BrokerTable, Charts, LagTable, Tiles } from './HomeParts.tsx';

const DASH = '/d/kafka-monitoring-dreamscape';
export interface HomeView { data: HomeData; facts: Facts; alerts: AlertGroup[]; live: Live; verdict: Verdict; now: number; dash: string; span: string }

export function HomePage() {
  const r = useStore(route), n = useStore(tick), l = useStore(live), x = t(), raw = { from: r.query.get('from') ?? 'now-1h', to: r.query.get('to') ?? 'now' }, refresh = r.query.get('refresh') ?? '10s';
  useTitle(x.overview);
  const now = useMemo(() => Date.now(), [n, raw.from, raw.to]), range = useMemo(() => resolveRange(raw, now) ?? resolveRange({ from: 'now-1h', to: 'now' }, now)!, [now, raw.from, raw.to]);
  useEffect(() => { setRefresh(refresh); return () => setRefresh(''); }, [refresh]);
  const data = useHome(range, `${range.from} ${range.to} ${n}`);
  const view = useMemo(() => (data && l.at ? viewOf(data, l, now, rangeName(range)) : undefined), [data, l, now, x, range]);
  return <Frame page="home" title={x.overview} range={range} bar={<TimeBar range={range} refresh={refresh} />}>{view ? <Body v={view} /> : <section class="panel verdict n"><div class="busy" /><div class="say" style={{ minHeight: '84px' }} /></section>}</Frame>;
}
function viewOf(data: HomeData, l: Live, now: number, span: string): HomeView {
  const f = facts(data.answers), alerts = groupAlerts(l.alerts, l.am, l.silences, l.rules, false);
  return { data, facts: f, alerts, live: l, now, dash: DASH, span, verdict: verdict({ now, x: t(), facts: f, alerts, targets: l.targets, promError: data.error || l.promError, promOkAt: l.promOkAt, amError: l.amError, rules: l.rules.flatMap((g) => g.rules).length, ready: true, dash: DASH }) };
}
function Body({ v }: { v: HomeView }) {
  const bad = v.verdict.tone === 'critical' || v.verdict.tone === 'warning', mark = bad && v.verdict.since ? { at: v.verdict.since / 1000, text: `${clock(v.verdict.since)} ${v.verdict.group?.name ?? ''}` } : undefined;
  return <><VerdictBox v={v} /><Tiles v={v} mark={mark?.at} /><div class="cols row3"><LagTable v={v} /><AlertsBox v={v} /></div><Charts v={v} mark={mark} /><BrokerTable v={v} /></>;
}

const CLS: Record<Verdict['tone'], string> = { critical: 'c', warning: 'w', ok: 'o calm', none: 'n calm' };
/* How long nothing has fired, as far as the range of the page can tell. */
function calmSince(v: HomeView): string {
  const h = history(v.data.answers, 'firing')[0]?.values ?? [], a = v.data.answers, last = h.reduce<number>((at, x, i) => (x ? i : at), -1), known = h.filter((x) => x !== null).length;
  if (known < 2) return '';
  const since = last >= 0 ? (h.length - 1 - last) * a.step : known * a.step;
  return since >= 60 ? t().calmFor(duration(since * 1000)) : '';
}
function VerdictBox({ v }: { v: HomeView }) {
  const x = t(), d = v.verdict, now = useNow(1000), calm = d.tone === 'ok' || d.tone === 'none', checked = x.checkedAgo(duration(Math.max(0, Math.round((now - v.data.at) / 1000) * 1000)).replace(/[.,]0/, ''));
  return <section class={`panel verdict ${CLS[d.tone]}`} role="status" aria-live={d.tone === 'critical' ? 'assertive' : 'polite'}><div class="say">
    <div class="kind">{d.tone === 'ok' ? <Sev s="ok" text={x.allWell} /> : <Sev s={d.tone} />}{d.since !== undefined && <span>{x.since(clock(d.since), duration(now - d.since))}</span>}{d.tone === 'ok' && <span>{calmSince(v)}</span>}{d.group?.fate === 'firing' && d.group.receivers.length > 0 && <span class="hide-s">{x.notified(d.group.receivers.join(', '))}</span>}<span class="hide-s">{checked}</span></div>
    <p class="line">{d.line}</p>{d.why.length > 0 && <p class="why">{d.why.map((w) => <span lang={langOf(w) === document.documentElement.lang ? undefined : langOf(w)}>{w}</span>)}</p>}
    {d.evidence.length > 0 && <div class="evid">{d.evidence.map((e) => <a class="btn" href={e.href}><b>{e.label}</b> <span>{e.value}</span></a>)}</div>}
    {d.ruled.length > 0 && <div class="ruled"><span>{x.ruledOut}</span>{d.ruled.map((r) => <span><Icon n="ok" />{r}</span>)}</div>}</div>
    {!calm && <div class="do"><h3>{x.doNow}</h3><ol>{d.todo.slice(0, 3).map((s) => <li lang={s.verbatim ? langOf(s.text) : undefined}>{s.text}</li>)}</ol><div class="acts"><a class="btn pri" href={v.dash}>{x.openDash}</a><a class="btn tap" href="/alerting">{x.openAlerts}</a></div></div>}</section>;
}

function AlertsBox({ v }: { v: HomeView }) {
  const x = t(), count = (f: (g: AlertGroup) => boolean): number => v.alerts.filter(f).reduce((a, g) => a + g.alerts.length, 0), rules = v.live.rules.flatMap((g) => g.rules).filter((r) => r.type === 'alerting' && r.name !== 'Watchdog'), bad = rules.filter((r) => r.health === 'err');
  return <section class="panel"><header><h2>{x.alerts}</h2><span class="note">{x.alertsNote(count((g) => g.state === 'firing'), count((g) => g.state === 'pending'))}</span><span class="sp" /><a href="/alerting" class="sub">{x.timeline}</a></header>
    {v.live.amError && <div class="al"><span class="crit"><Icon n="critical" /></span><span class="t crit">{x.amSilent}</span></div>}
    {v.alerts.slice(0, 5).map((g) => <AlertRow g={g} now={v.now} />)}
    {v.alerts.length === 0 && <div class="al"><span class={rules.length ? 'good' : 'idle'}><Icon n={rules.length ? 'ok' : 'none'} /></span><span class="t">{rules.length ? x.noneFiring(rules.length) : x.noRules}</span></div>}
    {bad.length > 0 && <div class="al"><span class="warn"><Icon n="warning" /></span><span class="t">{x.rulesBad(bad.length)}</span><span /><span class="d">{bad[0]!.name}: {bad[0]!.lastError}</span></div>}
    {v.alerts.length === 0 && !v.live.amError && <div class="al"><span class="good"><Icon n="ok" /></span><span class="t">{x.amOk}</span></div>}</section>;
}
