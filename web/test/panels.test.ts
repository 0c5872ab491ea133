// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { FieldConfigSource, Frame, Json, ShownFrame } from '../src/data/model.ts';
import { framesOf } from '../src/data/frames.ts';
import { showFrames } from '../src/data/fields.ts';
import { transform } from '../src/data/transform.ts';
import { statModel } from '../src/panels/stat-model.ts';
import { arcPath, gaugeModel } from '../src/panels/gauge-model.ts';
import { seriesModel } from '../src/panels/timeseries-model.ts';
import { csv, tableModel } from '../src/panels/table-model.ts';
import { markdown } from '../src/panels/markdown.ts';
import { yRange, tick } from '../src/panels/TimeSeries.tsx';
import { unitFormatter } from '../src/data/units.ts';
import { sparkPath } from '../src/ui/Spark.tsx';
import { ticks } from '../src/ui/LineChart.tsx';
import { layout } from '../src/data/grid.ts';
import { loadDashboard } from '../src/data/migrate.ts';

const series = (refId: string, name: string, values: number[], step = 15000): Frame => framesOf({ resultType: 'matrix', result: [{ metric: { n: name }, values: values.map((v, i): [number, string] => [i * 15, String(v)]) }] }, { refId, expr: 'x', legend: '{{n}}', table: false, step })[0]!;
const none: FieldConfigSource = { defaults: {}, overrides: [] };
const show = (frames: Frame[], source: FieldConfigSource = none, palette = true): ShownFrame[] => showFrames(frames, source, { dark: true, interpolate: (t) => t, palette });
const names = (f: Frame): string[] => f.fields.map((x) => x.config.displayName ?? x.name);

test('stat: one tile a field and calculation; name only when there are several; the sparkline needs room', () => {
  const one = statModel(show([series('A', 'a', [1, 2])], none, false), { reduceOptions: { calcs: ['lastNotNull'] }, graphMode: 'area' }, { w: 300, h: 120 });
  assert.deepEqual([one.tiles.length, one.showName, one.tiles[0]!.text, one.sparkHeight > 0], [1, false, '2', true]);
  const two = statModel(show([series('A', 'a', [1, 2]), series('B', 'b', [5])], none, false), { reduceOptions: { calcs: ['max'] }, graphMode: 'area' }, { w: 300, h: 50 });
  assert.deepEqual([two.tiles.map((t) => t.title), two.showName, two.columns, two.sparkHeight], [['a', 'b'], true, 2, 0]);
  const filled = statModel(show([series('A', 'a', [5])], { defaults: { thresholds: { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 1, color: 'red' }] } }, overrides: [] }, false), { colorMode: 'background' }, { w: 200, h: 90 }).tiles[0]!;
  assert.deepEqual([filled.background, filled.ink, filled.severity], ['#F2495C', '#0B1016', 'critical']);
});

test('gauge: an arc of 240 degrees, clamped', () => {
  const m = gaugeModel(showFrames([series('A', 'a', [150])], { defaults: { unit: 'percent', max: 100, min: 0, thresholds: { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 80, color: 'red' }] } }, overrides: [] }, { dark: true, interpolate: (t) => t, palette: false, gauge: true }), {}, { w: 200, h: 150 }, true, '#222');
  assert.equal(m.dials[0]!.text, '150%');
  assert.equal(m.dials[0]!.arcs.length, 4, 'track, value, two bands');
  assert.equal(m.dials[0]!.arcs[0]!.path, m.dials[0]!.arcs[1]!.path, 'full');
  assert.match(arcPath(100, 80, 0, 0.5), /^M[\d.]+ [\d.]+A80 80 0 0 1 100\.0 20\.0$/);
});

test('series: styles, axes by unit, stacks, thresholds, legend', () => {
  const source: FieldConfigSource = { defaults: { custom: { stacking: { mode: 'normal', group: 'A' }, fillOpacity: 20, lineInterpolation: 'stepAfter', thresholdsStyle: { mode: 'line+area' } }, thresholds: { mode: 'absolute', steps: [{ value: null, color: 'transparent' }, { value: 3, color: 'red' }] } }, overrides: [{ matcher: { id: 'byName', options: 'c' }, properties: [{ id: 'unit', value: 'ms' }, { id: 'custom.axisPlacement', value: 'right' }, { id: 'custom.stacking', value: { mode: 'none' } }, { id: 'color', value: { mode: 'fixed', fixedColor: 'blue' } }, { id: 'custom.transform', value: 'negative-Y' }] }] };
  const m = seriesModel(show([series('A', 'a', [1, 2]), series('A', 'b', [10, 20]), series('A', 'c', [7, 8])], source), { legend: { displayMode: 'table', calcs: ['max', 'mean'], sortBy: 'Max', sortDesc: true } }, true);
  assert.deepEqual(m.columns, [[1, 2], [11, 22], [-7, -8]]);
  assert.deepEqual(m.axes.map((a) => a.right), [false, true]);
  assert.deepEqual([m.lines[0]!.path, m.lines[0]!.fill, m.lines[2]!.color], ['stepAfter', 0.2, '#5794F2']);
  assert.deepEqual(m.limits.filter((l) => Number.isFinite(l.value)).map((l) => [l.value, l.area, l.line]), [[3, true, true], [3, true, true]], 'one on each scale');
  assert.deepEqual(m.legend.rows.map((r) => [r.title, ...r.values]), [['b', '20', '15'], ['c', '8 ms', '7.50 ms'], ['a', '2', '1.50']]);
  const p = seriesModel(show([series('A', 'a', [1, 0]), series('A', 'b', [3, 0])], { defaults: { custom: { stacking: { mode: 'percent' } } }, overrides: [] }), {}, true);
  assert.deepEqual(p.columns, [[0.25, 0], [1, 0]]);
});

