// SPDX-License-Identifier: Apache-2.0
/* What:   facts and alerts -> the one sentence on top of the home page: what, how much, since when; its evidence, what is ruled out, what to do.
 * Shape:  a list of cases, worst first; the first that holds speaks. Only what the data proves is said.
 * Source: design/mockups, principles 1 and 2. */
import type { ScrapeTarget } from '../api/types.ts';
import type { AlertGroup } from './alerts.ts';
import { lagging, type Facts, type Group } from './home.ts';
import type { Strings } from '../i18n/index.ts';
import { clock, duration, percent, sig, when, whole } from '../i18n/format.ts';

export type Tone = 'critical' | 'warning' | 'ok' | 'none';
export interface Evidence { label: string; value: string; href: string }
export interface Step { text: string; verbatim?: boolean }
export interface Verdict { tone: Tone; since?: number; line: string; why: string[]; evidence: Evidence[]; ruled: string[]; todo: Step[]; group?: AlertGroup; lagGroup?: Group }
export interface Situation { now: number; x: Strings; facts: Facts; alerts: AlertGroup[]; targets: ScrapeTarget[]; promError: string; promOkAt: number; amError?: string; rules?: number; ready: boolean; calmMs?: number; dash: string }

const down = (s: Situation, job: RegExp): ScrapeTarget[] => s.targets.filter((t) => t.health === 'down' && job.test(t.labels.job ?? t.scrapePool));
const sentence = (e: string): string => e.replace(/[.\s]+$/, '');
const lastError = (s: Situation, t: ScrapeTarget): string[] => (t.lastError ? [s.x.lastError(sentence(t.lastError))] : []);
const action = (g: AlertGroup | undefined): Step[] => { const text = g?.annotations.action; return text ? [{ text, verbatim: true }] : []; };
const alertNamed = (s: Situation, re: RegExp): AlertGroup | undefined => s.alerts.find((g) => re.test(g.name) && (g.fate === 'firing' || g.fate === 'pending'));
const alertEvidence = (s: Situation, g: AlertGroup | undefined): Evidence[] => (g ? [{ label: s.x.evAlert, value: `${g.name}${g.alerts.length > 1 ? ` ×${g.alerts.length}` : ''}`, href: '/alerting' }] : []);

/** What else was looked at and is well. */
export function ruledOut(s: Situation, skip: string): string[] {
  const f = s.facts, x = s.x, up = s.targets.filter((t) => t.health === 'up').length, out: [string, string | false][] = [
    ['brokers', f.brokersUp !== undefined && f.brokersUp === f.brokersKnown && x.rBrokers(f.brokersUp, f.brokersKnown)], ['offline', f.offline === 0 && x.rOffline], ['urp', f.urp === 0 && x.rSync], ['targets', s.targets.length > 0 && up === s.targets.length && x.rTargets(up)],
    ['p99', f.produce !== undefined && x.rP99(sig(f.produce))], ['in', f.written !== undefined && f.written > 0 && x.rIn(sig(f.written))]];
  return out.filter(([k, t]) => t && k !== skip).map(([, t]) => t as string);
}

type Case = (s: Situation) => Omit<Verdict, 'ruled'> & { skip?: string } | undefined;

const silent: Case = (s) => (s.promError && s.ready ? { tone: 'critical', line: s.x.promSilent, why: [s.x.promSilentWhy(sentence(s.promError) + '.', s.promOkAt ? when(s.promOkAt, s.now) : s.x.never)], evidence: [], todo: [{ text: s.x.doProm }], skip: 'targets' } : undefined);

