// SPDX-License-Identifier: Apache-2.0
/* What:   the questions that the home page asks of Prometheus, and the facts it takes from the answers.
 * Shape:  QUERIES (name -> expression) and pure readers; nothing here knows the page. A metric that is absent is undefined, never zero. */
import type { Labels } from './model.ts';
import { parseNumber, type PromResult, type PromSeries } from './frames.ts';

/* Two minutes of rate: four samples at the usual 30 s. Offsets are gauges (a group may be rewound): their slope is asked, not their rate. */
const R = '[2m]', DIRS = 'kafka_log_size_bytes / kafka_log_size_limit_bytes';
const IN_BY_PARTITION = `clamp_min(deriv(kafka_topic_partition_current_offset${R}), 0)`;
export const NOW = {
  info: 'kafka_broker_info', brokers: 'max(kafka_brokers)', controller: 'kafka_controller_kafkacontroller_activecontrollercount == 1', offline: 'max(kafka_controller_kafkacontroller_offlinepartitionscount)',
  urp: 'sum(kafka_topic_partition_under_replicated_partition) or sum(kafka_server_replicamanager_underreplicatedpartitions)', partitions: 'sum(kafka_topic_partitions)',
  lag: 'sum by (consumergroup, topic) (kafka_consumergroup_lag >= 0)', parts: 'count by (consumergroup, topic) (kafka_consumergroup_lag)', members: 'max by (consumergroup) (kafka_consumergroup_members)',
  age: `max by (consumergroup, topic) ((kafka_consumergroup_lag >= 0) / on (topic, partition) group_left () (max by (topic, partition) (${IN_BY_PARTITION}) > 0))`,
  read: `sum by (consumergroup, topic) (clamp_min(deriv(kafka_consumergroup_current_offset${R}), 0))`, written: `sum by (topic) (${IN_BY_PARTITION})`, disks: DIRS,
  bytesIn: `sum by (broker) (rate(kafka_server_brokertopicmetrics_bytesin_total${R}))`, bytesOut: `sum by (broker) (rate(kafka_server_brokertopicmetrics_bytesout_total${R}))`, requests: `sum by (broker) (rate(kafka_network_requestmetrics_requests_total${R}))`,
  produce: 'max by (broker) (kafka_network_requestmetrics_99percentile{request="Produce"})', fetch: 'max by (broker) (kafka_network_requestmetrics_99percentile{request="Fetch"})', brokerUrp: 'sum by (broker) (kafka_server_replicamanager_underreplicatedpartitions)', leaders: 'max by (broker) (kafka_server_replicamanager_leadercount)',
  leadersById: 'count_values("broker", kafka_topic_partition_leader)',
} as const;
/* firing is 0 only where something was scraped: a time of which nothing is known was no calm one. */
export const HISTORY = {
  brokers: 'max(kafka_brokers)', controllers: 'sum(kafka_controller_kafkacontroller_activecontrollercount)', offline: 'max(kafka_controller_kafkacontroller_offlinepartitionscount)', urp: NOW.urp, lag: 'sum by (consumergroup) (kafka_consumergroup_lag >= 0)', disks: `max(${DIRS})`,
  firing: 'count(ALERTS{alertstate="firing", alertname!="Watchdog"}) or 0 * max(up)', bytesIn: `sum(rate(kafka_server_brokertopicmetrics_bytesin_total${R}))`, bytesOut: `sum(rate(kafka_server_brokertopicmetrics_bytesout_total${R}))`, produce: NOW.produce, written: `sum(${IN_BY_PARTITION})`,
} as const;
/* All questions of a kind travel as one expression; a label of ours says whose answer a series is. */
const MARK = 'vigie_question';
export const together = (questions: Record<string, string>): string => Object.entries(questions).map(([k, q]) => `label_replace(${q}, "${MARK}", "${k}", "", "")`).join(' or ');
export function apart<K extends string>(r: PromResult): Partial<Record<K, PromResult>> {
  const out: Partial<Record<string, { resultType: PromResult['resultType']; result: PromSeries[] }>> = {};
  for (const s of seriesOf(r)) {
    const { [MARK]: key = '', ...metric } = s.metric;
    (out[key] ??= { resultType: r.resultType, result: [] }).result.push({ ...s, metric });
  }
  return out as Partial<Record<K, PromResult>>;
}
export type NowKey = keyof typeof NOW;
export type HistoryKey = keyof typeof HISTORY;
export interface Answers { now: Partial<Record<NowKey, PromResult>>; history: Partial<Record<HistoryKey, PromResult>>; start: number; end: number; step: number }

