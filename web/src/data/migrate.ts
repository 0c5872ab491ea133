// SPDX-License-Identifier: Apache-2.0
/* What:   a dashboard as anybody ever saved it -> the one model that the page draws.
 * Shape:  reads with a default for everything; old panel types become their successors (panels of migrate-panel.ts).
 * Source: spec/grafana.md 2.13. The stored JSON is never changed: this runs on each load. */
import type { DashLink, Dashboard, GridPos, Json, Panel, VarOption, VarValue, Variable } from './model.ts';
import { customOptions } from './variables.ts';

const list = (v: Json): Json[] => (Array.isArray(v) ? v.filter((x) => x && typeof x === 'object') : []);
const str = (v: Json, d = ''): string => (typeof v === 'string' ? v : typeof v === 'number' ? String(v) : d);
const num = (v: Json, d: number): number => (Number.isFinite(Number(v)) && v !== null && v !== '' ? Number(v) : d);

export async function loadDashboard(raw: Json): Promise<Dashboard> {
  const d = unwrap(raw), notes: string[] = [];
  const panels = d.panels === undefined && Array.isArray(d.rows) ? fromRows(d.rows) : list(d.panels);
  const migrate = [...flat(panels), d].some(isOld) ? (await import('./migrate-panel.ts')).migratePanel : (p: Json): Json => p;
  const ids = { next: 1 + Math.max(0, ...flat(panels).map((p) => num(p.id, 0))) };
  return {
    uid: str(d.uid), title: str(d.title, 'Untitled'), tags: (Array.isArray(d.tags) ? d.tags : []).map((t: Json) => str(t)), panels: panels.map((p) => readPanel(p, { ids, migrate, notes })), variables: list(d.templating?.list).map(readVariable),
    time: { from: str(d.time?.from, 'now-6h'), to: str(d.time?.to, 'now') }, refresh: typeof d.refresh === 'string' ? d.refresh : '', timezone: str(d.timezone), links: list(d.links).map(readLink), inputs: list(d.__inputs),
    crosshair: d.sharedCrosshair ? 1 : num(d.graphTooltip, 0), schemaVersion: num(d.schemaVersion, 0), intervals: (Array.isArray(d.timepicker?.refresh_intervals) ? d.timepicker.refresh_intervals : []).map((x: Json) => str(x)).filter(Boolean), notes,
  };
}
/** API answers and exports wrap the model: {dashboard: {...}}, {spec: {...}}. */
export function unwrap(raw: Json): Json {
  if (!raw || typeof raw !== 'object') return {};
  if (raw.dashboard && typeof raw.dashboard === 'object') return raw.dashboard;
  return raw.spec && typeof raw.spec === 'object' && raw.spec.panels ? raw.spec : raw;
}
/** Does this panel wear anything that only an earlier Grafana wrote? */
const isOld = (p: Json): boolean => /^(graph|singlestat|grafana-singlestat-panel|table-old|text2)$/.test(p.type) || (p.type === 'text' && p.content !== undefined) || Array.isArray(p.styles) || !!p.options?.fieldOptions || !!p.fieldConfig?.defaults?.title
  || !!p.fieldConfig?.defaults?.custom?.displayMode || list(p.fieldConfig?.defaults?.mappings).some((m) => typeof m.type !== 'string') || list(p.fieldConfig?.overrides).some((o) => list(o.properties).some((q) => q.id === 'custom.displayMode' || q.id === 'mappings'));
const flat = (panels: Json[]): Json[] => panels.flatMap((p) => [p, ...list(p.panels)]);

/* Before 16: rows of panels with spans of twelfths and heights in pixels. */
function fromRows(rows: Json): Json[] {
  const out: Json[] = [], show = list(rows).some((r) => r.collapse || r.repeat || r.showTitle);
  let y = 0;
  for (const r of list(rows)) {
    const h = Math.max(3, Math.ceil(pixels(r.height, 250) / 38));
    const row: Json = { type: 'row', title: r.title, repeat: r.repeat, collapsed: !!r.collapse, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] };
    if (show) { out.push(row); y++; }
    let x = 0, line = y, tallest = 0;
    for (const p of list(r.panels)) {
      const w = Math.min(24, Math.max(1, Math.floor(num(p.span, 4) * 2))), ph = p.height ? Math.max(3, Math.ceil(pixels(p.height, 250) / 38)) : h;
      if (x + w > 24) { x = 0; line += tallest; tallest = 0; }
      (r.collapse ? row.panels : out).push({ ...p, gridPos: p.gridPos ?? { x, y: line, w, h: ph } });
      x += w;
      tallest = Math.max(tallest, ph);
    }
    y = r.collapse ? y : line + tallest;
  }
  return out;
}
const pixels = (v: Json, d: number): number => (typeof v === 'number' ? v : parseInt(str(v), 10) || d);

