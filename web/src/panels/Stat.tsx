// SPDX-License-Identifier: Apache-2.0
import { Icon } from '../ui/icons.tsx';
import { Spark } from '../ui/Spark.tsx';
import type { StatModel, Tile } from './stat-model.ts';
import { fixed } from '../i18n/format.ts';

export function Stat({ model, old }: { model: StatModel; old: boolean }) {
  return <div class="stat" style={{ gridTemplateColumns: `repeat(${model.columns}, minmax(0, 1fr))`, gridTemplateRows: `repeat(${model.rows}, minmax(0, 1fr))` }}>{model.tiles.map((t) => <StatTile t={t} m={model} old={old} />)}</div>;
}
function StatTile({ t, m, old }: { t: Tile; m: StatModel; old: boolean }) {
  const color = old ? 'var(--muted)' : t.ink ?? (t.color || 'var(--strong)');
  return <div class={`stile${m.wide ? ' wide' : ''}${m.center ? ' mid' : ''}${t.background ? ' filled' : ''}`} style={t.background ? { background: t.background, color: t.ink } : undefined} role="img" aria-label={`${t.title}: ${t.text}`}>
    {m.showValue && <div class="sval" style={{ color, fontSize: `${m.valueSize}px` }}>{t.severity && t.text && !t.background && <Icon n={t.severity} />}{t.text || '–'}{t.change !== undefined && <small> {t.change >= 0 ? '+' : ''}{fixed(t.change, 1)}%</small>}</div>}
    {m.showName && <div class="sname" style={{ fontSize: `${m.titleSize}px` }} title={t.title}>{t.title}</div>}
    {m.sparkHeight > 0 && t.spark && <Spark values={t.spark.v} color={t.ink ?? (t.color || 'var(--s1)')} height={Math.round(m.sparkHeight)} fill={0.18} />}</div>;
}
