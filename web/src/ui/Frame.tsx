// SPDX-License-Identifier: Apache-2.0
/* What: what stands around every page: rail, bar, bottom navigation, palette, help, and the keys of them all. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { chooseLang, chooseTheme, lang, session, theme } from '../state/session.ts';
import { live } from '../state/live.ts';
import { useStore } from '../state/store.ts';
import { navigate } from '../state/route.ts';
import { refreshNow } from '../state/clock.ts';
import { search } from '../api/grafana.ts';
import type { SearchHit } from '../api/types.ts';
import type { TimeRange } from '../data/time.ts';
import { Icon, severityOf } from './icons.tsx';
import { Pop } from './Pop.tsx';
import { shift, zoom } from './TimeBar.tsx';

export type PageName = 'home' | 'alerts' | 'dash' | 'sources' | 'import' | 'doctor' | 'none';
const NAV = (): [PageName, string, string][] => [['home', t().overview, '/'], ['alerts', t().alerts, '/alerting'], ['dash', t().dashboards, '/dashboards'], ['import', t().import, '/dashboard/import'], ['sources', t().sources, '/datasources'], ['doctor', t().doctor, '/doctor']];

/** Critical, firing, and neither silenced nor inhibited. */
export function pressing(): number {
  const l = live.get(), hushed = new Set((l.am ?? []).filter((a) => a.status.state === 'suppressed').map((a) => key(a.labels)));
  return l.alerts.filter((a) => a.state === 'firing' && severityOf(a.labels.severity) === 'critical' && !hushed.has(key(a.labels))).length;
}
export const key = (labels: Record<string, string>): string => JSON.stringify(Object.entries(labels).filter(([k]) => k !== 'prometheus').sort());

export function Frame({ page, title, crumb, range, bar, extra, children }: { page: PageName; title: string; crumb?: string; range?: TimeRange; bar?: ComponentChildren; extra?: ComponentChildren; children: ComponentChildren }) {
  useStore(live);
  const [palette, setPalette] = useState(false), [help, setHelp] = useState(false), n = pressing(), x = t(), cluster = session.get().settings?.vigie?.cluster;
  useKeys(range, () => setPalette(true), () => setHelp(true), () => { setPalette(false); setHelp(false); });
  const count = n > 0 ? <span class="count">{n}</span> : null;
  const item = ([id, name, href]: [PageName, string, string], short?: string) => <a href={href} title={name} aria-current={id === page ? 'page' : undefined}><Icon n={id} /><span class="lb">{short ?? name}</span>{id === 'alerts' ? count : null}</a>;
  const nav = NAV();
  return <>
    <nav class="rail" aria-label="Vigie"><a class="logo" href="/" title="Vigie"><Icon n="eye" /><span class="lb">Vigie</span></a>{nav.slice(0, -1).map((i) => item(i))}<span class="sp" />{item(nav[nav.length - 1]!)}<Account /></nav>
    <div class="bar">{(crumb ?? cluster) && <><span class="crumb desk">{crumb ?? cluster}</span><span class="crumb desk">/</span></>}<h1 title={title}>{title}</h1>{extra}<span class="sp" />
      <button class="field find desk" onClick={() => setPalette(true)}><span><Icon n="find" /> {x.find}</span><kbd>Ctrl K</kbd></button>{bar}
      <button class="btn ic" title={`${x.theme} (c t)`} aria-label={x.theme} onClick={() => chooseTheme(theme.get() === 'dark' ? 'light' : 'dark')}><Icon n="theme" /></button></div>
    <main>{children}</main>
    <nav class="tabs" aria-label="Vigie">{item(nav[0]!)}{item(nav[1]!)}{item(nav[2]!)}<button onClick={() => setPalette(true)}><Icon n="more" /><span class="lb">{x.more}</span></button></nav>
    {palette && <Palette close={() => setPalette(false)} />}
    {help && <Dialog title={x.help} close={() => setHelp(false)}><dl class="keys">{x.keys.map(([k, what]) => <div><dt><kbd>{k}</kbd></dt><dd>{what}</dd></div>)}</dl></Dialog>}
  </>;
}
function Account() {
  const x = t(), other = lang.get() === 'fr' ? 'en' : 'fr', u = session.get().user;
  return <div class="account"><Pop cls="railbtn" title={u?.login ?? x.account} label={<><Icon n="user" /><span class="lb">{u?.login ?? x.account}</span></>}>{(close) => <ul class="menu"><li><button lang={other} onClick={() => { close(); void chooseLang(other); }}>{x.language}</button></li>
    <li><button onClick={() => { close(); navigate('/profile/password'); }}>{x.change}</button></li><li><a href="/logout">{x.logout}</a></li></ul>}</Pop></div>;
}