interface Reading { ids: { next: number }; migrate: (p: Json) => Json; notes: string[] }
function readPanel(raw: Json, r: Reading): Panel {
  const m = r.migrate(raw), grid: GridPos = { x: num(m.gridPos?.x, 0), y: num(m.gridPos?.y, 1e6), w: num(m.gridPos?.w, 12), h: num(m.gridPos?.h, m.type === 'row' ? 1 : 8) };
  const id = num(m.id, 0) || r.ids.next++;
  return {
    id, type: str(m.type, 'unknown'), title: str(m.title), description: str(m.description) || undefined, gridPos: grid, datasource: m.datasource ?? null, options: m.options ?? {}, originalType: raw.type,
    targets: list(m.targets).map((t, i) => ({ ...t, refId: str(t.refId) || String.fromCharCode(65 + (i % 26)), expr: typeof t.expr === 'string' ? t.expr : undefined, legendFormat: typeof t.legendFormat === 'string' ? t.legendFormat : undefined, intervalFactor: num(t.intervalFactor, 1) })),
    fieldConfig: { defaults: m.fieldConfig?.defaults ?? {}, overrides: list(m.fieldConfig?.overrides).filter((o) => o.matcher).map((o) => ({ matcher: o.matcher, properties: list(o.properties) })) },
    transformations: list(m.transformations), interval: str(m.interval) || undefined, maxDataPoints: m.maxDataPoints ? num(m.maxDataPoints, 0) : null, timeFrom: str(m.timeFrom) || undefined, timeShift: str(m.timeShift) || undefined,
    hideTimeOverride: !!m.hideTimeOverride, transparent: !!m.transparent, repeat: str(m.repeat) || undefined, repeatDirection: str(m.repeatDirection) || undefined, maxPerRow: num(m.maxPerRow ?? (m.minSpan ? 24 / num(m.minSpan, 24) : 0), 0) || undefined,
    links: list(m.links).map((l) => ({ title: str(l.title), url: str(l.url ?? l.dashUri), targetBlank: !!l.targetBlank })).filter((l) => l.url), collapsed: !!m.collapsed,
    panels: m.type === 'row' ? list(m.panels).map((p) => readPanel(p, r)) : undefined,
  };
}
const readLink = (l: Json): DashLink => ({ type: str(l.type, 'link'), title: str(l.title), url: str(l.url) || undefined, tags: Array.isArray(l.tags) ? l.tags.map((t: Json) => str(t)) : [], targetBlank: !!l.targetBlank, keepTime: !!l.keepTime, includeVars: !!l.includeVars, tooltip: str(l.tooltip) || undefined });

const varValue = (v: Json, multi: boolean): VarValue => {
  const one = Array.isArray(v) ? v.map((x) => str(x)) : str(v);
  return multi ? (Array.isArray(one) ? one : one === '' ? [] : [one]) : Array.isArray(one) ? one[0] ?? '' : one;
};
function readVariable(v: Json): Variable {
  const type = str(v.type, 'query') === 'filter' ? 'query' : str(v.type, 'query'), multi = !!v.multi, options = list(v.options).map((o): VarOption => ({ text: str(o.text), value: str(o.value) }));
  const out: Variable = {
    name: str(v.name), type, label: str(v.label) || undefined, hide: type === 'constant' ? 2 : num(v.hide, 0), query: v.query ?? '', definition: str(v.definition) || undefined, regex: str(v.regex), multi, includeAll: !!v.includeAll,
    allValue: str(v.allValue) || null, sort: num(v.sort, 0), refresh: num(v.refresh, 1) || 1, options: type === 'query' || type === 'datasource' ? [] : options, current: varValue(v.current?.value ?? '', multi), datasource: v.datasource ?? null,
    auto: !!v.auto, autoCount: num(v.auto_count, 30), autoMin: str(v.auto_min), skipUrlSync: !!v.skipUrlSync,
  };
  return fixed(out, v);
}
/* Types whose options stand in the model itself. */
function fixed(out: Variable, v: Json): Variable {
  const q = str(v.query);
  if (out.type === 'custom') out.options = customOptions(q);
  if (out.type === 'interval') out.options = [...(out.auto ? [{ text: 'auto', value: `$__auto_interval_${out.name}` }] : []), ...q.split(',').map((s) => s.trim().replace(/^"|"$/g, '')).filter(Boolean).map((s) => ({ text: s, value: s }))];
  if (out.type === 'textbox' || out.type === 'constant') { out.current = out.type === 'constant' || out.current === '' || out.current.length === 0 ? q : out.current; out.options = [{ text: q, value: q }]; }
  if ((out.type === 'custom' || out.type === 'interval') && !out.current.length && out.options[0]) out.current = out.includeAll ? (out.multi ? ['$__all'] : '$__all') : out.multi ? [out.options[0].value] : out.options[0].value;
  return out;
}
