// SPDX-License-Identifier: Apache-2.0
/* What: the blocks of the home page beneath its verdict: tiles, lag by group, last hour, brokers. */
import { t } from '../i18n/index.ts';
import { about, duration, fixed, megabytes, NBSP, percent, sig, whole } from '../i18n/format.ts';
import { seriesSlots } from '../data/colors.ts';
import { history, lagging, type Broker, type Group, type Trend } from '../data/home.ts';
import { theme } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { Icon, Sev, type Severity } from '../ui/icons.tsx';
import { Spark } from '../ui/Spark.tsx';
import { LineChart, type ChartLine } from '../ui/LineChart.tsx';
import type { HomeView } from './Home.tsx';
import type { ComponentChildren } from 'preact';

interface TileData { name: string; value: ComponentChildren; note: string; sev: Severity; values: (number | null)[]; min: number; max: number; href: string }
const top = (v: (number | null)[], least: number): number => Math.max(least, ...v.filter((x): x is number => x !== null)) * 1.1;
const first = (v: HomeView, k: Parameters<typeof history>[1]): (number | null)[] => history(v.data.answers, k)[0]?.values ?? [];
/* "14 min 26 s": the figures large, the units small. */
const figures = (text: string): ComponentChildren => text.split(NBSP).map((p, i) => (i % 2 ? <small>{NBSP}{p}{i < text.split(NBSP).length - 1 ? NBSP : ''}</small> : p));

function lagSeverity(v: HomeView): Severity {
  const g = v.alerts.find((a) => a.fate === 'firing' && a.alerts.some((y) => y.labels.consumergroup));
  if (v.data.error && !v.facts.groups.length) return 'none';
  return g?.severity ?? (v.alerts.some((a) => a.fate === 'pending' && a.alerts.some((y) => y.labels.consumergroup)) || v.facts.groups.some(lagging) ? 'warning' : v.facts.groups.length ? 'ok' : 'none');
}
const trendWord = (w: Trend): string => ({ rising: t().rising, falling: t().falling, steady: t().steady, stopped: t().stopped }[w]);

