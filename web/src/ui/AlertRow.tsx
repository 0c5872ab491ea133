// SPDX-License-Identifier: Apache-2.0
/* What: alerts of one rule and one fate, as one entry: what, since when, for whom, and why it is or is not sent. */
import { t } from '../i18n/index.ts';
import { langOf } from '../i18n/index.ts';
import { about, clock, duration, when } from '../i18n/format.ts';
import type { AlertGroup } from '../data/alerts.ts';
import { CLASS, Icon, word, type Severity } from './icons.tsx';

const FATE: Record<string, Severity> = { silenced: 'silenced', inhibited: 'inhibited', pending: 'pending' };
export function AlertRow({ g, now, long }: { g: AlertGroup; now: number; long?: boolean }) {
  const x = t(), icon = FATE[g.fate] ?? g.severity, quiet = g.fate === 'silenced' || g.fate === 'inhibited', text = g.annotations.description || g.annotations.summary || g.annotations.message || '', action = g.annotations.action || g.annotations.runbook || '';
  const fate = g.fate === 'pending' ? x.pending.toLowerCase() : g.fate === 'silenced' ? x.silenced.toLowerCase() : g.fate === 'inhibited' ? x.inhibited.toLowerCase() : '';
  const subjects = [...new Set(g.alerts.map((a) => ['consumergroup', 'topic', 'broker', 'instance', 'job', 'request'].filter((k) => a.labels[k] && !(k === 'job' && a.labels.instance) && !(k === 'instance' && (a.labels.broker || a.labels.consumergroup))).map((k) => a.labels[k]).join(', ')))].filter(Boolean);
  return <a class="al" data-row href="/alerting"><span class={CLASS[icon]}><Icon n={icon} /></span><span class="t">{g.name}</span><span class={`nw${quiet ? ' muted' : ''}`}>{g.fate === 'pending' && g.forMs ? x.pendingOf(about(now - g.since), about(g.forMs)) : duration(now - g.since)}</span>
    <span class="d"><b class={CLASS[quiet ? 'none' : g.severity]}>{word(g.severity)}{fate && `, ${fate}`}</b>{g.alerts.length > 1 && ` ×${g.alerts.length}`}{g.fate === 'inhibited' ? `${x.colon}${x.inhibitedBy}` : g.fate === 'silenced' && g.silence ? ` ${x.silencedUntil(when(Date.parse(g.silence.endsAt), now), g.silence.createdBy)}${x.colon}${g.silence.comment}` : subjects.length ? `${x.colon}${subjects.slice(0, 4).join('; ')}${subjects.length > 4 ? '…' : ''}` : ''}{g.fate === 'pending' && g.forMs > 0 && `, ${x.firesAt(clock(g.since + g.forMs))}`}</span>
    {!quiet && (action || text) && <span class="fr" lang={langOf(action || text)}>{action || text}</span>}{long && !quiet && action && text && <span class="d" lang={langOf(text)}>{text}</span>}
    {g.receivers.length > 0 && g.fate === 'firing' && <span class="d">{x.notified(g.receivers.join(', '))}</span>}</a>;
}
