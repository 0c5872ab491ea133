// SPDX-License-Identifier: Apache-2.0
// Every public Kafka dashboard of the conformance data goes the whole way from file to drawing model without an exception.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { data, repo, skipWithout } from './data.ts';
import { parseLenient } from '../src/data/lenient.ts';
import { loadDashboard } from '../src/data/migrate.ts';
import { layout } from '../src/data/grid.ts';
import { makeScope, parseVarQuery, queryText, varOptions } from '../src/data/variables.ts';
import { interpolate } from '../src/data/interpolate.ts';
import { collectFrames, plan } from '../src/data/plan.ts';
import { showFrames } from '../src/data/fields.ts';
import { selectors } from '../src/data/selectors.ts';
import type { PromResult } from '../src/data/frames.ts';
import type { Dashboard, Panel, ShownFrame } from '../src/data/model.ts';
import { statModel } from '../src/panels/stat-model.ts';
import { gaugeModel } from '../src/panels/gauge-model.ts';
import { tableModel, csv } from '../src/panels/table-model.ts';
import { seriesModel } from '../src/panels/timeseries-model.ts';
import { markdown } from '../src/panels/markdown.ts';

const sources = [{ uid: 'prometheus', name: 'Prometheus', type: 'prometheus', isDefault: true }];
const now = Date.UTC(2026, 10, 24), range = { from: now - 36e5, to: now, raw: { from: 'now-1h', to: 'now' } };
const KNOWN = ['timeseries', 'stat', 'gauge', 'table', 'text'];

function fake(instant: boolean, n: number): PromResult {
  const metric = (i: number): Record<string, string> => ({ __name__: 'm', topic: `t${i}`, instance: 'a:1', env: 'dev' });
  if (instant) return { resultType: 'vector', result: Array.from({ length: n }, (_, i) => ({ metric: metric(i), value: [now / 1000, String(i * 1500)] as [number, string] })) };
  return { resultType: 'matrix', result: Array.from({ length: n }, (_, i) => ({ metric: metric(i), values: Array.from({ length: 20 }, (_, k): [number, string] => [now / 1000 - 300 + k * 15, k === 7 ? 'NaN' : String(i * 100 + k)]) })) };
}
function draw(p: Panel, shown: ShownFrame[]): number {
  const size = { w: 480, h: 240 };
  if (p.type === 'stat') return statModel(shown, p.options, size).tiles.length;
  if (p.type === 'gauge') return gaugeModel(shown, p.options, size, true, '#000').dials.length;
  if (p.type === 'table') { const m = tableModel(shown, p.options, undefined, 500); csv(m); return m.rows.length; }
  const m = seriesModel(shown, p.options, true);
  for (const c of m.columns) assert.equal(c.length, m.times.length);
  return m.lines.length;
}
async function whole(d: Dashboard, count: Record<string, number>): Promise<void> {
  for (const v of d.variables) if (v.type === 'query') { parseVarQuery(queryText(v)); v.options = varOptions(['up{a="b"} 1 2', 'b'], '', v.sort); v.current = v.multi ? ['b'] : 'b'; }
  const scope = makeScope(d.variables, range, { dashboard: d }), panels = layout(d.panels, d.variables, () => false);
  for (const p of panels) {
    interpolate(p.title, scope);
    const key = p.type === 'row' ? 'row' : KNOWN.includes(p.type) ? 'drawn' : 'refused';
    count[key] = (count[key] ?? 0) + 1;
    assert.ok(p.gridPos.x + p.gridPos.w <= 24 && p.gridPos.y < 1e6, `${p.title}: off the grid`);
    if (p.type === 'text') { markdown(String(p.options.content ?? '')); continue; }
    const q = plan(p, { range, now, width: 500, sources, scope, inputs: d.inputs });
    for (const x of q.queries) { selectors(x.expr); assert.ok(x.step >= 1 && x.end >= x.start, x.expr); }
    if (key !== 'drawn') continue;
    for (const n of [3, 1, 0]) draw(p, showFrames(await collectFrames(p, q.queries, q.queries.map((x) => fake(x.instant, n))), p.fieldConfig, { dark: n === 3, interpolate: (t) => interpolate(t, scope), palette: p.type === 'timeseries', gauge: p.type === 'gauge' }));
  }
}

