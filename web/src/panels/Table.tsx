// SPDX-License-Identifier: Apache-2.0
import { Icon, CLASS } from '../ui/icons.tsx';
import { t } from '../i18n/index.ts';
import type { Cell, Column, SortBy, TableModel } from './table-model.ts';

export function Table({ model, old, onSort, frame, onFrame }: { model: TableModel; old: boolean; onSort: (s: SortBy) => void; frame: number; onFrame: (i: number) => void }) {
  const x = t(), head = (c: Column) => { const on = model.sort?.title === c.title || model.sort?.title === c.field.name; return <th class={c.right ? 'r' : ''} style={c.width ? { width: `${c.width}px` } : undefined} aria-sort={on ? (model.sort!.desc ? 'descending' : 'ascending') : undefined}>
    <button onClick={() => onSort({ title: c.title, desc: on ? !model.sort!.desc : c.right })}>{c.title}{on ? (model.sort!.desc ? ' ↓' : ' ↑') : ''}</button></th>; };
  return <div class="scroll tbl">{model.frameNames.length > 1 && <label class="sub">{x.frame} <select value={frame} onChange={(e) => onFrame(Number(e.currentTarget.value))}>{model.frameNames.map((n, i) => <option value={i}>{n}</option>)}</select></label>}
    <table class={old ? 'old' : ''}>{model.header && <thead><tr>{model.columns.map(head)}</tr></thead>}
      <tbody>{model.rows.map((r) => <tr class={worst(r) === 'critical' ? 'bad' : ''} data-row tabIndex={-1}>{r.map((c, i) => <td class={model.columns[i]!.right ? 'r' : ''} style={c.background ? { background: c.background, color: c.ink } : undefined}>{body(c)}</td>)}</tr>)}</tbody></table>
    {(model.total > model.rows.length || model.thresholds.length > 0) && <p class="sub tfoot">{model.total > model.rows.length && <>{x.moreRows(model.total - model.rows.length)}. </>}{model.thresholds.length > 0 && <>{x.thresholds}{model.thresholds.map((s, i) => <>{i > 0 && ', '}<span style={{ color: s.color }}>{s.text}</span></>)}</>}</p>}</div>;
}
const worst = (r: Cell[]): string | undefined => r.find((c) => c.severity === 'critical')?.severity;
function body(c: Cell) {
  const inner = c.percent !== undefined ? <span class="gcell"><span class="gbar"><i style={{ width: `${c.percent * 100}%`, background: c.color }} /></span>{c.text}</span>
    : c.color ? <span class="lagc" style={{ color: c.color }}>{c.severity && <span class={CLASS[c.severity]} style={{ color: 'inherit' }}><Icon n={c.severity} /></span>}<b>{c.text}</b></span> : c.text;
  return c.link ? <a href={c.link}>{inner}</a> : inner;
}
