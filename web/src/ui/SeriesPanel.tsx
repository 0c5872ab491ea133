// SPDX-License-Identifier: Apache-2.0
/* What: the timeseries panel. It brings the chart library along, which arrives while the first queries run. */
import { useMemo } from 'preact/hooks';
import { seriesModel } from '../panels/timeseries-model.ts';
import { TimeSeries } from '../panels/TimeSeries.tsx';
import type { Shown } from './DrawPanel.tsx';

export function SeriesPanel({ shown, panel, dark, ctx, marks, faded, old, title }: Shown) {
  const model = useMemo(() => seriesModel(shown, panel.options, dark), [shown, panel, dark]), o = panel.options.tooltip ?? {};
  const stable = useMemo(() => marks, [JSON.stringify(marks)]);
  return <TimeSeries model={model} from={ctx.range.from} to={ctx.range.to} dark={dark} marks={stable} sync={ctx.crosshair ? ctx.uid : ''} tooltip={String(o.mode ?? 'single')} sort={String(o.sort ?? 'none')} faded={faded || old} shared={ctx.crosshair === 2} title={title} utc={ctx.utc} onZoom={ctx.zoom} />;
}
