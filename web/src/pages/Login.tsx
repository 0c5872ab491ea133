// SPDX-License-Identifier: Apache-2.0
/* What: log in, and choose a new password when the default one still stands. */
import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { t } from '../i18n/index.ts';
import * as api from '../api/grafana.ts';
import { ApiError } from '../api/http.ts';
import { navigate, route } from '../state/route.ts';
import { chooseLang, lang, loadSession, session } from '../state/session.ts';
import { Icon } from '../ui/icons.tsx';
import { useTitle } from '../ui/hooks.ts';

function Card({ title, children }: { title: string; children: ComponentChildren }) {
  const other = lang.get() === 'fr' ? 'en' : 'fr';
  return <div class="cardpage"><section class="panel card"><p class="brand"><Icon n="eye" /> Vigie</p><h1>{title}</h1>{children}<button class="plain" lang={other} onClick={() => void chooseLang(other)}>{t().language}</button></section></div>;
}
const target = (): string => { const to = route.get().query.get('redirectTo') ?? '/'; return /^\/(?![/\\])/.test(to) ? to : '/'; };

export function LoginPage() {
  const x = t(), [user, setUser] = useState(''), [password, setPassword] = useState(''), [error, setError] = useState(''), [busy, setBusy] = useState(false);
  useTitle(x.signIn);
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    setBusy(true);
    try {
      await api.login(user, password);
      await loadSession();
      const v = session.get().settings?.vigie;
      navigate(v?.mustChangePassword || v?.defaultPassword ? `/profile/password?redirectTo=${encodeURIComponent(target())}` : target(), true);
    } catch (err) { const f = err as ApiError; setError(f.status === 401 && /^invalid username/i.test(f.message) ? x.wrongLogin : f.message || x.netDown); }
    setBusy(false);
  };
  return <Card title={x.signIn}><form class="form" onSubmit={submit}><label>{x.username}<input autocomplete="username" autofocus required value={user} onInput={(e) => setUser(e.currentTarget.value)} /></label>
    <label>{x.password}<input type="password" autocomplete="current-password" required value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></label>{error && <p class="crit" role="alert"><Icon n="critical" /> {error}</p>}<button class="btn pri" disabled={busy}>{x.signIn}</button></form></Card>;
}

export function PasswordPage() {
  const x = t(), [old, setOld] = useState(''), [first, setFirst] = useState(''), [second, setSecond] = useState(''), [error, setError] = useState(''), v = session.get().settings?.vigie;
  useTitle(x.changeTitle);
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    if (first !== second) { setError(x.differ); return; }
    if (first.length < 8) { setError(x.tooShort); return; }
    try { await api.changePassword(old, first); await loadSession(); navigate(target(), true); } catch (err) { setError((err as ApiError).message || x.netDown); }
  };
  return <Card title={x.changeTitle}><p class="muted">{v?.mustChangePassword ? x.changeWhy : v?.defaultPassword ? x.changeHint : ''}</p><form class="form" onSubmit={submit}><label>{x.password}<input type="password" autocomplete="current-password" required value={old} onInput={(e) => setOld(e.currentTarget.value)} /></label>
    <label>{x.newPassword}<input type="password" autocomplete="new-password" required value={first} onInput={(e) => setFirst(e.currentTarget.value)} /></label><label>{x.again}<input type="password" autocomplete="new-password" required value={second} onInput={(e) => setSecond(e.currentTarget.value)} /></label>
    {error && <p class="crit" role="alert"><Icon n="critical" /> {error}</p>}<button class="btn pri">{x.change}</button>{!v?.mustChangePassword && <a class="btn" href={target()}>{x.skip}</a>}</form></Card>;
}
