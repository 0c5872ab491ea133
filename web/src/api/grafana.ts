// SPDX-License-Identifier: Apache-2.0
/* What: the Grafana role's own API, and Alertmanager through the proxy. */
import type { Json } from '../data/model.ts';
import { ask } from './http.ts';
import { proxy } from './prom.ts';
import type { AmAlert, DashboardAnswer, DoctorReport, ImportAnswer, NewSilence, SearchHit, Settings, Silence, SourceInfo, User } from './types.ts';

export const login = (user: string, password: string): Promise<{ message: string }> => ask('/login', { json: { user, password }, quiet: true });
export const settings = (): Promise<Settings> => ask('/api/frontend/settings', { quiet: true });
export const user = (): Promise<User> => ask('/api/user', { quiet: true });
export const changePassword = (oldPassword: string, newPassword: string): Promise<Json> => ask('/api/user/password', { method: 'PUT', json: { oldPassword, newPassword, confirmNew: newPassword }, quiet: true });
export const search = (query = ''): Promise<SearchHit[]> => ask(`/api/search?type=dash-db&query=${encodeURIComponent(query)}`);
export const dashboard = (uid: string): Promise<DashboardAnswer> => ask(`/api/dashboards/uid/${encodeURIComponent(uid)}`);
export const importDashboard = (model: Json, inputs: Json[], overwrite: boolean): Promise<ImportAnswer> => ask('/api/dashboards/import', { json: { dashboard: model, overwrite, inputs } });
export const sources = (): Promise<SourceInfo[]> => ask('/api/datasources');
export const testSource = (s: SourceInfo): Promise<Json> => (s.type === 'alertmanager' ? ask(proxy(s.uid, '/api/v2/status')) : ask(proxy(s.uid, '/api/v1/query?query=1%2B1')));
export const amAlerts = (uid: string): Promise<AmAlert[]> => ask(proxy(uid, '/api/v2/alerts'));
export const amSilences = (uid: string): Promise<Silence[]> => ask(proxy(uid, '/api/v2/silences'));
export const addSilence = (uid: string, s: NewSilence): Promise<{ silenceID: string }> => ask(proxy(uid, '/api/v2/silences'), { json: s });
export const endSilence = (uid: string, id: string): Promise<Json> => ask(proxy(uid, `/api/v2/silence/${encodeURIComponent(id)}`), { method: 'DELETE' });
export const doctor = (lang: string, fresh: boolean): Promise<DoctorReport> => ask(`/api/vigie/doctor?lang=${lang}${fresh ? '&fresh=1' : ''}`);
