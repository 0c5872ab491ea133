// SPDX-License-Identifier: Apache-2.0
/* What: a panel without an answer: the error with its place underlined, or the reason why nothing was selected. */
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { when } from '../i18n/format.ts';
import type { Panel } from '../data/model.ts';
import { errorPlace, explain, type Reason } from '../data/explain.ts';
import { references } from '../data/interpolate.ts';
import { labelValues, queryInstant } from '../api/prom.ts';
import { live } from '../state/live.ts';
import type { Failure, PanelData } from '../state/query.ts';
import type { PanelContext } from './PanelBox.tsx';

export function ErrorBox({ panel, failure }: { panel: Panel; failure: Failure }) {
  const x = t(), q = failure.query, place = errorPlace(failure.message), unknown = q ? references(q.expr).filter((v) => /^[a-z]/i.test(v)) : [];
  if (failure.network) return <div class="state"><b>{x.netDown}</b><span class="sub">{failure.message}</span></div>;
  return <div class="state errbox scroll">{unknown[0] && q?.expr.includes(`$${unknown[0]}`) && <b>{x.undefinedVar(unknown[0])}</b>}<span><b>{place ? x.lineCol(place.line, place.column) + place.message : failure.message}</b></span>
    {q && <Source text={q.expr} place={place} />}<span class="sub">{q && <>{x.queryOf(q.refId, panel.id)}. </>}{x.othersFine}</span>
    <span class="acts"><button class="btn" onClick={() => void navigator.clipboard?.writeText(`${failure.message}\n${q?.expr ?? ''}`)}>{x.copyError}</button></span></div>;
}
export function Source({ text, place }: { text: string; place?: { line: number; column: number } }) {
  const lines = text.split('\n');
  return <div class="src">{lines.map((l, i) => {
    const at = place?.line === i + 1 ? Math.max(0, Math.min(l.length - 1, place.column - 1)) : -1, end = at < 0 ? -1 : at + (/^\w+/.exec(l.slice(at))?.[0].length ?? 1);
    return <>{lines.length > 1 && <span class="n">{i + 1}</span>}{at < 0 ? l : <>{l.slice(0, at)}<span class="bad hl">{l.slice(at, end) || ' '}</span>{l.slice(end)}</>}{'\n'}</>;
  })}</div>;
}

export function NoDataBox({ panel, data, ctx }: { panel: Panel; data: PanelData; ctx: PanelContext }) {
  const x = t(), [reason, set] = useState<Reason | undefined>(), q = data.plan?.queries[0], expr = q?.expr ?? '';
  useEffect(() => {
    if (!q) return undefined;
    let on = true;
    const now = data.to / 1000, from = data.from / 1000;
    const count = async (s: string): Promise<number> => { const r = await queryInstant(q.uid, `count(${s})`, now); return Number((r.result as { value: [number, string] }[])[0]?.value[1] ?? 0); };
    explain(q.expr, { count, everCount: async (s) => { const r = await queryInstant(q.uid, `count(last_over_time(${s}[${Math.max(60, Math.round(now - from))}s]))`, now); return Number((r.result as { value: [number, string] }[])[0]?.value[1] ?? 0); }, names: () => labelValues(q.uid, '__name__', now - 86400, now) })
      .then((r) => { if (on) set(r); }, () => {});
    return () => { on = false; };
  }, [expr, data.at]);
  if (!q) return <div class="state"><span>{data.plan?.missing[0] ? x.noSource(data.plan.missing[0]) : x.noQuery}</span></div>;
  const l = live.get(), jobs = [...expr.matchAll(/job=~?"([^"]+)"/g)].map((m) => m[1]!), down = l.targets.filter((d) => d.health === 'down' && (jobs.length === 0 || jobs.includes(d.labels.job ?? '')));
  return <div class="state scroll">{reason ? <Why r={reason} /> : <span>{x.zeroSeries}</span>}
    {reason?.kind !== 'empty' && reason?.kind !== 'matcher' && down.slice(0, 1).map((d) => <span>{x.targetDownNow(d.labels.job ?? d.scrapePool)} <span class="sub">{when(Date.parse(d.lastScrape), ctx.now)}: {d.lastError}</span></span>)}<span hidden>{panel.id}</span></div>;
}
function Why({ r }: { r: Reason }) {
  const x = t();
  if (r.kind === 'unknown-metric') return <><span>{x.noSeriesNamed} <code>{r.metric}</code>.</span>{r.nearest && <span>{x.nearest}<code>{r.nearest}</code>{r.count !== undefined && `, ${x.seriesN(r.count)}`}.</span>}</>;
  if (r.kind === 'matcher') return <span>{x.matcherNone(r.matcher, r.metric, r.count)}</span>;
  if (r.kind === 'matchers') return <span>{x.matchersNone(r.metric, r.count)}</span>;
  return <span>{r.kind === 'not-in-range' ? x.existsNotRange(r.metric) : x.existsNow(r.metric)}</span>;
}