export function Dialog({ title, close, children, wide }: { title: string; close: () => void; children: ComponentChildren; wide?: boolean }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => { const before = document.activeElement as HTMLElement | null; ref.current?.querySelector<HTMLElement>('input,textarea,button')?.focus(); return () => before?.focus?.(); }, []);
  return <div class="veil" onMouseDown={(e) => { if (e.target === e.currentTarget) close(); }} onKeyDown={(e) => { if (e.key === 'Escape') { e.stopPropagation(); close(); } }}><div class={`panel dialog${wide ? ' wide' : ''}`} role="dialog" aria-modal="true" aria-label={title} ref={ref}>
    <header><h2>{title}</h2><span class="sp" /><button class="btn ic" title={t().close} aria-label={t().close} onClick={close}><Icon n="x" /></button></header><div class="body">{children}</div></div></div>;
}

interface Goal { name: string; url: string; icon: string }
function Palette({ close }: { close: () => void }) {
  const x = t(), [text, setText] = useState(''), [hits, setHits] = useState<SearchHit[]>([]), [at, setAt] = useState(0), other = lang.get() === 'fr' ? 'en' : 'fr';
  useEffect(() => { search('').then(setHits, () => setHits([])); }, []);
  const goals: Goal[] = [...NAV().map(([icon, name, url]) => ({ icon, name, url })), ...hits.map((h) => ({ icon: 'dash', name: h.title, url: h.url }))].filter((g) => g.name.toLowerCase().includes(text.toLowerCase()));
  const go = (g: Goal | undefined): void => { if (g) { close(); navigate(g.url); } };
  const keys = (e: KeyboardEvent): void => {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); setAt((a) => Math.max(0, Math.min(goals.length - 1, a + (e.key === 'ArrowDown' ? 1 : -1)))); }
    if (e.key === 'Enter') go(goals[at]);
  };
  return <Dialog title={x.find} close={close}><input class="wide" type="search" value={text} placeholder={x.find} aria-label={x.find} onInput={(e) => { setText(e.currentTarget.value); setAt(0); }} onKeyDown={keys} />
    <ul class="menu">{goals.slice(0, 12).map((g, i) => <li><button aria-pressed={i === at} onClick={() => go(g)}><Icon n={g.icon} />{g.name}</button></li>)}{goals.length === 0 && <li class="muted">{x.nothing}</li>}</ul>
    <div class="phone foot2"><button class="btn" lang={other} onClick={() => { close(); void chooseLang(other); }}>{x.language}</button><a class="btn" href="/logout">{x.logout}</a></div></Dialog>;
}

/* Two-letter keys as in Grafana. While somebody types, none of them count. */
function useKeys(range: TimeRange | undefined, palette: () => void, help: () => void, close: () => void): void {
  useEffect(() => {
    let first = '', at = 0;
    const press = (e: KeyboardEvent): void => {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') { e.preventDefault(); palette(); return; }
      if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test((e.target as Element).tagName)) return;
      if (e.key === 'Escape') close();
      else if (e.key === '?') help();
      else if (e.key === 'j' || e.key === 'k') moveRow(e.key === 'j' ? 1 : -1);
      const two = Date.now() - at < 1200 ? `${first} ${e.key}` : '';
      const act = ({ 'g h': () => navigate('/'), 'g d': () => navigate('/dashboards'), 'g a': () => navigate('/alerting'), 'g o': () => navigate('/doctor'), 'd r': refreshNow, 'c t': () => chooseTheme(theme.get() === 'dark' ? 'light' : 'dark'),
        't z': () => range && zoom(range), 't ArrowLeft': () => range && shift(range, -1), 't ArrowRight': () => range && shift(range, 1) } as Record<string, () => void>)[two];
      if (act) { e.preventDefault(); first = ''; act(); return; }
      first = e.key;
      at = Date.now();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [range, palette, help, close]);
}
function moveRow(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')].filter((r) => r.offsetParent), i = rows.findIndex((r) => r.contains(document.activeElement));
  const next = rows[i < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, i + by))];
  (next?.matches('a,button') ? next : next?.querySelector<HTMLElement>('a,button') ?? next)?.focus();
}
