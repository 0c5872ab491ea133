// SPDX-License-Identifier: Apache-2.0
/* What: what `vigie doctor` found, worst first, with the command that mends it; roles, files and data beside it. The sentences come
 *       from the server in the page's language. */
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { clock, fixed, NBSP, when } from '../i18n/format.ts';
import { doctor } from '../api/grafana.ts';
import type { DoctorFinding, DoctorReport, DoctorSeverity } from '../api/types.ts';
import { ApiError } from '../api/http.ts';
import { lang } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { Frame } from '../ui/Frame.tsx';
import { Icon, Sev, type Severity } from '../ui/icons.tsx';
import { useTitle } from '../ui/hooks.ts';

const LOOK: Record<DoctorSeverity, Severity> = { error: 'critical', warning: 'warning', note: 'info', ok: 'ok' };
const EDGE: Record<DoctorSeverity, string> = { error: ' e', warning: ' w', note: '', ok: '' };

const gib = (bytes: number): string => `${fixed(bytes / 2 ** 30, bytes < 10 * 2 ** 30 ? 1 : 0)}${NBSP}Gi`;
const octet = (): string => (lang.get() === 'fr' ? 'o' : 'B');
const mib = (bytes: number): string => (bytes > 0 ? `${fixed(bytes / 2 ** 20, 0)}${NBSP}Mi${octet()}` : '–');

/** The report as a terminal would show it, for a ticket or a chat. */
export function asText(r: DoctorReport): string {
  const x = t(), lines = [r.summary, x.drDone(clock(r.at_ms), fixed(r.took_ms / 1000, 1)), ''];
  for (const f of r.findings) lines.push(`${x.drSev[f.severity]}: ${f.title}`, ...f.also.map((a) => `  ${x.drAlso}${a}`), `  ${f.cause}`, ...f.evidence.map((e) => `  > ${e}`), ...f.fix.split('\n').filter(Boolean).map((c) => `    ${c}`), '');
  for (const c of r.checks.filter((k) => k.severity === 'ok' || k.severity === 'note')) lines.push(`${c.examined ? x.drSev.ok : '-'}: ${c.title}${c.figure && c.examined ? ` (${c.figure})` : ''}`);
  return lines.join('\n');
}

function Copy({ text, label, cls = '' }: { text: string; label: string; cls?: string }) {
  const [done, set] = useState(false);
  useEffect(() => { if (done) { const h = setTimeout(() => set(false), 1500); return () => clearTimeout(h); } return undefined; }, [done]);
  return <button class={`btn ${cls}`} onClick={() => void navigator.clipboard?.writeText(text).then(() => set(true))}>{done ? t().copied : label}</button>;
}
const Command = ({ text }: { text: string }) => <div class="cmd"><code>{text}</code><Copy text={text} label={t().copy} /></div>;

function Finding({ f }: { f: DoctorFinding }) {
  const x = t(), src = [...f.evidence, ...(f.evidence_more ? [x.drMore(f.evidence_more)] : [])];
  return <div class={`ck${EDGE[f.severity]}`} data-row><Sev s={LOOK[f.severity]} text={x.drSev[f.severity]} /><h3>{f.title}</h3><span class="m hide-s">{x.drCheck(f.check)}</span>
    {f.also.map((a) => <p class="muted">{x.drAlso}{a}</p>)}{f.also_more > 0 && <p class="muted">{x.drMore(f.also_more)}</p>}<p>{f.cause}</p>
    {src.length > 0 && <div class="src">{src.join('\n')}</div>}{f.fix && <Command text={f.fix} />}</div>;
}