const kafkaDown: Case = (s) => {
  const t = down(s, /^kafka-exporter/)[0], g = alertNamed(s, /BrokerDown/);
  if (!t && !(g?.fate === 'firing')) return undefined;
  const name = t?.labels.job ?? g?.alerts[0]?.labels.job ?? 'kafka-exporter';
  return { tone: 'critical', since: g?.since, line: s.x.kafkaDown(name), why: t ? lastError(s, t) : [], evidence: [{ label: s.x.evTarget, value: t?.labels.instance ?? name, href: '/datasources' }, ...alertEvidence(s, g)], todo: [...action(g), { text: s.x.doBroker }, ...(t ? [{ text: s.x.doTarget(t.scrapeUrl) }] : [])], group: g, skip: 'targets' };
};
const noData: Case = (s) => (s.ready && s.facts.brokersUp === undefined && s.facts.groups.length === 0 ? { tone: 'none', line: s.x.noDataYet, why: [s.x.noDataYetWhy], evidence: [{ label: s.x.targets, value: whole(s.targets.length), href: '/datasources' }], todo: [] } : undefined);
const offline: Case = (s) => { const g = alertNamed(s, /OfflinePartitions/); return s.facts.offline ? { tone: 'critical', since: g?.since, line: s.x.offlineLine(s.facts.offline), why: [], evidence: [{ label: s.x.evPartitions, value: s.x.ofN(whole(s.facts.partitions ?? NaN)), href: s.dash }, ...alertEvidence(s, g)], todo: [...action(g), { text: s.x.doOffline }], group: g, skip: 'offline' } : undefined; };
const missing: Case = (s) => { const { brokersUp: up, brokersKnown: all } = s.facts, g = alertNamed(s, /UnderReplicated/); return up !== undefined && all !== undefined && up < all ? { tone: 'critical', since: g?.since, line: s.x.brokersMissing(up, all), why: s.facts.urp ? [s.x.urpLine(s.facts.urp)] : [], evidence: [{ label: s.x.evBrokers, value: `${whole(up)} / ${whole(all)}`, href: s.dash }, ...alertEvidence(s, g)], todo: [...action(g), { text: s.x.doBroker }], group: g, skip: 'brokers' } : undefined; };

function lagGroup(s: Situation, g: AlertGroup): Group | undefined {
  const names = new Set(g.alerts.map((a) => a.labels.consumergroup));
  return s.facts.groups.filter((x) => names.has(x.name)).sort((a, b) => b.lag - a.lag)[0];
}
function lagLine(s: Situation, l: Group): string {
  const n = whole(l.lag), topic = l.topics > 1 ? `${l.topic} +${l.topics - 1}` : l.topic;
  if (l.trend === 'stopped') return s.x.lagStopped(l.name, topic, n);
  if (l.trend === 'rising') return s.x.lagGrows(l.name, n, topic, sig(l.net ?? 0));
  return l.trend === 'falling' && l.toZeroMs !== undefined ? s.x.lagClears(l.name, n, topic, duration(l.toZeroMs)) : s.x.lagHolds(l.name, n, topic);
}
function aboutLag(s: Situation, g: AlertGroup | undefined, l: Group, tone: Tone): ReturnType<Case> {
  const x = s.x, others = s.facts.groups.filter((o) => o !== l && o.trend !== 'rising' && o.trend !== 'stopped').length, all = others === s.facts.groups.length - 1 && others > 0;
  const why = [...(l.members === 0 ? [x.lagWhyMembers(0)] : []), ...(l.ageMs !== undefined ? [x.lagWhyAge(duration(l.ageMs))] : []), ...(l.members ? [x.lagWhyMembers(l.members)] : []), ...(all ? [x.othersKeepUp(others)] : [])];
  const evidence: Evidence[] = [...(l.members !== undefined ? [{ label: x.evMembers, value: whole(l.members), href: s.dash }] : []), ...(l.written !== undefined && l.read !== undefined ? [{ label: x.evRates, value: `${sig(l.written)} / ${sig(l.read)} msg/s`, href: s.dash }] : []), { label: x.evLag, value: `${whole(l.lag)}${l.net !== undefined && l.net > 1 ? `, +${sig(l.net)} msg/s` : ''}`, href: s.dash }, ...alertEvidence(s, g)];
  const steps: Step[] = g?.fate === 'pending' ? [{ text: x.doWatch }] : [{ text: l.members === 0 ? x.doStart(l.name) : x.doConsumers(l.name) }, ...(l.members && l.members < l.partitions ? [{ text: x.doScale(l.name, l.partitions) }] : [])];
  return { tone, since: g?.since, line: lagLine(s, l), why, evidence, todo: [...action(g), ...steps], group: g, lagGroup: l, skip: 'lag' };
}
function aboutAlert(s: Situation, g: AlertGroup, tone: Tone): ReturnType<Case> {
  const lag = g.alerts[0]?.labels.consumergroup ? lagGroup(s, g) : undefined, x = s.x;
  if (lag) return aboutLag(s, g, lag, tone);
  const broker = g.alerts[0]?.labels.broker, value = Number(g.alerts[0]?.value), sev = g.severity === 'critical' ? x.critical : g.severity === 'warning' ? x.warning : x.info;
  if (/disk/i.test(g.name) && broker && value > 0 && value <= 1) return { tone, since: g.since, line: x.diskLine(broker, percent(value * 100)), why: [], evidence: alertEvidence(s, g), todo: [...action(g), { text: x.doDisk }], group: g };
  const line = g.fate === 'pending' ? x.pendingLine(g.name, clock(g.since + g.forMs)) : x.alertLine(g.name, sev.toLowerCase()), text = g.annotations.description ?? g.annotations.summary;
  return { tone, since: g.since, line, why: text ? [text] : [], evidence: alertEvidence(s, g), todo: g.fate === 'pending' ? [{ text: x.doWatch }] : action(g), group: g };
}
const firing = (severity: string, tone: Tone): Case => (s) => { const g = s.alerts.find((a) => a.fate === 'firing' && a.severity === severity); return g ? aboutAlert(s, g, tone) : undefined; };
const targetsDown: Case = (s) => {
  const list = s.targets.filter((t) => t.health === 'down'), jmx = down(s, /jmx/), g = alertNamed(s, /JMX/), t = jmx[0] ?? list[0];
  if (!t) return undefined;
  return { tone: 'warning', since: g?.since, line: jmx.length ? s.x.jmxDown(t.labels.job ?? t.scrapePool) : s.x.targetsDown(list.length, [...new Set(list.map((d) => d.labels.job ?? d.scrapePool))].join(', ')), why: lastError(s, t), evidence: [{ label: s.x.evTarget, value: t.labels.instance ?? t.scrapeUrl, href: '/datasources' }, ...alertEvidence(s, g)], todo: [...action(g), ...(jmx.length ? [{ text: s.x.doJmx }] : []), { text: s.x.doTarget(t.scrapeUrl) }], group: g, skip: 'targets' };
};
const urp: Case = (s) => { const g = alertNamed(s, /UnderReplicated/); return s.facts.urp ? { tone: 'warning', since: g?.since, line: s.x.urpLine(s.facts.urp), why: [], evidence: [{ label: s.x.evPartitions, value: s.x.ofN(whole(s.facts.partitions ?? NaN)), href: s.dash }, ...alertEvidence(s, g)], todo: [...action(g), { text: s.x.doUrp }], group: g, skip: 'urp' } : undefined; };
const pending: Case = (s) => { const g = s.alerts.find((a) => a.fate === 'pending' && a.severity !== 'info'); return g ? aboutAlert(s, g, 'warning') : undefined; };