function tiles(v: HomeView): TileData[] {
  const x = t(), f = v.facts, worst = f.groups[0], up = f.brokersUp, all = f.brokersKnown, firing = v.alerts.filter((g) => g.state === 'firing'), n = firing.reduce((a, g) => a + g.alerts.length, 0), crit = firing.filter((g) => g.severity === 'critical').reduce((a, g) => a + g.alerts.length, 0), pressing = firing.filter((g) => g.fate === 'firing');
  const lagOf = worst ? history(v.data.answers, 'lag').find((h) => h.labels.consumergroup === worst.name)?.values ?? [] : [], disk = f.worstDisk, fire = first(v, 'firing'), disks = first(v, 'disks'), lo = Math.min(...disks.filter((d): d is number => d !== null), 1);
  return [
    { name: x.tBrokers, value: up === undefined ? '–' : <>{whole(up)}<small> / {whole(all ?? up)}</small></>, note: up === undefined ? x.firstScrape : f.brokers.map((b) => b.name).slice(0, 4).join(', '), sev: up === undefined ? 'none' : up < (all ?? up) ? 'critical' : 'ok', values: first(v, 'brokers'), min: 0, max: (all ?? 1) * 1.05, href: v.dash },
    { name: x.tController, value: f.controller ?? '–', note: f.controller ? '' : x.needsJmx, sev: f.controller ? 'ok' : 'none', values: first(v, 'controllers'), min: 0, max: 1.1, href: v.dash },
    { name: x.tOffline, value: f.offline === undefined ? '–' : whole(f.offline), note: f.offline === undefined ? x.needsJmx : f.partitions === undefined ? '' : x.ofN(whole(f.partitions)), sev: f.offline === undefined ? 'none' : f.offline ? 'critical' : 'ok', values: first(v, 'offline'), min: 0, max: top(first(v, 'offline'), 1), href: v.dash },
    { name: x.tUrp, value: f.urp === undefined ? '–' : whole(f.urp), note: f.urp === undefined ? x.firstScrape : f.partitions === undefined ? '' : x.ofN(whole(f.partitions)), sev: f.urp === undefined ? 'none' : f.urp ? 'warning' : 'ok', values: first(v, 'urp'), min: 0, max: top(first(v, 'urp'), 1), href: v.dash },
    { name: x.tLag, value: !worst ? '–' : worst.ageMs !== undefined ? figures(duration(worst.ageMs)) : <>{whole(worst.lag)}<small> {x.msgs}</small></>, note: worst ? `${worst.name}, ${trendWord(worst.trend)}` : x.noGroup, sev: lagSeverity(v), values: lagOf, min: 0, max: top(lagOf, 1), href: v.dash },
    { name: x.tDisk, value: disk ? figures(percent(disk.share * 100)) : '–', note: disk ? `${disk.broker} ${disk.dir}` : x.unknownValue, sev: !disk ? 'none' : disk.share > 0.95 ? 'critical' : disk.share > 0.8 ? 'warning' : 'ok', values: disks, min: Math.max(0, lo - 0.1), max: Math.min(1, top(disks, 0.1)), href: v.dash },
    { name: x.tFiring, value: whole(n), note: n ? x.critWarn(crit, n - crit) : x.rulesN(v.live.rules.flatMap((g) => g.rules).filter((r) => r.type === 'alerting' && r.name !== 'Watchdog').length), sev: pressing.some((g) => g.severity === 'critical') ? 'critical' : pressing.length ? 'warning' : 'ok', values: fire, min: 0, max: top(fire, 1), href: '/alerting' },
  ];
}
const EDGE: Partial<Record<Severity, string>> = { critical: 'c', warning: 'w', ok: 'o' };
const INK: Partial<Record<Severity, string>> = { critical: 'var(--critical)', warning: 'var(--warning)' };
export function Tiles({ v, mark }: { v: HomeView; mark: number | undefined }) {
  const x = t(), a = v.data.answers, at = mark === undefined ? undefined : (mark - a.start) / (a.end - a.start), all = tiles(v), calm = all.every((d) => !INK[d.sev]);
  return <nav class={`tiles${calm ? ' calm7' : ''}`} aria-label={x.overview}>{all.map((d) => <a class={`panel tile edge ${EDGE[d.sev] ?? 'o'}`} href={d.href}><span class="k"><span>{d.name}</span><Sev s={d.sev} /></span><span class="v" style={{ display: 'block' }}>{d.value}</span><span class="s" style={{ display: 'block' }} title={d.note}>{d.sev === 'none' && v.data.error ? x.noAnswer : d.note}{NBSP}</span>
    <span class="spw"><Spark values={d.values} min={d.min} max={d.max} color={INK[d.sev] ?? 'var(--muted)'} end={d.sev === 'critical'} mark={d.sev === 'critical' && at !== undefined && at > 0 && at < 1 ? at : undefined} /></span></a>)}</nav>;
}