const seriesOf = (r: PromResult | undefined): PromSeries[] => (r && (r.resultType === 'vector' || r.resultType === 'matrix') ? (r.result as PromSeries[]) : []);
const valueOf = (s: PromSeries | undefined): number | undefined => { const v = s?.value ? parseNumber(s.value[1]) : undefined; return v === undefined || Number.isNaN(v) ? undefined : v; };
export const single = (r: PromResult | undefined): number | undefined => valueOf(seriesOf(r)[0]);
/** A series on the history's own grid; what is missing is null. */
export function onGrid(s: PromSeries | undefined, a: Answers): (number | null)[] {
  const n = Math.round((a.end - a.start) / a.step) + 1, out = new Array<number | null>(Math.max(0, n)).fill(null);
  for (const [t, v] of s?.values ?? []) { const i = Math.round((t - a.start) / a.step), x = parseNumber(v); if (i >= 0 && i < n && Number.isFinite(x)) out[i] = x; }
  return out;
}
export const history = (a: Answers, k: HistoryKey): { labels: Labels; values: (number | null)[] }[] => seriesOf(a.history[k]).map((s) => ({ labels: s.metric, values: onGrid(s, a) }));

export type Trend = 'rising' | 'falling' | 'steady' | 'stopped';
export interface Group { name: string; topic: string; topics: number; lag: number; ageMs?: number; written?: number; read?: number; net?: number; trend: Trend; toZeroMs?: number; members?: number; partitions: number; history: (number | null)[] }

const by = (r: PromResult | undefined, ...keys: string[]): Map<string, number> => new Map(seriesOf(r).map((s) => [keys.map((k) => s.metric[k] ?? '').join('\0'), valueOf(s)] as const).filter((e): e is readonly [string, number] => e[1] !== undefined));

/** One row for each group: its worst topic stands for it, messages and rates are of all its topics. */
export function groups(a: Answers): Group[] {
  const lag = by(a.now.lag, 'consumergroup', 'topic'), age = by(a.now.age, 'consumergroup', 'topic'), read = by(a.now.read, 'consumergroup', 'topic'), written = by(a.now.written, 'topic'), members = by(a.now.members, 'consumergroup'), parts = by(a.now.parts, 'consumergroup', 'topic');
  const past = new Map(history(a, 'lag').map((h) => [h.labels.consumergroup ?? '', h.values])), out = new Map<string, Group & { worst: number }>();
  for (const [key, messages] of lag) {
    const [name = '', topic = ''] = key.split('\0'), seconds = age.get(key), r = read.get(key), w = written.get(topic), rank = seconds !== undefined ? seconds * 1e6 + messages : messages;
    const g = out.get(name) ?? { name, topic, topics: 0, lag: 0, trend: 'steady' as Trend, partitions: 0, members: members.get(name), history: past.get(name) ?? [], worst: -1 };
    g.topics++;
    g.lag += messages;
    g.partitions += parts.get(key) ?? 0;
    if (r !== undefined) g.read = (g.read ?? 0) + r;
    if (w !== undefined) g.written = (g.written ?? 0) + w;
    if (seconds !== undefined && Number.isFinite(seconds)) g.ageMs = Math.max(g.ageMs ?? 0, seconds * 1000);
    if (rank > g.worst) { g.worst = rank; g.topic = topic; }
    out.set(name, g);
  }
  return [...out.values()].map((g) => settle(g)).sort((x, y) => (y.ageMs ?? -1) - (x.ageMs ?? -1) || y.lag - x.lag);
}
const NOISE = 0.05;
function settle({ worst: _, ...g }: Group & { worst: number }): Group {
  if (g.read === undefined || g.written === undefined) return g;
  g.net = g.written - g.read;
  const quiet = Math.max(1, g.written * NOISE);
  if (g.read < 0.01 && g.written > 0.01 && g.lag > 0) g.trend = 'stopped';
  else if (g.net > quiet) g.trend = 'rising';
  else if (g.net < -quiet && g.lag > 0) { g.trend = 'falling'; g.toZeroMs = (g.lag / -g.net) * 1000; }
  return g;
}

/** Behind, and not catching up: said even when no rule says it. */
export const lagging = (g: Group): boolean => (g.trend === 'rising' || g.trend === 'stopped') && (g.ageMs !== undefined ? g.ageMs > 300_000 : g.lag > 1000);

