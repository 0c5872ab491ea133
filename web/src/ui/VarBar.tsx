// SPDX-License-Identifier: Apache-2.0
/* What: the variables of a dashboard as fields: one value, several, or free text. */
import { useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import type { Variable } from '../data/model.ts';
import { ALL, toggleValue, valueText } from '../data/variables.ts';
import { setQuery } from '../state/route.ts';
import { Icon } from './icons.tsx';
import { Pop } from './Pop.tsx';

const shownAs = (text: string): string => (text === 'All' ? t().all : text);
const set = (v: Variable, value: string | string[]): void => setQuery({ [`var-${v.name}`]: value }, false);

export function VarBar({ vars, errors, cls }: { vars: Variable[]; errors: Record<string, string>; cls: string }) {
  return <span class={cls}>{vars.filter((v) => v.hide !== 2 && v.type !== 'constant' && v.type !== 'adhoc').map((v) => <VarField v={v} error={errors[v.name]} />)}</span>;
}
function VarField({ v, error }: { v: Variable; error?: string }) {
  const label = v.hide === 1 ? null : <span>{v.label ?? v.name}</span>;
  if (v.type === 'textbox') return <label class="field">{label}<input value={String(v.current)} onChange={(e) => set(v, e.currentTarget.value)} /></label>;
  return <Pop cls={`field${error ? ' bad' : ''}`} title={error ? t().variableError(v.label ?? v.name, error) : v.label ?? v.name} label={<>{label}<b>{shownAs(valueText(v)) || '–'}</b> <Icon n="down" /></>}>{(close) => <Choice v={v} close={close} />}</Pop>;
}
function Choice({ v, close }: { v: Variable; close: () => void }) {
  const [text, setText] = useState(''), current = Array.isArray(v.current) ? v.current : [v.current];
  const options = [...(v.includeAll ? [{ text: t().all, value: ALL }] : []), ...v.options.filter((o) => o.value !== ALL)].filter((o) => o.text.toLowerCase().includes(text.toLowerCase()));
  const pick = (value: string): void => { if (v.multi) set(v, toggleValue(v.current, value)); else { set(v, value); close(); } };
  return <>{v.options.length > 8 && <input type="search" class="wide" aria-label={t().find} value={text} onInput={(e) => setText(e.currentTarget.value)} />}<ul class="menu">{options.slice(0, 300).map((o) => <li><button role={v.multi ? 'menuitemcheckbox' : 'menuitemradio'} aria-checked={current.includes(o.value)} aria-pressed={current.includes(o.value)} onClick={() => pick(o.value)}>{o.text}</button></li>)}{options.length === 0 && <li class="muted">{t().nothing}</li>}</ul></>;
}