const amSilent: Case = (s) => (s.amError ? { tone: 'warning', line: s.x.amSilent, why: [`${sentence(s.amError)}.`], evidence: [], todo: [{ text: s.x.doAm }] } : undefined);
const unsaid: Case = (s) => { const l = s.facts.groups.filter(lagging).sort((a, b) => b.lag - a.lag)[0]; return l ? aboutLag(s, undefined, l, 'warning') : undefined; };

const calm: Case = (s) => {
  const { facts: f, x } = s, worst = f.groups[0], largest = [...f.groups].sort((a, b) => b.lag - a.lag)[0], known = f.groups.filter((g) => g.ageMs !== undefined && g.lag > 0).length > 0 && f.groups.every((g) => g.lag === 0 || g.ageMs !== undefined);
  const line = !worst ? x.noGroups : known ? x.everyGroup(duration(worst.ageMs ?? 0)) : x.everyGroupMsgs(whole(largest?.lag ?? 0));
  const near = f.worstDisk && f.worstDisk.share > 0.5 ? x.diskAt(`${f.worstDisk.broker} ${f.worstDisk.dir}`, percent(f.worstDisk.share * 100)) : largest && largest.lag > 0 ? x.largestLag(largest.name, whole(largest.lag)) : '';
  return { tone: 'ok', line, why: [...(near ? [`${x.nearestTrouble}${near}.`] : []), ...(s.rules === 0 ? [x.noRules] : [])], evidence: [], todo: [] };
};

const CASES: Case[] = [silent, kafkaDown, noData, offline, missing, firing('critical', 'critical'), amSilent, targetsDown, urp, firing('warning', 'warning'), pending, unsaid, calm];
export function verdict(s: Situation): Verdict {
  for (const c of CASES) { const v = c(s); if (v) { const { skip = '', ...rest } = v; return { ...rest, ruled: v.tone === 'ok' || v.tone === 'none' ? [] : ruledOut(s, skip) }; } }
  throw new Error('the calm case always speaks');
}
