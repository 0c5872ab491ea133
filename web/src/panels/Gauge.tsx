// SPDX-License-Identifier: Apache-2.0
import type { Json, ShownFrame } from '../data/model.ts';
import { gaugeModel } from './gauge-model.ts';
import type { Size } from './stat-model.ts';

export function GaugePanel({ shown, options, size, dark, old }: { shown: ShownFrame[]; options: Json; size: Size; dark: boolean; old: boolean }) {
  const model = gaugeModel(shown, options, size, dark, dark ? '#2A313A' : '#DDE1E6');
  return <div class="stat" style={{ gridTemplateColumns: `repeat(${model.columns}, minmax(0, 1fr))` }}>{model.dials.map((d) => <div class="dial" role="img" aria-label={`${d.title}: ${d.text}`}>
    <svg width={d.size} height={d.size * 0.8} viewBox={`0 0 ${d.size} ${d.size * 0.8}`}>{d.arcs.map((a) => <path d={a.path} fill="none" stroke={a.color} stroke-width={a.width} />)}
      <text x={d.size / 2} y={d.size / 2 + d.fontSize * 0.35} text-anchor="middle" style={{ fontSize: `${d.fontSize}px`, fontWeight: 500, fill: old ? 'var(--muted)' : d.color }}>{d.text || '–'}</text>
      {model.labels && <><text x={d.size * 0.16} y={d.size * 0.79} text-anchor="middle">{d.min}</text><text x={d.size * 0.84} y={d.size * 0.79} text-anchor="middle">{d.max}</text></>}</svg>
    {model.showName && <div class="sname" title={d.title}>{d.title}</div>}</div>)}</div>;
}