const ROWS = 8;
const TREND: Record<Trend, [string, string]> = { rising: ['up', 'crit'], falling: ['dn', 'good'], steady: ['flat', 'muted'], stopped: ['x', 'warn'] };
function rank(v: HomeView, g: Group): number {
  const mine = v.alerts.filter((a) => (a.fate === 'firing' || a.fate === 'pending') && a.alerts.some((y) => y.labels.consumergroup === g.name));
  return mine.some((a) => a.fate === 'firing' && a.severity === 'critical') ? 3 : mine.some((a) => a.fate === 'firing') ? 2 : mine.length || lagging(g) || g.trend === 'stopped' ? 1 : 0;
}
export function LagTable({ v }: { v: HomeView }) {
  const x = t(), list = v.facts.groups.map((g) => ({ g, r: rank(v, g) })).sort((a, b) => b.r - a.r), timed = list.some(({ g }) => g.ageMs !== undefined), rest = list.slice(ROWS).map(({ g }) => g), worst = rest.reduce((m, g) => Math.max(m, timed ? g.ageMs ?? 0 : g.lag), 0);
  return <section class="panel"><header><h2>{x.lagByGroup}</h2><span class="note">{x.groupsNote(list.length, timed)}</span></header>
    {list.length === 0 ? <p class="body muted">{v.data.error ? x.promQuiet : x.noGroupsYet}</p> : <table><thead><tr><th>{x.group}</th><th class="r" title={x.timeLagWhy}>{x.timeLag}</th><th>{v.span}</th><th class="r hide-s">{x.messages}</th><th class="r hide-s">{x.inOut}</th><th class="r hide-s">{x.toZero}</th><th class="r hide-s">{x.members}</th></tr></thead>
      <tbody>{list.slice(0, ROWS).map(({ g, r }) => <GroupRow g={g} r={r} dash={v.dash} />)}{rest.length > 0 && <tr><td colSpan={7} class="muted">{x.moreGroups(rest.length, timed ? duration(worst) : `${whole(worst)} ${x.msgs}`)}</td></tr>}</tbody></table>}</section>;
}
function GroupRow({ g, r, dash }: { g: Group; r: number; dash: string }) {
  const x = t(), [icon, cls] = TREND[g.trend], grows = g.trend === 'rising' || g.trend === 'stopped', bad = r >= 2, max = Math.max(1, ...g.history.filter((h): h is number => h !== null));
  const zero = g.trend === 'falling' && g.toZeroMs !== undefined ? duration(g.toZeroMs) : grows && g.net !== undefined ? x.neverClears(sig(g.net)) : g.trend === 'steady' && g.net !== undefined ? x.steady : '–';
  return <tr data-row tabIndex={-1} class={r === 3 ? 'bad' : r ? 'wrn' : ''}><td class="two"><a href={dash}><b>{g.name}</b></a> <small class="nw">{g.topic}{g.topics > 1 && ` +${g.topics - 1}`}</small></td>
    <td class={`r lagv${r === 3 ? ' crit' : bad ? ' warn' : ''}`}>{g.ageMs !== undefined ? duration(g.ageMs) : g.lag === 0 ? duration(0) : '–'}{(grows || g.trend === 'falling') && <small class="phone" style={{ display: 'block', fontWeight: 400 }}>{grows ? x.notClearing : x.clearIn(about(g.toZeroMs ?? 0))}</small>}</td>
    <td><span class={`trend ${grows && !r ? 'muted' : cls}`}><span class="sparkc"><Spark values={g.history} min={0} max={max * 1.15} color={r === 3 ? 'var(--critical)' : 'var(--muted)'} /></span><Icon n={icon} /><span class="hide-s">{trendWord(g.trend)}</span></span></td>
    <td class="r hide-s">{whole(g.lag)}</td><td class="r hide-s">{g.written === undefined || g.read === undefined ? '–' : `${sig(g.written)} / ${sig(g.read)}`}</td><td class={`r hide-s${grows && bad ? ' crit' : g.trend === 'steady' ? ' muted' : ''}`}>{zero}</td>
    <td class="r hide-s">{g.members === undefined ? '–' : g.members === 0 && g.lag > 0 ? <Sev s={bad ? 'critical' : 'warning'} text={x.noneMember} /> : whole(g.members)}</td></tr>;
}

export function Charts({ v, mark }: { v: HomeView; mark?: { at: number; text: string } }) {
  const x = t(), dark = useStore(theme) === 'dark', a = v.data.answers, inn = first(v, 'bytesIn'), out = first(v, 'bytesOut'), jmx = inn.some((p) => p !== null), mega = (s: (number | null)[]): (number | null)[] => s.map((p) => (p === null ? null : p / 1e6));
  const flow: ChartLine[] = jmx ? [{ name: x.inWord, color: 'var(--s1)', values: mega(inn) }, { name: x.outWord, color: 'var(--s2)', values: mega(out) }] : [{ name: x.inWord, color: 'var(--s1)', values: first(v, 'written') }];
  const late = history(a, 'produce').sort((p, q) => (p.labels.broker ?? '').localeCompare(q.labels.broker ?? '', undefined, { numeric: true })), slots = seriesSlots(late.map((h) => h.labels.broker ?? ''), dark), names = new Map(v.facts.brokers.map((b) => [b.id, b.name])), lines = late.map((h, i): ChartLine => ({ name: names.get(h.labels.broker ?? '') ?? h.labels.broker ?? '', color: slots[i]!.color, values: h.values }));
  const box = (title: string, note: string, list: ChartLine[], shown: (n: number) => string) => <section class="panel"><header><h2>{title}</h2><span class="note">{note}</span></header><div class="body">{list.some((l) => l.values.some((p) => p !== null)) ? <><LineChart lines={list} start={a.start} end={a.end} label={title} mark={mark} height={150} />
    <div class="legend">{list.slice(0, 12).map((l) => <span><i class="sw" style={{ '--c': l.color }} />{l.name} <b>{shown([...l.values].reverse().find((p): p is number => p !== null) ?? NaN)}</b></span>)}</div></> : <div class="state" style={{ minHeight: '120px' }}>{v.data.error ? <span>{x.promQuiet}</span> : <><span>{x.jmxMissing}</span><code>{x.jmxHow}</code></>}</div>}</div></section>;
  return <div class="cols row4">{jmx ? box(x.throughput, x.throughputNote, flow, (n) => fixed(n, 2)) : box(x.msgIn, x.msgInNote, flow, sig)}{box(x.latency, x.msNote, lines, (n) => fixed(n, 1))}</div>;
}