function Side({ r }: { r: DoctorReport }) {
  const x = t(), started = Math.max(...r.roles.map((k) => k.started_ms)), d = r.data;
  return <div class="cols side"><section class="panel"><header><h2>{x.drRoles}</h2></header><table><thead><tr><th>{x.drRole}</th><th class="r">{x.drPort}</th><th class="r">{x.drMemory}</th><th class="r">{x.drCpu}</th></tr></thead><tbody>{r.roles.map((k) => <tr><td><span class={k.state === 'up' ? 'good' : 'crit'}><Icon n={k.state === 'up' ? 'ok' : 'critical'} /></span> {k.name}</td><td class="r">{k.port}</td>
      {k.state === 'up' ? <><td class="r">{mib(k.memory_bytes)}</td><td class="r">{k.started_ms > 0 ? `${fixed(k.cpu_percent, 1)}${NBSP}%` : '–'}</td></> : <td colSpan={2} class="r crit">{k.state === 'taken' ? x.drTaken : x.down}</td>}</tr>)}</tbody></table></section>
    <section class="panel"><header><h2>{x.drFiles}</h2></header><ul class="files">{[...r.files].sort((a, b) => b.errors - a.errors || b.warnings - a.warnings).map((f) => <li><span class={f.errors ? 'crit' : f.warnings ? 'warn' : 'good'}><Icon n={f.errors ? 'critical' : f.warnings ? 'warning' : 'ok'} /></span><span class="mono">{f.path}</span>
      <span class={`nw ${f.errors ? 'crit' : f.warnings ? 'warn' : 'muted'}`}>{f.errors ? x.drErrors(f.errors) : f.warnings ? x.drWarnings(f.warnings) : f.builtin && !f.path.includes('(') ? x.drBuiltin : ''}</span></li>)}</ul></section>
    <section class="panel"><header><h2>{x.drData}</h2></header><table><tbody><tr><td>{x.drFolder}</td><td class="r wrap mono">{d.folder}</td></tr><tr><td>{x.drFree}</td><td class="r">{x.drOf(gib(d.free_bytes) + octet(), gib(d.total_bytes) + octet())}</td></tr>
      {d.clock_apart_seconds !== null && <tr><td>{x.drClock}</td><td class="r">{x.drApart(d.clock_apart_seconds)}</td></tr>}{started > 0 && <tr><td>{x.drStarted}</td><td class="r">{when(started, Date.now())}</td></tr>}</tbody></table></section>
    <section class="panel"><header><h2>{x.drTerminal}</h2></header><div class="body"><Command text={r.command} /></div></section></div>;
}

export function DoctorPage() {
  const x = t(), l = useStore(lang), [report, setReport] = useState<DoctorReport | undefined>(), [error, setError] = useState(''), [since, setSince] = useState(0), [now, setNow] = useState(0);
  useTitle(x.doctor);
  const look = async (fresh: boolean): Promise<void> => {
    setSince(performance.now());
    setError('');
    try {
      let r = await doctor(l, fresh);
      if (r.lang !== l) r = await doctor(l, false); // somebody else's question was under way
      setReport(r);
    } catch (e) { setError((e as ApiError).message || x.netDown); }
    setSince(0);
  };
  useEffect(() => { void look(false); }, [l]);
  useEffect(() => { if (!since) return undefined; const h = setInterval(() => setNow(performance.now()), 200); return () => clearInterval(h); }, [since]);
  const busy = since > 0, seconds = fixed(Math.max(0, now - since) / 1000, 1), worst = report?.severity;
  return <Frame page="doctor" title={x.doctor}>
    <section class={`panel sum edge${worst === 'error' ? ' c' : worst === 'warning' ? ' w' : ' o'}`} aria-busy={busy}>{busy && <span class="busy" />}<span class="line" role="status">{report ? report.summary : error ? x.drFailed : x.drAsking(seconds)}</span>
      {report && <span class="muted">{busy ? x.drAsking(seconds) : x.drDone(clock(report.at_ms), fixed(report.took_ms / 1000, 1))}</span>}{error && <span class="crit">{error}</span>}<span class="sp" />
      <button class="btn" disabled={busy} onClick={() => void look(true)}>{x.drAgain}</button>{report && <Copy text={asText(report)} label={x.drCopy} cls="hide-s" />}</section>
    {report && <div class={`cols doc${busy ? ' old' : ''}`}><section class="panel">{report.findings.map((f) => <Finding f={f} />)}
      {report.checks.filter((c) => c.severity === 'ok' || c.severity === 'note').map((c) => <div class="ck okay"><Sev s={c.examined ? 'ok' : 'none'} text={c.examined ? x.drSev.ok : x.drOpen} /><h3>{c.title}</h3><span class="m">{c.examined ? c.figure : ''}</span></div>)}</section><Side r={report} /></div>}
  </Frame>;
}