test('y range and ticks', () => {
  const a = {};
  assert.deepEqual(yRange(a, false, null, null), [0, 100]);
  assert.deepEqual(yRange(a, false, 5, 5), [0, 10]);
  assert.deepEqual(yRange({ min: 0, max: 1 }, false, 0.2, 0.4), [0, 1]);
  assert.ok(yRange(a, true, 3, 9)[0] <= 0);
  assert.deepEqual(yRange({ centered: true }, false, -2, 8).map(Math.sign), [-1, 1]);
  const rows: [string, number, number, string][] = [['short', 1500, 500, '1.5 K'], ['bytes', 2 ** 20, 2 ** 19, '1 MiB'], ['percentunit', 0.25, 0.05, '25%'], ['mps', 200, 200, '200 msg/s'], ['none', 0.1, 0.1, '0.1']];
  for (const [unit, v, inc, text] of rows) assert.equal(tick(unitFormatter(unit), v, inc, null), text);
  assert.equal(tick(unitFormatter('ms'), 20, 10, null, 10), '', 'on a log scale only the decades speak');
  assert.deepEqual([ticks(11), ticks(0), ticks(750)].map((t) => [t[0], t[t.length - 1]]), [[0, 12], [0, 1], [0, 800]]);
});

test('sparkline: gaps stay gaps', () => {
  assert.equal(sparkPath([0, null, 1], 0, 1, 22).line, 'M0.00 20.00M100.00 2.00');
});

const table = (rows: [string, number][], refId = 'A', value = 'Value'): Frame => framesOf({ resultType: 'vector', result: rows.map(([t, v]) => ({ metric: { topic: t }, value: [1, String(v)] as [number, string] })) }, { refId, expr: 'x', table: true, step: 0, valueName: value })[0]!;

test('table: hidden, sorted, coloured, limited, as CSV', () => {
  const frames = show([table([['b', 5], ['a', 5], ['c,"', 9]])], { defaults: {}, overrides: [{ matcher: { id: 'byName', options: 'Time' }, properties: [{ id: 'custom.hidden', value: true }] }, { matcher: { id: 'byName', options: 'Value' }, properties: [{ id: 'custom.cellOptions', value: { type: 'gauge' } }, { id: 'max', value: 10 }, { id: 'min', value: 0 }] }] }, false);
  const m = tableModel(frames, { sortBy: [{ displayName: 'Value', desc: true }] }, undefined, 2);
  assert.deepEqual(m.rows.map((r) => [r[0]!.text, r[1]!.percent]), [['c,"', 0.9], ['b', 0.5]]);
  assert.equal(m.total, 3);
  assert.equal(csv(tableModel(frames, {}, { title: 'topic', desc: false }, 9)), 'topic,Value\na,5\nb,5\n"c,""",9');
});

