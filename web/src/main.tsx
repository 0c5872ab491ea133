// SPDX-License-Identifier: Apache-2.0
/* What: the page starts here: look, session, then the page that the address names. */
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import './css/index.css';
import './core.ts';
import { t } from './i18n/index.ts';
import { followLinks, navigate, route } from './state/route.ts';
import { initLook, lang, loadSession, session } from './state/session.ts';
import { refreshLive } from './state/live.ts';
import { useStore } from './state/store.ts';
import { whenUnauthorized } from './api/http.ts';
import { Frame } from './ui/Frame.tsx';
import { lazy } from './ui/lazy.tsx';

const HomePage = lazy(async () => (await import('./pages/Home.tsx')).HomePage);
const AlertsPage = lazy(async () => (await import('./pages/Alerts.tsx')).AlertsPage);
const DashboardPage = lazy(async () => (await import('./pages/Dashboard.tsx')).DashboardPage);
const DashboardsPage = lazy(async () => (await import('./pages/Lists.tsx')).DashboardsPage);
const ImportPage = lazy(async () => (await import('./pages/Lists.tsx')).ImportPage);
const SourcesPage = lazy(async () => (await import('./pages/Lists.tsx')).SourcesPage);
const DoctorPage = lazy(async () => (await import('./pages/Doctor.tsx')).DoctorPage);
const LoginPage = lazy(async () => (await import('./pages/Login.tsx')).LoginPage);
const PasswordPage = lazy(async () => (await import('./pages/Login.tsx')).PasswordPage);

const toLogin = (): void => { const here = location.pathname + location.search; if (location.pathname !== '/login') navigate(`/login${here === '/' ? '' : `?redirectTo=${encodeURIComponent(here)}`}`, true); };

function Page({ path }: { path: string }) {
  const dash = /^\/d\/([^/]+)/.exec(path);
  if (dash) return <DashboardPage uid={decodeURIComponent(dash[1]!)} />;
  if (path === '/') return <HomePage />;
  if (path === '/dashboards' || path.startsWith('/dashboards/')) return <DashboardsPage />;
  if (path === '/dashboard/import') return <ImportPage />;
  if (path === '/datasources' || path === '/connections/datasources') return <SourcesPage />;
  if (path === '/doctor') return <DoctorPage />;
  if (path.startsWith('/alerting')) return <AlertsPage />;
  return <Frame page="none" title={t().notFound}><section class="panel"><div class="body state pad"><b>{t().notFound}</b><code>{path}</code><a class="btn" href="/">{t().overview}</a></div></section></Frame>;
}
function App() {
  const s = useStore(session), r = useStore(route), l = useStore(lang);
  useEffect(() => { if (s.ready && s.user) void refreshLive(); }, [s.ready, s.user]);
  useEffect(() => { if (s.ready && !s.user) toLogin(); else if (s.ready && s.settings?.vigie?.mustChangePassword && r.path !== '/profile/password') navigate('/profile/password', true); }, [s, r.path]);
  if (!s.ready) return null;
  if (r.path === '/login' || !s.user) return <LoginPage key={l} />;
  if (r.path === '/profile/password') return <PasswordPage key={l} />;
  return <Page key={l} path={r.path} />;
}

followLinks();
whenUnauthorized(toLogin);
void initLook(route.get().query).then(() => { render(<App />, document.getElementById('app')!); return loadSession(); });
