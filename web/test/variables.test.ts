// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { interpolate, references, type Scope } from '../src/data/interpolate.ts';
import { ALL, chooseValue, customOptions, makeScope, metricText, parseVarQuery, promText, toggleValue, updateOrder, varOptions } from '../src/data/variables.ts';
import { loadDashboard } from '../src/data/migrate.ts';
import type { Json, Variable } from '../src/data/model.ts';

const range = { from: 0, to: 36e5, raw: { from: 'now-1h', to: 'now' } };
const vars = async (...list: Json[]): Promise<Variable[]> => (await loadDashboard({ panels: [], templating: { list } })).variables;

test('forms of a reference; what nobody knows stays', () => {
  const scope: Scope = { a: { values: ['x', 'y'], texts: ['X', 'Y'], multi: true }, b: { values: ['1.5'], texts: ['1.5'], multi: false } };
  const rows: [string, string][] = [['$b [[b]] ${b}', '1.5 1.5 1.5'], ['${a}', '{x,y}'], ['${a:pipe}', 'x|y'], ['${a:csv}', 'x,y'], ['${a:regex}', '(x|y)'], ['${b:regex}', '1\\.5'], ['${a:json}', '["x","y"]'], ['${a:text}', 'X + Y'], ['${a:queryparam}', 'var-a=x&var-a=y'], ['${a:join:;}', 'x;y'],
    ['${a:doublequote}', '"x","y"'], ['[[a:csv]]', 'x,y'], ['$unknown ${unknown:csv}', '$unknown ${unknown:csv}'], ['$b0', '$b0']];
  for (const [text, want] of rows) assert.equal(interpolate(text, scope), want, text);
  assert.deepEqual(references('rate($m{a="${b:regex}", c=~"[[d]]"}[$__rate_interval])'), ['m', 'b', 'd', '__rate_interval']);
});

test('in PromQL: plain values are escaped lightly, multi values as regexes, All by its own text', async () => {
  const [one, many, all, free] = await vars({ name: 'one', type: 'custom', query: "it's", current: { value: "it's" } }, { name: 'many', type: 'custom', multi: true, query: 'a.b,c', current: { value: ['a.b', 'c'] } }, { name: 'all', type: 'custom', includeAll: true, allValue: '.*', query: 'a,b', current: { value: ALL } }, { name: 'free', type: 'custom', includeAll: true, query: 'a,b', current: { value: ALL } });
  const scope = makeScope([one!, many!, all!, free!], range);
  assert.equal(promText('$one', scope), "it\\'s");
  assert.equal(promText('{x=~"$many"}', scope), '{x=~"(a\\\\.b|c)"}');
  assert.equal(promText('$all', scope), '.*');
  assert.equal(promText('$free', scope), '(a|b)');
  assert.equal(promText('$__range $__from', scope), '3600s 0');
});

test('queries', () => {
  const rows: [string, object][] = [['label_values(up, job)', { kind: 'values', label: 'job', selector: 'up' }], ['label_values(instance)', { kind: 'values', label: 'instance', selector: undefined }], ['label_values(m{a=~"b,c"}, topic)', { kind: 'values', label: 'topic', selector: 'm{a=~"b,c"}' }], ['label_names()', { kind: 'names', match: undefined }],
    ['metrics(kafka_.*)', { kind: 'metrics', regex: 'kafka_.*' }], ['query_result(topk(3, up))', { kind: 'result', expr: 'topk(3, up)' }], ['up{job="a"}', { kind: 'series', selector: 'up{job="a"}' }]];
  for (const [text, want] of rows) assert.deepEqual(parseVarQuery(text), want, text);
});

test('options: regex with groups, named groups, order', () => {
  const s = ['m{ns="a",p="2"} 1', 'm{ns="b",p="10"} 1', 'm{ns="a",p="1"} 1'];
  assert.deepEqual(varOptions(s, '/.*ns="([^"]*).*/', 1).map((o) => o.value), ['a', 'b']);
  assert.deepEqual(varOptions(s, '/ns="(?<text>[^"]*)",p="(?<value>[^"]*)/', 3), [{ text: 'a', value: '2' }, { text: 'b', value: '10' }, { text: 'a', value: '1' }]);
  assert.deepEqual(varOptions(['x10', 'x9', 'x1'], '', 3).map((o) => o.value), ['x1', 'x9', 'x10']);
  assert.deepEqual(varOptions(['b', 'A'], '', 6).map((o) => o.value), ['b', 'A']);
  assert.deepEqual(varOptions(['keep', 'drop'], 'k.*', 0).map((o) => o.value), ['keep']);
  assert.deepEqual(customOptions('a, One : 1,b\\,c'), [{ text: 'a', value: 'a' }, { text: 'One', value: '1' }, { text: 'b,c', value: 'b,c' }]);
  assert.equal(metricText({ __name__: 'm', a: '1' }), 'm{a="1"}');
});

test('choice: what is left of it, else All, else the first', async () => {
  const [multi, single] = await vars({ name: 'm', type: 'query', multi: true, includeAll: true }, { name: 's', type: 'query' }), o = ['a', 'b'].map((x) => ({ text: x, value: x }));
  assert.deepEqual(chooseValue(multi!, o, ['b', 'gone']), ['b']);
  assert.deepEqual(chooseValue(multi!, o, []), [ALL]);
  assert.deepEqual(chooseValue(multi!, [], ['x']), [ALL]);
  assert.equal(chooseValue(single!, o, 'gone'), 'a');
  assert.equal(chooseValue(single!, [], 'x'), '');
  assert.deepEqual(toggleValue([ALL], 'a'), ['a']);
  assert.deepEqual(toggleValue(['a'], 'a'), [ALL]);
  assert.deepEqual(toggleValue(['a'], ALL), [ALL]);
});

test('variables follow those they need, whatever the order they are written in', async () => {
  const list = await vars({ name: 'c', type: 'query', query: 'label_values(up{a="$b"}, c)' }, { name: 'b', type: 'query', query: { query: 'label_values(up{x="$a"}, b)' } }, { name: 'a', type: 'custom', query: '1' });
  assert.deepEqual(updateOrder(list).map((v) => v.name), ['a', 'b', 'c']);
});
