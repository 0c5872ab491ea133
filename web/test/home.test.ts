// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { apart, together, brokerKeys, facts, groups, NOW, HISTORY, type Answers } from '../src/data/home.ts';
import { groupAlerts, silenceOf } from '../src/data/alerts.ts';
import { verdict, type Situation } from '../src/data/verdict.ts';
import type { Alert, AmAlert, ScrapeTarget } from '../src/api/types.ts';
import type { PromResult } from '../src/data/frames.ts';
import { setLang, t } from '../src/i18n/index.ts';
import { en } from '../src/i18n/en.ts';
import { fr } from '../src/i18n/fr.ts';
import { duration, percent, sig, whole } from '../src/i18n/format.ts';

const vector = (...rows: [Record<string, string>, number][]): PromResult => ({ resultType: 'vector', result: rows.map(([metric, v]) => ({ metric, value: [0, String(v)] as [number, string] })) });
const answers = (now: Answers['now'], history: Answers['history'] = {}): Answers => ({ now, history, start: 0, end: 60, step: 30 });
const g = { consumergroup: 'shipping', topic: 'orders' }, h = { consumergroup: 'emails', topic: 'mail' }, NOW_MS = Date.UTC(2026, 10, 24, 3, 26, 30);
const busy = answers({ brokers: vector([{}, 3]), info: vector([{ id: '1', address: 'kafka-1:9092' }, 1], [{ id: '2', address: 'kafka-2:9092' }, 1], [{ id: '3', address: 'kafka-3:9092' }, 1]), lag: vector([g, 311904], [h, 63]), age: vector([g, 866], [h, 2.1]), read: vector([g, 360], [h, 30]), written: vector([{ topic: 'orders' }, 720], [{ topic: 'mail' }, 30]),
  members: vector([{ consumergroup: 'shipping' }, 1], [{ consumergroup: 'emails' }, 3]), parts: vector([g, 6], [h, 3]), offline: vector([{}, 0]), urp: vector([{}, 0]), partitions: vector([{}, 214]), produce: vector([{ broker: 'kafka-1' }, 11.9]), disks: vector([{ broker: '3', log_dir: '/var/lib/kafka/data-2' }, 0.814]) }, { brokers: { resultType: 'matrix', result: [{ metric: {}, values: [[0, '3'], [30, '3'], [60, '3']] }] } });
const alert = (alertname: string, severity: string, state: Alert['state'], more: Record<string, string> = {}, ago = 500): Alert => ({ labels: { alertname, severity, ...more }, annotations: { action: 'Vérifier' }, state, activeAt: new Date(NOW_MS - ago * 1000).toISOString(), value: '0.81' });
const target = (job: string, health: ScrapeTarget['health']): ScrapeTarget => ({ labels: { job, instance: 'h:1' }, scrapePool: job, scrapeUrl: 'http://h:1/metrics', health, lastError: health === 'down' ? 'connection refused' : '', lastScrape: '', lastScrapeDuration: 0 });
const situation = (a: Answers, alerts: Alert[] = [], targets = [target('kafka-exporter', 'up')], more: Partial<Situation> = {}): Situation => ({ now: NOW_MS, x: en, facts: facts(a), alerts: groupAlerts(alerts, undefined, [], [], false), targets, promError: '', promOkAt: NOW_MS, ready: true, dash: '/d', ...more });

test('facts: groups by age, trend and time to zero; brokers joined by id and host', () => {
  const f = facts(busy);
  assert.deepEqual(f.groups.map((x) => [x.name, x.trend, x.ageMs, x.lag]), [['shipping', 'rising', 866000, 311904], ['emails', 'steady', 2100, 63]]);
  assert.deepEqual([f.brokersUp, f.brokersKnown, f.offline, f.worstDisk], [3, 3, 0, { broker: 'kafka-3', dir: 'data-2', share: 0.814 }]);
  assert.equal(f.brokers.find((b) => b.id === '1')!.produce, 11.9);
  const [stopped] = groups(answers({ lag: vector([g, 10]), read: vector([g, 0]), written: vector([{ topic: 'orders' }, 5]) })), [falling] = groups(answers({ lag: vector([g, 100]), read: vector([g, 15]), written: vector([{ topic: 'orders' }, 5]) }));
  assert.deepEqual([stopped!.trend, falling!.trend, falling!.toZeroMs], ['stopped', 'falling', 10000]);
});

