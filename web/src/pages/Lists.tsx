// SPDX-License-Identifier: Apache-2.0
/* What: the plain pages: dashboards, import, data sources with their test. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { clock, duration, fixed, NBSP } from '../i18n/format.ts';
import * as api from '../api/grafana.ts';
import type { SearchHit, SourceInfo } from '../api/types.ts';
import { ApiError } from '../api/http.ts';
import { parseLenient } from '../data/lenient.ts';
import type { Dashboard } from '../data/model.ts';
import { loadDashboard, unwrap } from '../data/migrate.ts';
import { navigate } from '../state/route.ts';
import { promUid, session } from '../state/session.ts';
import { live, refreshLive } from '../state/live.ts';
import { useStore } from '../state/store.ts';
import { Frame } from '../ui/Frame.tsx';
import { Icon, Sev } from '../ui/icons.tsx';
import { useTitle } from '../ui/hooks.ts';

export function DashboardsPage() {
  const x = t(), [hits, set] = useState<SearchHit[] | undefined>(), [text, setText] = useState(''), [error, setError] = useState('');
  useTitle(x.dashboards);
  useEffect(() => { api.search('').then(set, (e: ApiError) => setError(e.message || x.netDown)); }, []);
  const shown = hits?.filter((h) => `${h.title} ${h.tags.join(' ')}`.toLowerCase().includes(text.toLowerCase())) ?? [];
  return <Frame page="dash" title={x.dashboards}><section class="panel"><header><input class="field" type="search" placeholder={x.find} aria-label={x.find} value={text} onInput={(e) => setText(e.currentTarget.value)} /><span class="sp" /><a class="btn" href="/dashboard/import"><Icon n="import" />{x.import}</a></header>
    {error ? <p class="body crit">{error}</p> : hits && shown.length === 0 ? <p class="body muted">{text ? x.nothing : x.noDashboards}</p> : <table><thead><tr><th>{x.title}</th><th class="hide-s">{x.folder}</th><th class="hide-s">{x.tags}</th></tr></thead><tbody>{shown.map((h) => <tr data-row><td class="wrap"><a href={h.url}><b>{h.title}</b></a></td><td class="hide-s muted">{h.folderTitle ?? ''}</td><td class="hide-s"><span class="labels">{h.tags.map((g) => <span>{g}</span>)}</span></td></tr>)}</tbody></table>}</section></Frame>;
}

export function ImportPage() {
  const x = t(), [text, setText] = useState(''), [overwrite, setOverwrite] = useState(true), [error, setError] = useState('');
  useTitle(x.import);
  const parsed = useMemo(() => (text.trim() ? parseLenient(text) : undefined), [text]), [model, setModel] = useState<Dashboard | undefined>(), raw = parsed && 'value' in parsed ? unwrap(parsed.value) : undefined, ok = Array.isArray(raw?.panels) || Array.isArray(raw?.rows);
  useEffect(() => { if (parsed && 'value' in parsed) void loadDashboard(parsed.value).then(setModel); else setModel(undefined); }, [parsed]);
  const load = async (): Promise<void> => {
    const inputs = (model?.inputs ?? []).filter((i) => i.type === 'datasource').map((i) => ({ name: i.name, type: 'datasource', pluginId: i.pluginId, value: (session.get().sources.find((s) => s.type === i.pluginId)?.uid) ?? promUid() }));
    try { const a = await api.importDashboard(raw, inputs, overwrite); navigate(a.importedUrl); } catch (e) { setError((e as ApiError).message || x.netDown); }
  };
  const read = (f: File | undefined): void => { void f?.text().then(setText); };
  return <Frame page="import" title={x.import}><section class="panel"><header><h2>{x.importHint}</h2></header><div class="body form wideform"><label>{x.file}<input type="file" accept=".json,application/json" onChange={(e) => read(e.currentTarget.files?.[0])} /></label>
    <textarea class="mono" rows={16} spellcheck={false} aria-label="JSON" value={text} onInput={(e) => { setText(e.currentTarget.value); setError(''); }} />
    {parsed && 'error' in parsed && <p class="crit" role="alert"><Icon n="critical" /> {x.importBad(parsed.error, parsed.line, parsed.column)}</p>}{parsed && 'value' in parsed && !ok && <p class="crit" role="alert"><Icon n="critical" /> {x.importNotDash}</p>}
    {ok && model && <p><Icon n="ok" /> {x.importAs(model.title, model.panels.length)}{parsed && 'trailing' in parsed && parsed.trailing && <span class="warn"> {x.importTrailing}</span>}</p>}{error && <p class="crit" role="alert"><Icon n="critical" /> {error}</p>}
    <label class="check"><input type="checkbox" checked={overwrite} onChange={(e) => setOverwrite(e.currentTarget.checked)} /> {x.importOverwrite}</label><button class="btn pri" disabled={!ok} onClick={() => void load()}>{x.importLoad}</button></div></section></Frame>;
}

export function SourcesPage() {
  const x = t(), l = useStore(live), [results, set] = useState<Record<string, string>>({});
  useTitle(x.sources);
  useEffect(() => { void refreshLive(); }, []);
  const test = async (s: SourceInfo): Promise<void> => {
    const at = performance.now();
    set((r) => ({ ...r, [s.uid]: '…' }));
    try { await api.testSource(s); set((r) => ({ ...r, [s.uid]: `ok${x.works(performance.now() - at)}` })); } catch (e) { set((r) => ({ ...r, [s.uid]: `!!${(e as ApiError).message || x.netDown}` })); }
  };
  return <Frame page="sources" title={x.sources}><section class="panel"><table><thead><tr><th>{x.name}</th><th>{x.type}</th><th class="hide-s">{x.url}</th><th></th></tr></thead><tbody>{session.get().sources.map((s) => { const r = results[s.uid]; return <tr data-row><td><b>{s.name}</b> {s.isDefault && <small>{x.isDefault}</small>}</td><td>{s.type}</td><td class="hide-s mono">{s.url}</td>
    <td class="r wrap">{r && <span role="status" class={r.startsWith('!!') ? 'crit' : 'good'}>{r.startsWith('!!') || r.startsWith('ok') ? <><Icon n={r.startsWith('ok') ? 'ok' : 'critical'} /> {r.slice(2)}</> : r} </span>}<button class="btn" onClick={() => void test(s)}>{x.test}</button></td></tr>; })}</tbody></table></section>
    <section class="panel"><header><h2>{x.targets}</h2><span class="note">{l.targets.length}</span></header><table><thead><tr><th>Job</th><th class="hide-s">{x.url}</th><th>{x.health}</th><th class="r hide-s">{x.lastScrape}</th><th class="r hide-s">{x.took}</th></tr></thead><tbody>{[...l.targets].sort((a, b) => Number(b.health === 'down') - Number(a.health === 'down')).map((d) => <><tr data-row class={d.health === 'down' ? 'bad' : ''}><td><b>{d.labels.job ?? d.scrapePool}</b></td><td class="hide-s mono">{d.scrapeUrl}</td>
      <td><Sev s={d.health === 'up' ? 'ok' : d.health === 'down' ? 'critical' : 'none'} text={d.health === 'up' ? x.up : d.health === 'down' ? x.down : x.unknown} /></td><td class="r hide-s" title={clock(Date.parse(d.lastScrape))}>{x.ago(duration(l.at - Date.parse(d.lastScrape)))}</td><td class="r hide-s">{fixed(d.lastScrapeDuration * 1000, 1)}{NBSP}ms</td></tr>
      {d.lastError && <tr class="bad"><td colSpan={5} class="wrap crit">{d.lastError}</td></tr>}</>)}</tbody></table></section></Frame>;
}