const milli = (n: number | undefined): string => (n === undefined ? '–' : `${sig(n)}${NBSP}ms`);
const opt = (n: number | undefined, f: (x: number) => string): string => (n === undefined ? '–' : f(n));
export function BrokerTable({ v }: { v: HomeView }) {
  const x = t(), list = v.facts.brokers, disks = list.some((b) => b.dirs.length > 0);
  return <section class="panel row5"><header><h2>{x.brokers}</h2><span class="note">{v.facts.brokersUp !== undefined && x.brokersNote(v.facts.brokersUp, v.facts.brokersKnown ?? v.facts.brokersUp)}</span></header>
    {list.length === 0 ? <p class="body muted">{v.data.error ? x.promQuiet : x.noBroker}</p> : <table><thead><tr><th>{x.broker}</th><th class="r">{x.bIn}</th><th class="r">{x.bOut}</th><th class="r hide-s">{x.bReq}</th><th class="r hide-s">{x.bP99}</th><th class="r hide-s hide-m">{x.bFetch}</th><th class="r hide-s" title={x.bUrpWhy}>{x.bUrp}</th><th class="r hide-s">{x.bLeaders}</th>{disks && <><th class="hide-s">{x.bDirs}</th><th class="phone r">{x.bDisk}</th></>}</tr></thead>
      <tbody>{list.map((b) => <BrokerRow b={b} disks={disks} />)}</tbody></table>}</section>;
}
function BrokerRow({ b, disks }: { b: Broker; disks: boolean }) {
  const x = t(), worst = b.dirs.reduce((m, d) => Math.max(m, d.share), 0), full = worst > 0.95 ? 'crit' : 'warn';
  return <tr data-row tabIndex={-1} class={!b.present ? 'bad' : worst > 0.8 || b.urp ? 'wrn' : ''}><td class="two"><span class={b.present ? 'good' : 'crit'}><Icon n={b.present ? 'ok' : 'critical'} /></span> <b>{b.name}</b> {b.controller && <small>{x.controller}</small>}</td><td class="r">{opt(b.bytesIn, megabytes)}</td><td class="r">{opt(b.bytesOut, megabytes)}</td><td class="r hide-s">{opt(b.requests, whole)}</td>
    <td class="r hide-s">{milli(b.produce)}</td><td class="r hide-s hide-m">{milli(b.fetch)}</td><td class={`r hide-s${b.urp ? ' warn' : ''}`}>{opt(b.urp, whole)}</td><td class="r hide-s">{opt(b.leaders, whole)}</td>
    {disks && <><td class="hide-s"><span class="dirs">{b.dirs.map((d) => <span class="nw"><span class={`meter${d.share > 0.95 ? ' c' : d.share > 0.8 ? ' w' : ''}`}><i style={{ width: `${Math.min(100, d.share * 100)}%` }} /></span>{d.name} {d.share > 0.8 ? <b class={full}>{percent(d.share * 100)}</b> : percent(d.share * 100)}</span>)}</span></td><td class="phone r">{worst > 0.8 ? <b class={full}><Icon n={worst > 0.95 ? 'critical' : 'warning'} /> {percent(worst * 100)}</b> : b.dirs.length ? percent(worst * 100) : '–'}</td></>}</tr>;
}
