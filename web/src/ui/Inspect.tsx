// SPDX-License-Identifier: Apache-2.0
/* What: what a panel asked and what it got: expressions with their step, and the data as a file. */
import { t } from '../i18n/index.ts';
import { durationText } from '../data/time.ts';
import type { Panel, ShownFrame } from '../data/model.ts';
import type { PanelData } from '../state/query.ts';
import { csv, tableModel } from '../panels/table-model.ts';
import { seriesModel } from '../panels/timeseries-model.ts';
import { Dialog } from './Frame.tsx';
import { Source } from './PanelStates.tsx';

function text(panel: Panel, shown: ShownFrame[]): string {
  if (panel.type === 'table') return csv(tableModel(shown, panel.options, undefined, 1e5));
  const m = seriesModel(shown, {}, true), q = (s: string): string => `"${s.replace(/"/g, '""')}"`;
  return [['Time', ...m.lines.map((l) => q(l.title))].join(','), ...m.times.map((ms, i) => [new Date(ms).toISOString(), ...m.columns.map((c) => c[i] ?? '')].join(','))].join('\n');
}
export function Inspect({ panel, data, shown, title, close }: { panel: Panel; data: PanelData; shown: ShownFrame[] | undefined; title: string; close: () => void }) {
  const x = t(), save = (): void => {
    const a = document.createElement('a');
    a.href = URL.createObjectURL(new Blob([text(panel, shown!)], { type: 'text/csv' }));
    a.download = `${title || 'panel'}.csv`;
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 1000);
  };
  return <Dialog title={`${x.inspect}: ${title}`} close={close} wide>{data.plan?.queries.map((q) => <><p class="sub">{q.refId}, {x.step} {durationText(q.step)}{q.instant ? ', instant' : ''}, {Math.round(data.ms)} ms</p><Source text={q.expr} /></>)}
    <p class="foot2"><button class="btn" disabled={!shown} onClick={save}>{x.download}</button></p></Dialog>;
}
