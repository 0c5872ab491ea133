// SPDX-License-Identifier: Apache-2.0
// The answers that the page relies on, as files: the server's tests read the same ones.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { golden } from './data.ts';
import type { Alert, AmAlert, DashboardAnswer, ImportAnswer, PromAnswer, QueryAnswer, RuleGroup, ScrapeTarget, SearchHit, Settings, Silence, SourceInfo, User } from '../src/api/types.ts';
import { framesOf } from '../src/data/frames.ts';
import { errorPlace } from '../src/data/explain.ts';
import { groupAlerts } from '../src/data/alerts.ts';
import { metricText } from '../src/data/variables.ts';
import type { Labels } from '../src/data/model.ts';

test('session', () => {
  const s = golden<Settings>('frontend-settings.json'), u = golden<User>('user.json'), h = golden<{ database: string }>('health.json');
  assert.deepEqual([typeof s.buildInfo.version, typeof s.vigie?.defaultPassword, typeof s.vigie?.mustChangePassword, u.login, h.database], ['string', 'boolean', 'boolean', 'admin', 'ok']);
  assert.equal(golden<{ message: string }>('login.json').message, 'Logged in');
  assert.equal(golden<{ message: string }>('login-refused.json').message, 'Invalid username or password');
});

test('dashboards and data sources', () => {
  const hit = golden<SearchHit[]>('search.json')[0]!, d = golden<DashboardAnswer>('dashboard-by-uid.json'), i = golden<ImportAnswer>('dashboard-import.json'), list = golden<SourceInfo[]>('datasources.json');
  assert.match(hit.url, /^\/d\/kafka-monitoring-dreamscape\//);
  assert.deepEqual([d.dashboard.uid, typeof d.meta.provisioned, i.importedUrl], ['small', 'boolean', '/d/small/small']);
  assert.deepEqual(list.map((s) => [s.uid, s.type, s.isDefault]), [['prometheus', 'prometheus', true], ['alertmanager', 'alertmanager', false]]);
});

test('Prometheus', () => {
  const v = golden<QueryAnswer>('prometheus-query.json'), m = golden<QueryAnswer>('prometheus-query-range.json'), q = { refId: 'A', expr: 'x', table: false, step: 60000 };
  assert.equal(framesOf(v.data, { ...q, table: true })[0]!.length, 2);
  assert.deepEqual(framesOf(m.data, { ...q, legend: '{{broker}}' }).map((f) => f.fields[1]!.dsName), ['kafka-1', 'kafka-2', 'kafka-3']);
  assert.deepEqual(errorPlace(golden<QueryAnswer>('prometheus-query-error.json').error!)?.column, 20);
  assert.ok(golden<PromAnswer<string[]>>('prometheus-label-values.json').data.includes('shipping'));
  assert.match(metricText(golden<PromAnswer<Labels[]>>('prometheus-series.json').data[0]!), /^kafka_brokers\{/);
  assert.ok(golden<PromAnswer<{ activeTargets: ScrapeTarget[] }>>('prometheus-targets.json').data.activeTargets.every((x) => x.health === 'up' && x.labels.job));
});

test('alerts, rules and what Alertmanager does about them', () => {
  const alerts = golden<PromAnswer<{ alerts: Alert[] }>>('prometheus-alerts.json').data.alerts, rules = golden<PromAnswer<{ groups: RuleGroup[] }>>('prometheus-rules.json').data.groups;
  const g = groupAlerts(alerts, golden<AmAlert[]>('alertmanager-alerts.json'), golden<Silence[]>('alertmanager-silences.json'), rules, false);
  assert.deepEqual(g.map((x) => [x.name, x.fate, x.alerts.length, x.forMs / 1000]), [['KafkaConsumerLagCritical', 'firing', 3, 300], ['KafkaHighRequestRate', 'pending', 1, 600], ['KafkaConsumerLagHigh', 'inhibited', 3, 300], ['KafkaDiskUsageHigh', 'silenced', 1, 300]]);
  assert.equal(g[3]!.silence!.createdBy, 'ops');
});
