// SPDX-License-Identifier: Apache-2.0
/* What: panel type -> drawing. A type that is not in the table is refused in words, and nothing of it is lost. */
import { useMemo, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { interpolate, type Scope } from '../data/interpolate.ts';
import type { Panel, ShownField, ShownFrame } from '../data/model.ts';
import { statModel } from '../panels/stat-model.ts';
import { tableModel, type SortBy } from '../panels/table-model.ts';
import { Stat } from '../panels/Stat.tsx';
import { Table } from '../panels/Table.tsx';
import { lazy } from './lazy.tsx';
import type { Mark } from '../panels/TimeSeries.tsx';
import { Icon } from './icons.tsx';
import type { Size } from './hooks.ts';
import type { PanelContext } from './PanelBox.tsx';

const Text = lazy(async () => (await import('../panels/Text.tsx')).Text);
const SeriesPanel = lazy(async () => (await import('./SeriesPanel.tsx')).SeriesPanel);
const GaugePanel = lazy(async () => (await import('../panels/Gauge.tsx')).GaugePanel);

export const KNOWN = new Set(['timeseries', 'stat', 'gauge', 'table', 'text', 'row']);
export interface DrawProps { panel: Panel; shown: ShownFrame[] | undefined; size: Size; dark: boolean; ctx: PanelContext; scope: Scope; old: boolean; faded: boolean; marks: Mark[]; title: string; link: (f: ShownField, row: number) => string | undefined }
const ROWS = 500;

export function DrawPanel(p: DrawProps) {
  const x = t(), { panel } = p;
  if (panel.type === 'text') return <Text mode={String(panel.options.mode ?? 'markdown')} content={interpolate(String(panel.options.content ?? ''), p.scope)} />;
  if (!KNOWN.has(panel.type)) return <div class="state refuse"><span class="idle"><Icon n="none" /></span><b>{x.unknownPanel(panel.type)}</b><span class="sub">{x.unknownPanelWhy}</span></div>;
  if (!p.shown || p.size.w < 20) return null;
  if (panel.type === 'stat') return <StatPanel {...p} shown={p.shown} />;
  if (panel.type === 'gauge') return <GaugePanel old={p.old} shown={p.shown} options={panel.options} size={p.size} dark={p.dark} />;
  if (panel.type === 'table') return <TablePanel {...p} shown={p.shown} />;
  return <SeriesPanel {...p} shown={p.shown} />;
}
export type Shown = DrawProps & { shown: ShownFrame[] };
function StatPanel({ shown, panel, size, old }: Shown) { return <Stat old={old} model={useMemo(() => statModel(shown, panel.options, size), [shown, panel, size.w, size.h])} />; }
function TablePanel({ shown, panel, old, link }: Shown) {
  const [sort, setSort] = useState<SortBy | undefined>(), [frame, setFrame] = useState(Number(panel.options.frameIndex) || 0);
  return <Table old={old} frame={frame} onFrame={setFrame} onSort={setSort} model={useMemo(() => tableModel(shown, { ...panel.options, frameIndex: frame }, sort, ROWS, link), [shown, panel, sort, frame])} />;
}
