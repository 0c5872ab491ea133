// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { errorPlace, explain, nearest } from '../src/data/explain.ts';
import { metricNames, selectors } from '../src/data/selectors.ts';
import { resolveSource } from '../src/data/datasource.ts';
import { parseLenient } from '../src/data/lenient.ts';

test('selectors of an expression', () => {
  assert.deepEqual(metricNames('sum by (request) (rate(kafka_requests_total{request=~"Produce|Fetch", broker!=\'x\'}[5m])) / on (a) group_left (b) up > bool 0'), ['kafka_requests_total', 'up']);
  assert.deepEqual(selectors('{__name__="m", a="1"}'), [{ metric: 'm', matchers: [{ label: 'a', op: '=', value: '"1"' }] }]);
  assert.deepEqual(metricNames('label_replace(m, "a", "$1", "b", "not_a_metric") or vector(0) and on () n offset 5m # o'), ['m', 'n']);
  assert.deepEqual(metricNames('histogram_quantile(0.99, sum(rate(h_bucket[5m])) by (le))'), ['h_bucket']);
});

test('why there is no data', async () => {
  const have: Record<string, number> = { 'm{}': 3, m: 3, 'm{a="1"}': 3, 'm{b="2"}': 0, 'old{}': 0, old: 0, underreplicatedpartitions: 3 }, ask = { count: async (s: string) => have[s] ?? 0, everCount: async (s: string) => (s === 'old' ? 2 : 0), names: async () => ['underreplicatedpartitions', 'offlinepartitionscount'] };
  assert.deepEqual(await explain('sum(underreplicatedpartition)', ask), { kind: 'unknown-metric', metric: 'underreplicatedpartition', nearest: 'underreplicatedpartitions', count: 3 });
  assert.deepEqual(await explain('m{a="1",b="2"}', ask), { kind: 'matcher', metric: 'm', matcher: 'b="2"', count: 3 });
  assert.deepEqual(await explain('old', ask), { kind: 'not-in-range', metric: 'old' });
  assert.deepEqual(await explain('m > 100', ask), { kind: 'empty', metric: 'm' });
  assert.equal(nearest('completely_else', ['up']), undefined);
});

test('place of an error', () => {
  assert.deepEqual(errorPlace('invalid parameter "query": 3:29: parse error: unexpected "["'), { line: 3, column: 29, message: 'unexpected "["' });
  assert.equal(errorPlace('query timed out'), undefined);
});

test('data sources: literal uid, name, input, unknown Prometheus, unknown kind', () => {
  const list = [{ uid: 'prometheus', name: 'Prometheus', type: 'prometheus', isDefault: true }, { uid: 'am', name: 'AM', type: 'alertmanager', isDefault: false }], of = (target: unknown, panel: unknown, inputs: unknown[] = []): unknown => { const r = resolveSource(target as never, panel as never, list, {}, inputs as never); return 'missing' in r ? `missing ${r.missing}` : `${r.ds.uid}${r.substituted ? ' substituted' : ''}`; };
  const rows: [unknown, unknown, string][] = [[{ type: 'prometheus', uid: 'prometheus' }, null, 'prometheus'], ['Prometheus', null, 'prometheus'], [null, null, 'prometheus'], [null, { type: 'prometheus', uid: 'PBFA97CFB590B2093' }, 'prometheus substituted'], [{ uid: '${DS_PROMETHEUS}' }, null, 'prometheus substituted'], [{ type: 'loki', uid: 'x' }, null, 'missing loki'],
    [{ type: 'prometheus', uid: 'prometheus' }, { uid: '-- Mixed --' }, 'prometheus'], ['AM', null, 'am']];
  for (const [t, p, want] of rows) assert.equal(of(t, p), want, JSON.stringify([t, p]));
  assert.equal(of({ uid: '${DS_X}' }, null, [{ name: 'DS_X', value: 'am' }]), 'am');
});

test('one JSON value, whatever stands around it; else the place of the mistake', () => {
  assert.deepEqual(parseLenient('\ufeff{"a":1} garbage'), { value: { a: 1 }, trailing: true });
  const bad = parseLenient('{\n "a": 1,\n "b" 2\n}');
  assert.ok('error' in bad && bad.line === 3, JSON.stringify(bad));
});
