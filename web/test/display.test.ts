// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { displayOf, mapValue, thresholdColor } from '../src/data/display.ts';
import { namedColor, readable, seriesSlots, scaleColor } from '../src/data/colors.ts';
import { reduce, reducerName } from '../src/data/reduce.ts';
import { showFrames } from '../src/data/fields.ts';
import { framesOf } from '../src/data/frames.ts';
import type { FieldConfigSource, Frame, Thresholds, Value } from '../src/data/model.ts';

test('reducers', () => {
  const v: Value[] = [1, null, 4, 2, NaN], rows: [string, Value[], Value][] = [['lastNotNull', v, 2], ['last', v, NaN], ['first', v, 1], ['min', v, 1], ['max', v, 4], ['mean', v, 7 / 3], ['sum', v, 7], ['count', v, 4], ['range', v, 3], ['diff', v, 1], ['diffperc', [2, 3], 50], ['delta', [1, 5, 2, 4, 6], 6], ['p50', [1, 2, 3], 2],
    ['current', v, 2], ['avg', [1, 3], 2], ['sum', [], 0], ['count', [], 0], ['max', [], null], ['mean', [null], null], ['allIsZero', [0, 0], true], ['median', [3, 1, 2], 2], ['stdDev', [1, 3], 1], ['step', [1, 4, 6], 2], ['logmin', [0, 3, 2], 2], ['nonsense', [1, 2], 2]];
  for (const [calc, values, want] of rows) assert.deepEqual(reduce(calc, values), want, calc);
  assert.deepEqual([reducerName('lastNotNull'), reducerName('avg'), reducerName('x')], ['Last *', 'Mean', 'x']);
});

test('thresholds', () => {
  const t: Thresholds = { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 1000, color: 'yellow' }, { value: 10000, color: 'red' }] };
  assert.deepEqual([-5, 999, 1000, 9999, 10000].map((v) => thresholdColor(t, v, 0)), ['green', 'green', 'yellow', 'yellow', 'red']);
  assert.equal(thresholdColor({ ...t, mode: 'percentage', steps: [{ value: null, color: 'a' }, { value: 80, color: 'b' }] }, 5, 0.85), 'b');
  // the user's own mistake: two steps that both start at nothing; the last one wins, as in Grafana
  assert.equal(thresholdColor({ mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 0, color: 'red' }] }, 1, 0), 'red');
});

test('mappings', () => {
  const m = [{ type: 'value', options: { '1': { text: 'UP', color: 'green' }, '0': { text: 'DOWN' } } }, { type: 'range', options: { from: 10, to: null, result: { text: 'many' } } }, { type: 'special', options: { match: 'null+nan', result: { text: 'N/A' } } }, { type: 'regex', options: { pattern: '/kafka-(\\d)/', result: { text: 'broker $1' } } }];
  const rows: [Value, string | undefined][] = [[1, 'UP'], [0, 'DOWN'], [5, undefined], [1e9, 'many'], [null, 'N/A'], [NaN, 'N/A'], ['kafka-2', 'broker 2']];
  for (const [v, text] of rows) assert.equal(mapValue(m, v)?.text, text, String(v));
  const show = displayOf({ unit: 'ms', mappings: m, noValue: '-' }, { dark: true, range: { min: 0, max: 1 } });
  assert.equal(show(1).color, '#73BF69');
  assert.equal(show(5).text, '5 ms');
  assert.equal(displayOf({ noValue: '-' }, { dark: true, range: { min: 0, max: 1 } })(null).text, '-');
});

test('colours', () => {
  assert.equal(namedColor('semi-dark-red', true), '#E02F44');
  assert.equal(namedColor('red', false), '#E02F44');
  assert.equal(namedColor('#abc', true), '#abc');
  assert.equal(scaleColor('continuous-GrYlRd', 0, true), 'rgb(115,191,105)');
  assert.deepEqual([readable('#FFFFFF', false), readable('#FFFFFF', true), readable('rgba(0,0,0,1)', true)], ['#1D232B', '#FFFFFF', '#D5DAE1']);
  const a = seriesSlots(['kafka-1', 'kafka-2', 'kafka-3'], true);
  assert.equal(new Set(a.map((s) => s.color)).size, 3);
  assert.deepEqual(seriesSlots(['kafka-2'], true)[0], a[1], 'a name keeps its colour when others come and go');
  assert.equal(seriesSlots(Array.from({ length: 9 }, (_, i) => `s${i}`), true)[8]!.dash, 1);
});

test('overrides: by name, by regexp, by query, by value; titles made unique', () => {
  const frame = (refId: string, name: string, v: number): Frame => framesOf({ resultType: 'matrix', result: [{ metric: { n: name }, values: [[1, String(v)], [2, String(v)]] }] }, { refId, expr: 'x', legend: '{{n}}', table: false, step: 1000 })[0]!;
  const source: FieldConfigSource = { defaults: { unit: 'short', decimals: 1 }, overrides: [{ matcher: { id: 'byName', options: 'a' }, properties: [{ id: 'unit', value: 'ms' }, { id: 'custom.lineWidth', value: 3 }] }, { matcher: { id: 'byRegexp', options: '/^b/' }, properties: [{ id: 'displayName', value: 'B of ${__field.labels.n}' }] },
    { matcher: { id: 'byFrameRefID', options: 'C' }, properties: [{ id: 'decimals', value: null }] }, { matcher: { id: 'byValue', options: { reducer: 'max', op: 'gt', value: 100 } }, properties: [{ id: 'min', value: 5 }] }, { matcher: { id: 'nobodyKnows' }, properties: [{ id: 'unit', value: 's' }] }] };
  const shown = showFrames([frame('A', 'a', 1), frame('B', 'bb', 2), frame('C', 'c', 200), frame('C', 'c', 3)], source, { dark: true, interpolate: (t) => t, palette: true }).map((f) => f.fields[1]!);
  assert.equal(shown[0]!.display(1).text, '1.0 ms');
  assert.equal(shown[0]!.config.custom!.lineWidth, 3);
  assert.equal(shown[1]!.title, 'B of bb');
  assert.equal(shown[2]!.config.decimals, undefined);
  assert.equal(shown[2]!.config.min, 5);
  assert.deepEqual(shown.slice(2).map((f) => f.title), ['c 1', 'c 2']);
});