export interface Dir { name: string; share: number }
export interface Broker { id: string; name: string; controller: boolean; bytesIn?: number; bytesOut?: number; requests?: number; produce?: number; fetch?: number; urp?: number; leaders?: number; dirs: Dir[]; present: boolean }
const shortDir = (path: string): string => path.split('/').filter(Boolean).pop() ?? path;
const hostOf = (address: string): string => address.replace(/^\w+:\/\//, '').replace(/:\d+$/, '');

/** Which broker (by id) a JMX label names: the id itself, its address, its host; with one of each there is nothing to guess. */
export function brokerKeys(label: string, info: { id: string; address: string }[], labels: string[]): string | undefined {
  const direct = info.find((b) => b.id === label || b.address === label) ?? info.filter((b) => hostOf(b.address) === hostOf(label)).find((_, i, all) => all.length === 1 && i === 0);
  if (direct) return direct.id;
  const tail = /(\d+)$/.exec(label)?.[1], numbered = info.find((b) => b.id === tail);
  if (numbered && new Set(labels).size === info.length) return numbered.id;
  return info.length === 1 && new Set(labels).size === 1 ? info[0]!.id : undefined;
}
export function brokers(a: Answers): Broker[] {
  const info = seriesOf(a.now.info).map((s) => ({ id: s.metric.id ?? '', address: s.metric.address ?? '' })), out = new Map<string, Broker>(info.map((b) => [b.id, { id: b.id, name: b.address ? (info.filter((x) => hostOf(x.address) === hostOf(b.address)).length > 1 ? b.address : hostOf(b.address)) : b.id, controller: false, dirs: [], present: true }]));
  const labels = seriesOf(a.now.produce).concat(seriesOf(a.now.bytesIn)).map((s) => s.metric.broker ?? ''), find = (label: string): Broker => {
    const id = brokerKeys(label, info, labels) ?? label, b = out.get(id) ?? { id, name: label, controller: false, dirs: [], present: info.length === 0 };
    out.set(id, b);
    return b;
  };
  const put = (k: NowKey, set: (b: Broker, v: number) => void): void => { for (const s of seriesOf(a.now[k])) { const v = valueOf(s); if (v !== undefined && s.metric.broker !== undefined) set(find(s.metric.broker), v); } };
  put('bytesIn', (b, v) => { b.bytesIn = v; }); put('bytesOut', (b, v) => { b.bytesOut = v; }); put('requests', (b, v) => { b.requests = v; }); put('produce', (b, v) => { b.produce = v; }); put('fetch', (b, v) => { b.fetch = v; });
  put('brokerUrp', (b, v) => { b.urp = v; }); put('leadersById', (b, v) => { b.leaders = v; }); put('leaders', (b, v) => { b.leaders = v; }); put('controller', (b) => { b.controller = true; });
  for (const s of seriesOf(a.now.disks)) { const v = valueOf(s); if (v !== undefined) find(s.metric.broker ?? '').dirs.push({ name: shortDir(s.metric.log_dir ?? ''), share: v }); }
  const list = [...out.values()];
  for (const b of list) b.dirs.sort((x, y) => x.name.localeCompare(y.name, undefined, { numeric: true }));
  const worst = (b: Broker): number => (b.dirs.some((d) => d.share > 0.8) ? 1 : 0) + (b.urp ? 1 : 0) + (b.present ? 0 : 2);
  return list.sort((x, y) => worst(y) - worst(x) || x.id.localeCompare(y.id, undefined, { numeric: true }));
}

export interface Facts { brokersUp?: number; brokersKnown?: number; controller?: string; offline?: number; urp?: number; partitions?: number; groups: Group[]; brokers: Broker[]; worstDisk?: { broker: string; dir: string; share: number }; written?: number; produce?: number }
export function facts(a: Answers): Facts {
  const list = brokers(a), up = single(a.now.brokers), seen = history(a, 'brokers').flatMap((h) => h.values).filter((v): v is number => v !== null), dirs = list.flatMap((b) => b.dirs.map((d) => ({ broker: b.name, dir: d.name, share: d.share })));
  const p99 = list.map((b) => b.produce).filter((v): v is number => v !== undefined), written = [...by(a.now.written, 'topic').values()];
  return { brokersUp: up, brokersKnown: up === undefined ? undefined : Math.max(up, ...seen), controller: list.find((b) => b.controller)?.name, offline: single(a.now.offline), urp: single(a.now.urp), partitions: single(a.now.partitions), groups: groups(a), brokers: list,
    worstDisk: dirs.reduce<Facts['worstDisk']>((m, d) => (!m || d.share > m.share ? d : m), undefined), written: written.length ? written.reduce((x, y) => x + y, 0) : undefined, produce: p99.length ? Math.max(...p99) : undefined };
}
