// SPDX-License-Identifier: Apache-2.0
/* What: who is here, in which language and theme, and which data sources there are. */
import { store } from './store.ts';
import * as grafana from '../api/grafana.ts';
import type { Settings, SourceInfo, User } from '../api/types.ts';
import type { Lang } from '../i18n/index.ts';
import { setLang } from '../i18n/index.ts';

export interface Session { ready: boolean; user: User | undefined; settings: Settings | undefined; sources: SourceInfo[]; failed: string }
export const session = store<Session>({ ready: false, user: undefined, settings: undefined, sources: [], failed: '' });
export const lang = store<Lang>('en');
export const theme = store<'dark' | 'light'>('dark');

const saved = (key: string): string => { try { return localStorage.getItem(`vigie.${key}`) ?? ''; } catch { return ''; } };
export const save = (key: string, value: string): void => { try { localStorage.setItem(`vigie.${key}`, value); } catch { /* private windows may refuse: the choice lasts for this page */ } };

export async function chooseLang(l: Lang): Promise<void> { await applyLang(l); save('lang', l); }
export function chooseTheme(t: 'dark' | 'light'): void { document.documentElement.dataset.theme = t; save('theme', t); theme.set(t); }

export function initLook(query: URLSearchParams): Promise<void> {
  const wanted = query.get('theme') || saved('theme'), system = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark', t = wanted === 'light' || wanted === 'dark' ? wanted : system;
  document.documentElement.dataset.theme = t;
  theme.set(t);
  return applyLang(query.get('lang') || saved('lang') || navigator.language);
}
async function applyLang(text: string): Promise<void> { const l: Lang = text.startsWith('fr') ? 'fr' : 'en'; await setLang(l); document.documentElement.lang = l; lang.set(l); }

/** Settings first (they need no login), then the user; without one the login page opens. */
export async function loadSession(): Promise<void> {
  let settings: Settings | undefined, user: User | undefined, sources: SourceInfo[] = [], failed = '';
  try { settings = await grafana.settings(); } catch (e) { failed = String((e as Error).message); }
  const wanted = settings?.vigie?.lang;
  if (wanted && !saved('lang') && !new URLSearchParams(location.search).get('lang')) await applyLang(wanted);
  try { user = await grafana.user(); sources = await grafana.sources(); } catch { /* not logged in: the login page says so */ }
  session.set({ ready: true, user, settings, sources, failed });
}
export const promUid = (): string => { const s = session.get().sources; return (s.find((x) => x.isDefault && x.type === 'prometheus') ?? s.find((x) => x.type === 'prometheus'))?.uid ?? 'prometheus'; };
export const amUid = (): string => session.get().sources.find((x) => x.type === 'alertmanager')?.uid ?? 'alertmanager';
