// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { toFixed, unitFormat, fromNow, formatMoment } from '../src/data/units.ts';
import { readData, skipWithout } from './data.ts';

interface Vectors { values: number[]; out: Record<string, string[]> }

test('every unit vector of Grafana', { skip: skipWithout('grafana/unit-vectors.json') }, (t) => {
  const v = JSON.parse(readData('grafana/unit-vectors.json')) as Vectors;
  const wrong: string[] = [], clock = Date.now;
  Date.now = () => Date.UTC(2026, 10, 24); // the vectors were taken then: "57 years ago"
  t.after(() => { Date.now = clock; });
  for (const [id, texts] of Object.entries(v.out)) {
    v.values.forEach((value, i) => { const got = unitFormat(id, value); if (got !== texts[i]) wrong.push(`${id} ${value}: "${got}", expected "${texts[i]}"`); });
  }
  assert.deepEqual(wrong, []);
});

test('fixed decimals pad, automatic ones keep three digits', () => {
  const rows: [number, number | null, string][] = [[1.5, 3, '1.500'], [0, 2, '0.00'], [1234.5678, 1, '1234.6'], [12.345, null, '12.3'], [NaN, null, 'NaN'], [Infinity, 2, '∞'], [-1234.5, null, '-1234']];
  for (const [v, d, text] of rows) assert.equal(toFixed(v, d), text);
});

test('dates', () => {
  assert.equal(fromNow(0, 90_000), 'a minute ago'.replace('a minute', '2 minutes'));
  assert.equal(formatMoment(1_764_000_000_000, 'YYYY-MM-DD [at] HH:mm', true), '2025-11-24 at 16:00');
});
