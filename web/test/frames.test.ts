// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { alignFrames, autoNames, framesOf, labelText, seriesName, type PromResult } from '../src/data/frames.ts';

const matrix = (...series: [Record<string, string>, [number, string][]][]): PromResult => ({ resultType: 'matrix', result: series.map(([metric, values]) => ({ metric, values })) });
const q = { refId: 'A', expr: 'up', table: false, step: 15000 };

test('a matrix becomes one frame a series, with special numbers', () => {
  const [f] = framesOf(matrix([{ __name__: 'up', job: 'a' }, [[1, '1'], [16, '+Inf'], [31, 'NaN']]]), q);
  assert.deepEqual(f!.fields[0]!.values, [1000, 16000, 31000]);
  assert.deepEqual(f!.fields[1]!.values, [1, Infinity, NaN]);
  assert.equal(f!.fields[1]!.dsName, 'up{job="a"}');
});

test('a vector in table form: Time, sorted labels, Value; absent labels are empty', () => {
  const r: PromResult = { resultType: 'vector', result: [{ metric: { topic: 't', group: 'g' }, value: [2, '5'] }, { metric: { topic: 'u' }, value: [2, '6'] }] };
  const [f] = framesOf(r, { ...q, table: true });
  assert.deepEqual(f!.fields.map((x) => x.name), ['Time', 'group', 'topic', 'Value']);
  assert.deepEqual(f!.fields[1]!.values, ['g', '']);
  assert.equal(framesOf({ resultType: 'vector', result: [] }, { ...q, table: true })[0]!.length, 0);
});

test('names', () => {
  const rows: [Record<string, string>, string | undefined, string][] = [
    [{ __name__: 'm', b: '2', a: 'x"y' }, undefined, 'm{a="x\\"y", b="2"}'], [{}, '', 'up'], [{ a: '1' }, '{{a}} of {{ nothing }}', '1 of '], [{ __name__: 'm' }, undefined, 'm'], [{ a: '1' }, 'fixed', 'fixed']];
  for (const [labels, legend, name] of rows) assert.equal(seriesName(labels, legend, 'up'), name);
  assert.equal(labelText({ __name__: 'm' }), '');
});

test('__auto: the one label that tells them apart, else what is not common', () => {
  const name = (...labels: Record<string, string>[]): (string | undefined)[] => { const f = labels.flatMap((l) => framesOf(matrix([l, [[1, '1']]]), { ...q, legend: '__auto' })); autoNames(f); return f.map((x) => x.fields[1]!.dsName); };
  assert.deepEqual(name({ __name__: 'm', job: 'a' }, { __name__: 'm', job: 'b' }), ['a', 'b']);
  assert.deepEqual(name({ job: 'a', x: '1' }, { job: 'a', x: '2' }), ['{x="1"}', '{x="2"}']);
  assert.deepEqual(name({ __name__: 'm' }), ['m']);
});

test('aligned: shared times, a null where a series has a gap, nothing where it has merely no sample there', () => {
  const a = framesOf(matrix([{ n: 'a' }, [[0, '1'], [15, '2'], [60, '3']]]), q), b = framesOf(matrix([{ n: 'b' }, [[15, '9'], [45, '8']]]), { ...q, step: 0 });
  const { times, columns } = alignFrames([...a, ...b]);
  assert.deepEqual(times, [0, 15000, 30000, 45000, 60000]);
  assert.deepEqual(columns[0], [1, 2, null, undefined, 3]);
  assert.deepEqual(columns[1], [undefined, 9, undefined, 8, undefined]);
});