test('which broker a label of JMX names', () => {
  const info = [{ id: '1', address: 'kafka-1:9092' }, { id: '2', address: 'kafka-2:9092' }];
  assert.deepEqual(['1', 'kafka-2:9092', 'kafka-2:9999', 'nobody'].map((l) => brokerKeys(l, info, ['a', 'b'])), ['1', '2', '2', undefined]);
  assert.equal(brokerKeys('localhost:9999', [{ id: '7', address: 'x:1' }], ['localhost:9999', 'localhost:9999']), '7', 'one and one');
  assert.equal(brokerKeys('broker-2', [{ id: '1', address: 'h:1' }, { id: '2', address: 'h:2' }], ['broker-1', 'broker-2']), '2');
  assert.equal(brokerKeys('h:9999', [{ id: '1', address: 'h:1' }, { id: '2', address: 'h:2' }], ['h:9999']), undefined, 'never guessed');
});

const calmly = answers({ ...busy.now, lag: vector([h, 63]), age: vector([h, 2.1]) });

test('verdict: the worst that the data proves', () => {
  const lag = alert('KafkaConsumerLagCritical', 'critical', 'firing', { consumergroup: 'shipping' }), rows: [string, Situation, string, RegExp][] = [
    ['Prometheus silent', situation(answers({}), [], [], { promError: 'network' }), 'critical', /^Prometheus does not answer/], ['exporter down', situation(busy, [], [target('kafka-exporter', 'down')]), 'critical', /^Kafka does not answer: kafka-exporter is down/],
    ['nothing yet', situation(answers({})), 'none', /^No Kafka data yet/], ['offline', situation(answers({ ...busy.now, offline: vector([{}, 2]) })), 'critical', /^2.partitions are offline/],
    ['broker missing', situation(answers({ ...busy.now, brokers: vector([{}, 2]) }, busy.history)), 'critical', /^1 of 3.brokers does not answer/], ['lag grows', situation(busy, [lag]), 'critical', /^Group shipping is 311.904 messages behind on orders and falls behind by 360 msg\/s/],
    ['lag stopped', situation(answers({ ...busy.now, read: vector([g, 0], [h, 30]) }), [lag]), 'critical', /^Group shipping has stopped reading orders: 311.904 messages wait/], ['jmx down', situation(calmly, [], [target('kafka-exporter', 'up'), target('kafka-jmx', 'down')]), 'warning', /own metrics are missing: kafka-jmx is down/],
    ['urp', situation(answers({ ...busy.now, urp: vector([{}, 1]) })), 'warning', /^1.partition has too few replicas/], ['disk', situation(calmly, [alert('KafkaDiskUsageHigh', 'warning', 'firing', { broker: '3' })]), 'warning', /^A disk of broker 3 is 81.0.% full/],
    ['pending', situation(busy, [alert('KafkaConsumerLagHigh', 'warning', 'pending', { consumergroup: 'shipping' }, 60)]), 'warning', /^Group shipping/], ['lag that no rule says', situation(busy), 'warning', /^Group shipping is/], ['Alertmanager silent', situation(busy, [], undefined, { amError: 'x' }), 'warning', /^Alertmanager does not answer/], ['calm', situation(calmly), 'ok', /^Nothing is wrong: every group reads within 2.1.s of now/]];
  for (const [name, s, tone, line] of rows) { const v = verdict(s); assert.equal(v.tone, tone, name); assert.match(v.line, line, name); }
  const v = verdict(situation(busy, [lag]));
  assert.deepEqual([v.since, v.todo[0]], [NOW_MS - 500000, { text: 'Vérifier', verbatim: true }]);
  assert.deepEqual(v.ruled.slice(0, 3), ['brokers 3/3', 'no offline partition', 'replicas in sync']);
  assert.deepEqual(v.evidence.map((e) => e.label), ['Members', 'In / out', 'Lag', 'Alert']);
});

