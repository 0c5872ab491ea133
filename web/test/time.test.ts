// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { alignRange, durationMs, durationText, goDuration, parseDate, queryStep, resolveRange, roundInterval, shiftRange, zoomOut } from '../src/data/time.ts';

const NOW = Date.UTC(2026, 10, 24, 3, 26, 30), iso = (ms: number | undefined): string => (ms === undefined ? 'none' : new Date(ms).toISOString().slice(0, 19));

test('date arithmetic', () => {
  const rows: [string, boolean, string][] = [['now', false, '2026-11-24T03:26:30'], ['now-1h', false, '2026-11-24T02:26:30'], ['now-6h/h', false, '2026-11-23T21:00:00'], ['now/d', false, '2026-11-24T00:00:00'], ['now/d', true, '2026-11-24T23:59:59'], ['now-1M', false, '2026-10-24T03:26:30'],
    ['now/w', false, '2026-11-23T00:00:00'], ['now/M', true, '2026-11-30T23:59:59'], ['now/Q', false, '2026-10-01T00:00:00'], ['now-h', false, '2026-11-24T02:26:30'], ['2024-01-01||+1d', false, '2024-01-02T00:00:00'], ['2024-01-31||+1M', false, '2024-02-29T00:00:00'], ['1700000000000', false, '2023-11-14T22:13:20'],
    ['2026-11-24 03:00', false, '2026-11-24T03:00:00'], ['now-1fQ', false, '2026-08-24T03:26:30'], ['now-', false, 'none'], ['nonsense', false, 'none'], ['now-123456h', false, 'none']];
  for (const [text, up, want] of rows) assert.equal(iso(parseDate(text, NOW, up, 'utc')), want, text);
  assert.equal(resolveRange({ from: 'now', to: 'now-1h' }, NOW), undefined);
});

test('durations', () => {
  const rows: [string, number | undefined][] = [['15s', 15000], ['1m30s', 90000], ['>5m', 300000], ['5', 5000], ['1.5h', 5400000], ['250ms', 250], ['', undefined], ['5x', undefined]];
  for (const [text, ms] of rows) assert.equal(durationMs(text), ms, text);
  assert.deepEqual([durationText(60000), durationText(90000), durationText(864e5), durationText(500)], ['1m', '90s', '1d', '500ms']);
  assert.deepEqual([goDuration(60000), goDuration(15000), goDuration(3660000)], ['1m0s', '15s', '1h1m0s']);
});

test('step, interval and rate interval', () => {
  const range = { from: NOW - 36e5, to: NOW, raw: { from: 'now-1h', to: 'now' } }, step = (o: object) => queryStep({ range, points: 720, scrape: 15000, ...o });
  assert.deepEqual(step({}), { step: 15000, interval: 15000, rate: 60000 });
  assert.deepEqual(step({ points: 100 }), { step: 30000, interval: 30000, rate: 60000 });
  assert.deepEqual(step({ points: 100, factor: 2 }), { step: 60000, interval: 30000, rate: 60000 });
  assert.equal(step({ panelMin: 60000 }).step, 60000);
  assert.equal(step({ targetMin: 120000 }).rate, 480000);
  assert.equal(queryStep({ range: { ...range, from: NOW - 30 * 864e5 }, points: 100000, scrape: 15000 }).step, 300000, 'never above 11 000 points');
  assert.deepEqual([4, 12, 7499, 12500, 1e12].map(roundInterval), [1, 10, 5000, 15000, 31536000000]);
  assert.deepEqual(alignRange(range, 60000), { start: Math.floor((NOW - 36e5) / 6e4) * 60, end: Math.floor(NOW / 6e4) * 60 });
});

test('shift and zoom', () => {
  const r = { from: NOW - 36e5, to: NOW, raw: { from: 'now-1h', to: 'now' } };
  assert.deepEqual(shiftRange(r, -1), { from: String(NOW - 54e5), to: String(NOW - 18e5) });
  const z = zoomOut(r, NOW);
  assert.equal(Number(z.to) - Number(z.from), 72e5);
  assert.ok(Number(z.to) <= NOW, 'never into the future');
});