test('transformations', async () => {
  const run = (frames: Frame[], ...steps: [string, Json][]): Promise<Frame[]> => transform(frames, steps.map(([id, options]) => ({ id, options })));
  const two = [table([['a', 1], ['b', 2]], 'A', 'Value #A'), table([['b', 20], ['c', 30]], 'B', 'Value #B')];
  const [m] = await run(two, ['merge', {}], ['organize', { excludeByName: { Time: true }, renameByName: { topic: 'Topic', 'Value #A': 'In' }, indexByName: { topic: 2, 'Value #A': 0, 'Value #B': 1 } }]);
  assert.deepEqual([names(m!), m!.fields.map((f) => f.values)], [['In', 'Value #B', 'Topic'], [[1, 2, null], [null, 20, 30], ['a', 'b', 'c']]]);
  const s = [series('A', 'x', [1, 2]), series('A', 'y', [3, 4])];
  assert.deepEqual((await run(s, ['reduce', { reducers: ['max', 'mean'] }]))[0]!.fields.map((f) => [f.name, f.values]), [['Field', ['x', 'y']], ['Max', [2, 4]], ['Mean', [1.5, 3.5]]]);
  assert.deepEqual(names((await run(s, ['labelsToFields', {}], ['merge', {}]))[0]!), ['Time', 'n', 'Value']);
  assert.deepEqual((await run(s, ['seriesToRows', {}]))[0]!.fields[1]!.values, ['x', 'y', 'x', 'y']);
  assert.equal((await run(s, ['seriesToColumns', { byField: 'Time' }]))[0]!.fields.length, 3);
  assert.deepEqual((await run([table([['a', 3], ['b', 1]])], ['sortBy', { sort: [{ field: 'Value' }] }]))[0]!.fields[1]!.values, ['b', 'a']);
  assert.deepEqual(names((await run([table([['a', 3]])], ['filterFieldsByName', { include: { pattern: 'to.*|Value' } }]))[0]!), ['topic', 'Value']);
  assert.equal((await run([table([['a', 3], ['b', 1]])], ['filterByValue', { type: 'include', match: 'any', filters: [{ fieldName: 'Value', config: { id: 'greater', options: { value: 2 } } }] }]))[0]!.length, 1);
  assert.deepEqual(names((await run([table([['a', 3]])], ['renameByRegex', { regex: 'Val(.*)', renamePattern: 'W$1' }]))[0]!), ['Time', 'topic', 'Wue']);
  assert.deepEqual((await run([table([['a', 3], ['a', 5], ['b', 1]])], ['groupBy', { fields: { topic: { operation: 'groupby' }, Value: { operation: 'aggregate', aggregations: ['sum'] } } }]))[0]!.fields.map((f) => [f.name, f.values]), [['topic', ['a', 'b']], ['Value (sum)', [8, 1]]]);
  assert.equal((await run(s, ['nobodyKnows', {}])).length, 2, 'left alone');
});

test('grid: closed rows hide, repeats wrap, what grew pushes down', async () => {
  const d = await loadDashboard({ panels: [{ id: 1, type: 'row', title: 'R', collapsed: true, gridPos: { x: 0, y: 0, w: 24, h: 1 }, panels: [{ id: 2, type: 'text', gridPos: { x: 0, y: 1, w: 24, h: 5 } }] }, { id: 3, type: 'row', gridPos: { x: 0, y: 1, w: 24, h: 1 } }, { id: 4, type: 'stat', repeat: 'v', maxPerRow: 2, gridPos: { x: 0, y: 2, w: 6, h: 4 } }, { id: 5, type: 'stat', gridPos: { x: 0, y: 6, w: 12, h: 4 } }],
    templating: { list: [{ name: 'v', type: 'custom', multi: true, query: 'a,b,c', current: { value: ['a', 'b', 'c'] } }] } });
  const at = (closed: boolean): string[] => layout(d.panels, d.variables, (p) => p.id === 1 && closed).map((p) => `${p.type}@${p.gridPos.x},${p.gridPos.y} ${p.gridPos.w}`);
  assert.deepEqual(at(true), ['row@0,0 24', 'row@0,1 24', 'stat@0,2 12', 'stat@12,2 12', 'stat@0,6 12', 'stat@0,10 12']);
  assert.deepEqual(at(false).slice(0, 3), ['row@0,0 24', 'text@0,1 24', 'row@0,6 24']);
});

test('old models', async () => {
  const d = await loadDashboard({ rows: [{ height: '250px', panels: [{ type: 'graph', span: 6, title: 'g', targets: [{ expr: 'up' }], yaxes: [{ format: 'bytes', min: '0' }], aliasColors: { a: 'red' }, stack: true, fill: 2, legend: { alignAsTable: true, avg: true, current: true, values: true }, nullPointMode: 'connected' }, { type: 'singlestat', span: 6, thresholds: '1,2', colors: ['green', 'orange', 'red'], valueName: 'current', format: 'percent', valueMaps: [{ value: 'null', text: 'N/A' }] }] }] });
  const [g, s] = d.panels;
  assert.deepEqual([g!.type, g!.gridPos, g!.fieldConfig.defaults.unit, g!.fieldConfig.defaults.custom!.fillOpacity, g!.fieldConfig.defaults.custom!.spanNulls, g!.options.legend.calcs], ['timeseries', { x: 0, y: 0, w: 12, h: 7 }, 'bytes', 20, true, ['mean', 'lastNotNull']]);
  assert.deepEqual([s!.type, s!.gridPos.x, s!.options.reduceOptions.calcs, s!.fieldConfig.defaults.thresholds!.steps.map((t) => t.value)], ['stat', 12, ['lastNotNull'], [null, 1, 2]]);
});

test('markdown: no HTML comes through, no script links', () => {
  const text = JSON.stringify(markdown('# T\n\nA **b** `c` [x](javascript:alert(1)) [y](https://e.org)\n\n- one\n- two\n\n<script>alert(1)</script>'));
  assert.match(text, /"h3"/);
  assert.match(text, /"href":"https:\/\/e.org"/);
  assert.doesNotMatch(text, /"href":"javascript/);
  assert.match(text, /"ul"/);
  assert.match(text, /<script>alert/, 'it stays text');
});
