// SPDX-License-Identifier: Apache-2.0
/* What: silences one entry of the alerts page: for how long and why, then Alertmanager is told. */
import { useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { duration } from '../i18n/format.ts';
import { addSilence } from '../api/grafana.ts';
import { ApiError } from '../api/http.ts';
import { silenceOf, type AlertGroup } from '../data/alerts.ts';
import { refreshLive } from '../state/live.ts';
import { amUid, session } from '../state/session.ts';
import { Icon } from './icons.tsx';

const HOUR = 3600_000, SPANS = [1, 2, 8, 24, 72].map((h) => h * HOUR);

export function SilenceForm({ g }: { g: AlertGroup }) {
  const x = t(), [span, setSpan] = useState(2 * HOUR), [why, setWhy] = useState(''), [error, setError] = useState(''), [busy, setBusy] = useState(false);
  const silence = silenceOf(g, Date.now(), span, session.get().user?.login ?? '', why);
  const send = async (): Promise<void> => {
    setBusy(true);
    try { await addSilence(amUid(), silence); await refreshLive(); } catch (e) { setError((e as ApiError).message || x.netDown); setBusy(false); }
  };
  return <details class="sil"><summary class="btn"><Icon n="silenced" />{x.silence}</summary><form class="body form" onSubmit={(e) => { e.preventDefault(); void send(); }}>
    <span class="labels">{silence.matchers.map((m) => <span>{m.name}={m.value}</span>)}</span>
    <label>{x.silenceFor}<select class="field" value={String(span)} onChange={(e) => setSpan(Number(e.currentTarget.value))}>{SPANS.map((s) => <option value={String(s)}>{duration(s)}</option>)}</select></label>
    <label>{x.comment}<input class="field" required value={why} onInput={(e) => { setWhy(e.currentTarget.value); setError(''); }} /></label>
    {error && <p class="crit" role="alert"><Icon n="critical" /> {error}</p>}<button class="btn pri" disabled={busy || !why.trim()}>{x.silence}</button></form></details>;
}