test('alerts: one entry a rule and fate, worst first; Watchdog is not an alert', () => {
  const am = (labels: Record<string, string>, silencedBy: string[], inhibitedBy: string[]): AmAlert => ({ labels, annotations: {}, startsAt: '', endsAt: '', updatedAt: '', fingerprint: '', receivers: [{ name: 'ops' }], status: { state: 'active', silencedBy, inhibitedBy } });
  const list = [alert('Watchdog', 'none', 'firing'), alert('A', 'warning', 'firing'), alert('B', 'critical', 'firing', { p: '1' }), alert('B', 'critical', 'firing', { p: '2' }, 900), alert('C', 'critical', 'pending'), alert('D', 'critical', 'firing')];
  const out = groupAlerts(list, [am({ ...list[1]!.labels, prometheus: 'x' }, [], []), am(list[5]!.labels, [], ['f'])], [], [], false);
  assert.deepEqual(out.map((x) => [x.name, x.fate, x.alerts.length]), [['B', 'firing', 2], ['A', 'firing', 1], ['C', 'pending', 1], ['D', 'inhibited', 1]]);
  assert.equal(out[0]!.since, NOW_MS - 900000);
});

test('our numbers, in both languages', async () => {
  await setLang('en');
  assert.deepEqual([whole(311904), sig(0.123456), sig(12.34), sig(1.5), sig(1234.5), percent(81.4), duration(866000), duration(6000), duration(31260000), duration(90 * 864e5)], ['311\u202f904', '0.123', '12.3', '1.5', '1\u202f235', '81.4\u00a0%', '14\u00a0min\u00a026\u00a0s', '6.0\u00a0s', '8\u00a0h\u00a041\u00a0min', '90\u00a0d']);
  await setLang('fr');
  assert.deepEqual([sig(12.34), percent(81.4), duration(3 * 864e5), t().overview], ['12,3', '81,4\u00a0%', '3\u00a0j', 'Vue d’ensemble']);
  await setLang('en');
});

test('French says all that English says, without a plain space before ; ! ? or a colon', () => {
  const say = (v: unknown, k = ''): string => k === 'lastN' ? fr.lastN('2 heures') : (typeof v === 'function' ? String((v as (...a: unknown[]) => string)(2, 2, 2, 2, 2)) : JSON.stringify(v));
  assert.deepEqual(Object.keys(fr).sort(), Object.keys(en).sort());
  for (const [k, v] of Object.entries(fr)) { const text = say(v, k).replace(/Retard|"/g, ''); assert.doesNotMatch(text, / [;!?»]|« /, k); assert.doesNotMatch(say(v, k), /\w :(?! )/, k); }
});

test('questions travel together and come apart again', () => {
  assert.equal(together({ a: 'up', b: 'sum(x)' }), 'label_replace(up, "vigie_question", "a", "", "") or label_replace(sum(x), "vigie_question", "b", "", "")');
  assert.deepEqual(apart(vector([{ job: 'x', vigie_question: 'a' }, 1], [{ vigie_question: 'b' }, 2])), { a: vector([{ job: 'x' }, 1]), b: vector([{}, 2]) });
});

test('every question is asked once', () => { assert.equal(new Set(Object.values(NOW)).size, Object.values(NOW).length); assert.ok(Object.values(HISTORY).every((q) => q.length > 3)); });

test('a silence names what all alerts of the entry share, and no more', () => {
  const [entry] = groupAlerts([alert('Lag', 'warning', 'firing', { topic: 'a', component: 'kafka' }), alert('Lag', 'warning', 'firing', { topic: 'b', component: 'kafka' })], undefined, [], [], false);
  const s = silenceOf(entry!, NOW_MS, 7200_000, 'admin', 'rolling restart');
  assert.deepEqual(s.matchers.map((m) => `${m.name}=${m.value}`), ['alertname=Lag', 'component=kafka', 'severity=warning']);
  assert.deepEqual([s.startsAt, s.endsAt, s.createdBy, s.comment], ['2026-11-24T03:26:30.000Z', '2026-11-24T05:26:30.000Z', 'admin', 'rolling restart']);
});