for (const set of ['kafka', 'control']) {
  test(`every ${set} dashboard`, { skip: skipWithout(`dashboards/${set}`) }, async () => {
    const dir = join(data, 'dashboards', set), count: Record<string, number> = {}, files = readdirSync(dir).filter((f) => f.endsWith('.json'));
    for (const f of files) {
      const parsed = parseLenient(readFileSync(join(dir, f), 'utf8'));
      assert.ok('value' in parsed, f);
      try { await whole(await loadDashboard(parsed.value), count); } catch (e) { throw new Error(`${f}: ${(e as Error).stack}`); }
    }
    console.log(`${set}: ${files.length} dashboards, ${count.drawn} panels drawn, ${count.refused ?? 0} refused in words, ${count.row ?? 0} rows`);
    assert.ok(count.drawn! / (count.drawn! + (count.refused ?? 0)) > (set === 'kafka' ? 0.96 : 0.8));
  });
}

test("the document's dashboard: its uid, its seven panels, their order, types and colours", async () => {
  const raw = JSON.parse(readFileSync(join(repo, 'monitoring/grafana/dashboards/kafka-monitoring.json'), 'utf8')), d = await loadDashboard(raw);
  assert.equal(d.uid, 'kafka-monitoring-dreamscape');
  assert.ok(raw.schemaVersion >= 39);
  assert.deepEqual([...d.panels].sort((a, b) => a.id - b.id).map((p) => [p.title, p.type]), [['Kafka Broker Status', 'stat'], ['Kafka Throughput - Messages In', 'timeseries'], ['Consumer Lag by Group and Topic', 'table'], ['Under-Replicated Partitions', 'stat'], ['Offline Partitions', 'stat'], ['Request Rate by Type', 'timeseries'], ['Request Latency (P99)', 'timeseries']]);
  const lag = d.panels.find((p) => p.id === 3)!;
  assert.deepEqual(lag.fieldConfig.defaults.thresholds!.steps, [{ color: 'green', value: null }, { color: 'yellow', value: 1000 }, { color: 'red', value: 10000 }]);
  const q = plan(lag, { range, now, width: 500, sources, scope: {}, inputs: [] }), r: PromResult = { resultType: 'vector', result: [[5, 'a'], [20000, 'b'], [1500, 'c']].map(([v, t]) => ({ metric: { consumergroup: 'g', topic: String(t), partition: '0' }, value: [1, String(v)] as [number, string] })) };
  const m = tableModel(showFrames(await collectFrames(lag, q.queries, [r]), lag.fieldConfig, { dark: true, interpolate: (t) => t, palette: false }), lag.options, undefined, 10);
  assert.deepEqual(m.columns.map((c) => c.title), ['Group', 'Topic', 'Partition', 'Lag']);
  assert.deepEqual(m.rows.map((row) => [row[1]!.text, row[3]!.text, row[3]!.severity]), [['b', '20,000', 'critical'], ['c', '1,500', 'warning'], ['a', '5', 'ok']]);
  const status = d.panels.find((p) => p.id === 1)!, show = (v: string): Promise<ShownFrame[]> => collectFrames(status, plan(status, { range, now, width: 400, sources, scope: {}, inputs: [] }).queries, ['kafka-exporter', 'kafka-jmx'].map((job) => ({ resultType: 'vector', result: [{ metric: { job }, value: [1, v] as [number, string] }] }))).then((f) => showFrames(f, status.fieldConfig, { dark: true, interpolate: (t) => t, palette: false }));
  assert.deepEqual(statModel(await show('1'), status.options, { w: 400, h: 100 }).tiles.map((t) => [t.title, t.text, t.severity]), [['kafka-exporter', 'UP', 'ok'], ['kafka-jmx', 'UP', 'ok']]);
  assert.deepEqual(statModel(await show('0'), status.options, { w: 400, h: 100 }).tiles.map((t) => [t.text, t.severity]), [['DOWN', 'critical'], ['DOWN', 'critical']]);
});
