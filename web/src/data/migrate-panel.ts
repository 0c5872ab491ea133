// SPDX-License-Identifier: Apache-2.0
/* What:   panels of earlier Grafanas (graph, singlestat, table-old, stat before 7) -> today's types.
 * Source: spec/grafana.md 2.13. */
import type { Json, Threshold } from './model.ts';

const list = (v: Json): Json[] => (Array.isArray(v) ? v.filter((x) => x && typeof x === 'object') : []);
const numeric = (v: Json): number | undefined => (v === null || v === undefined || v === '' || !Number.isFinite(Number(v)) ? undefined : Number(v));
const clean = (o: Json): Json => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));

export function migratePanel(p: Json): Json {
  if (p.type === 'graph') return graph(p);
  if (p.type === 'singlestat' || p.type === 'grafana-singlestat-panel') return singlestat(p);
  if (p.type === 'table-old' || (p.type === 'table' && Array.isArray(p.styles))) return oldTable(p);
  if (p.type === 'text2') return { ...p, type: 'text' };
  if (p.type === 'text') return { ...p, options: { mode: p.options?.mode ?? p.mode ?? 'markdown', content: p.options?.content ?? p.content ?? '' } };
  if (p.type === 'row') return p;
  const q = p.options?.fieldOptions ? oldFieldOptions(p) : p;
  return { ...q, fieldConfig: { ...q.fieldConfig, defaults: defaults(q.fieldConfig?.defaults ?? {}), overrides: list(q.fieldConfig?.overrides).map(override) } };
}
function defaults(d: Json): Json {
  const { title, ...rest } = d;
  return { ...rest, ...(title && !rest.displayName ? { displayName: title } : {}), ...(d.mappings ? { mappings: mappings(d.mappings) } : {}), ...(d.custom ? { custom: cell(d.custom) } : {}) };
}
function override(o: Json): Json {
  const props = list(o.properties).map((q) => (q.id === 'mappings' ? { ...q, value: mappings(q.value) } : q.id === 'custom.displayMode' ? { id: 'custom.cellOptions', value: cellOptions(String(q.value)) } : q));
  return { ...o, properties: props };
}
const cell = (c: Json): Json => (c.displayMode && !c.cellOptions ? { ...c, cellOptions: cellOptions(String(c.displayMode)) } : c);
function cellOptions(mode: string): Json {
  if (/gauge$/.test(mode) || mode === 'basic') return { type: 'gauge', mode: mode.replace('-gauge', '') };
  if (mode === 'color-background-solid') return { type: 'color-background', mode: 'basic' };
  return mode === 'color-background' ? { type: 'color-background', mode: 'gradient' } : { type: mode };
}
/** Numbered mapping types (before 8) -> named ones. */
export function mappings(raw: Json): Json[] {
  return list(raw).map((m) => {
    if (typeof m.type === 'string') return m;
    if (m.type === 2 || m.from !== undefined) return { type: 'range', options: { from: numeric(m.from) ?? null, to: numeric(m.to) ?? null, result: { text: m.text } } };
    if (m.value === 'null' || m.value === null) return { type: 'special', options: { match: 'null', result: { text: m.text } } };
    return { type: 'value', options: { [String(m.value)]: { text: m.text } } };
  });
}

function oldFieldOptions(p: Json): Json {
  const { fieldOptions: f, ...options } = p.options, d = f.defaults ?? {};
  const thresholds = d.thresholds ?? (Array.isArray(f.thresholds) ? { mode: 'absolute', steps: list(f.thresholds).map((t, i) => ({ value: i === 0 ? null : t.value, color: t.color })) } : undefined);
  return { ...p, options: { ...options, reduceOptions: { values: !!f.values, calcs: f.calcs ?? ['mean'], limit: f.limit } },
    fieldConfig: { defaults: clean({ ...d, thresholds, mappings: mappings(d.mappings ?? f.mappings) }), overrides: list(f.override ?? f.overrides) } };
}

const CALC: Record<string, string> = { current: 'lastNotNull', avg: 'mean', total: 'sum', min: 'min', max: 'max', first: 'first', delta: 'delta', diff: 'diff', range: 'range', last_time: 'last', name: 'lastNotNull' };
const LEGEND_VALUES = ['min', 'max', 'avg', 'current', 'total'];

function graph(p: Json): Json {
  const left = p.yaxes?.[0] ?? {}, thresholds = graphThresholds(p), bars = !!p.bars && !p.lines, overrides = graphOverrides(p);
  const custom = clean({
    drawStyle: bars ? 'bars' : p.lines === false ? 'points' : 'line', lineWidth: p.lines === false && !bars ? undefined : numeric(p.linewidth) ?? 1, fillOpacity: bars ? 100 : (numeric(p.fill) ?? 1) * 10, gradientMode: p.fillGradient ? 'opacity' : 'none',
    lineInterpolation: p.steppedLine ? 'stepAfter' : undefined, showPoints: p.points ? 'always' : 'never', pointSize: p.points ? 2 + 2 * (numeric(p.pointradius) ?? 2) : undefined, spanNulls: p.nullPointMode === 'connected' ? true : undefined,
    stacking: p.stack ? { mode: p.percentage ? 'percent' : 'normal', group: 'A' } : undefined, lineStyle: p.dashes ? { fill: 'dash', dash: [p.dashLength ?? 10, p.spaceLength ?? 10] } : undefined, axisLabel: left.label || undefined,
    scaleDistribution: Number(left.logBase) > 1 ? { type: 'log', log: Number(left.logBase) } : undefined, axisPlacement: left.show === false ? 'hidden' : undefined, thresholdsStyle: thresholds.mode ? { mode: thresholds.mode } : undefined,
  });
  const l = p.legend ?? {}, values = LEGEND_VALUES.filter((k) => l[k]);
  return { ...p, type: 'timeseries',
    fieldConfig: { defaults: clean({ unit: left.format, decimals: numeric(p.decimals ?? left.decimals), min: numeric(left.min), max: numeric(left.max), color: { mode: 'palette-classic' }, thresholds: thresholds.steps, custom }), overrides },
    options: { legend: { showLegend: l.show !== false, displayMode: l.alignAsTable ? 'table' : 'list', placement: l.rightSide ? 'right' : 'bottom', calcs: l.values === false ? [] : values.map((k) => CALC[k]!),
      ...(l.sort ? { sortBy: ({ current: 'Last *', avg: 'Mean', total: 'Total', min: 'Min', max: 'Max' } as Record<string, string>)[l.sort], sortDesc: !!l.sortDesc } : {}) },
    tooltip: { mode: p.tooltip?.shared === false ? 'single' : 'multi', sort: p.tooltip?.sort === 2 ? 'desc' : p.tooltip?.sort === 1 ? 'asc' : 'none' } } };
}
function graphThresholds(p: Json): { steps?: Json; mode?: string } {
  const t = list(p.thresholds).filter((x) => numeric(x.value) !== undefined);
  if (!t.length) return {};
  const color = (x: Json): string => ({ critical: 'red', warning: 'orange', ok: 'green' } as Record<string, string>)[x.colorMode] ?? x.fillColor ?? x.lineColor ?? 'red';
  const steps: Threshold[] = [{ value: null, color: t[0].op === 'lt' ? color(t[0]) : 'transparent' }];
  for (const x of t) steps.push({ value: Number(x.value), color: x.op === 'lt' ? 'transparent' : color(x) });
  steps.sort((a, b) => (a.value ?? -Infinity) - (b.value ?? -Infinity));
  return { steps: { mode: 'absolute', steps }, mode: t.some((x) => x.fill) ? (t.some((x) => x.line) ? 'line+area' : 'area') : 'line' };
}
function graphOverrides(p: Json): Json[] {
  const out: Json[] = Object.entries(p.aliasColors ?? {}).map(([name, color]) => ({ matcher: { id: 'byName', options: name }, properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }] }));
  const right = p.yaxes?.[1] ?? {};
  for (const s of list(p.seriesOverrides)) {
    if (typeof s.alias !== 'string') continue;
    const props: Json[] = [], put = (id: string, value: Json): void => { if (value !== undefined) props.push({ id, value }); };
    if (s.yaxis === 2) { put('unit', right.format); put('min', numeric(right.min)); put('max', numeric(right.max)); put('custom.axisPlacement', 'right'); put('custom.axisLabel', right.label || undefined); }
    put('custom.lineWidth', s.lines === false ? 0 : numeric(s.linewidth));
    put('custom.fillOpacity', numeric(s.fill) === undefined ? undefined : Number(s.fill) * 10);
    if (s.bars) put('custom.drawStyle', 'bars');
    if (s.color) put('color', { mode: 'fixed', fixedColor: s.color });
    if (s.stack !== undefined) put('custom.stacking', { mode: s.stack ? 'normal' : 'none', group: typeof s.stack === 'string' ? s.stack : 'A' });
    if (s.transform === 'negative-Y') put('custom.transform', 'negative-Y');
    if (s.dashes) put('custom.lineStyle', { fill: 'dash', dash: [s.dashLength ?? 10, s.spaceLength ?? 10] });
    if (s.hiddenSeries || s.legend === false) put('custom.hideFrom', { legend: s.legend === false, viz: !!s.hiddenSeries, tooltip: false });
    if (props.length) out.push({ matcher: { id: /^\/.*\/\w*$/.test(s.alias) ? 'byRegexp' : 'byName', options: s.alias }, properties: props });
  }
  return out;
}

function singlestat(p: Json): Json {
  const colors: string[] = Array.isArray(p.colors) ? p.colors.map(String) : ['green', 'orange', 'red'], cuts = String(p.thresholds ?? '').split(',').map((x) => numeric(x.trim())).filter((x): x is number => x !== undefined);
  const steps: Threshold[] = [{ value: null, color: colors[0] ?? 'green' }, ...cuts.map((value, i) => ({ value, color: colors[i + 1] ?? 'red' }))];
  const gauge = !!p.gauge?.show, maps = p.mappingType === 2 ? list(p.rangeMaps).map((m) => ({ ...m, type: 2 })) : list(p.valueMaps).map((m) => ({ ...m, type: 1 }));
  const unit = p.prefix || p.postfix ? `${p.format && p.format !== 'none' ? '' : p.prefix && !p.postfix ? `prefix:${p.prefix}` : `suffix:${p.postfix ?? ''}`}` || p.format : p.format;
  return { ...p, type: gauge ? 'gauge' : 'stat',
    fieldConfig: { defaults: clean({ unit, decimals: numeric(p.decimals), min: gauge ? numeric(p.gauge.minValue) : undefined, max: gauge ? numeric(p.gauge.maxValue) : undefined, noValue: p.nullText || undefined, color: { mode: 'thresholds' },
      thresholds: { mode: 'absolute', steps }, mappings: mappings(maps) }), overrides: [] },
    options: { reduceOptions: { calcs: [CALC[p.valueName] ?? 'mean'], fields: p.tableColumn ? `/^${String(p.tableColumn).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$/` : '', values: false }, colorMode: p.colorBackground ? 'background' : p.colorValue ? 'value' : 'none',
      graphMode: p.sparkline?.show ? 'area' : 'none', orientation: 'horizontal', textMode: p.valueName === 'name' ? 'name' : 'auto' } };
}

const OLD_TRANSFORM: Record<string, Json> = { table: { id: 'merge', options: {} }, timeseries_to_rows: { id: 'seriesToRows', options: {} }, timeseries_to_columns: { id: 'seriesToColumns', options: { byField: 'Time' } } };
function oldTable(p: Json): Json {
  let base: Json = {};
  const overrides: Json[] = [];
  for (const s of list(p.styles)) {
    const props = styleProps(s);
    if (s.pattern === '/.*/' || s.pattern === '.*') { base = { ...base, ...Object.fromEntries(props.filter((q) => q.id === 'unit' || q.id === 'decimals').map((q) => [q.id, q.value])) }; continue; }
    if (s.pattern && props.length) overrides.push({ matcher: { id: /^\/.*\/\w*$/.test(s.pattern) ? 'byRegexp' : 'byName', options: s.pattern }, properties: props });
  }
  const agg = p.transform === 'timeseries_aggregations' ? { id: 'reduce', options: { reducers: list(p.columns).map((c) => CALC[c.value] ?? c.value) } } : undefined, step = agg ?? OLD_TRANSFORM[p.transform];
  return { ...p, type: 'table', fieldConfig: { defaults: base, overrides }, options: { showHeader: p.showHeader !== false, sortBy: [] }, transformations: [...(step ? [step] : []), ...list(p.transformations)] };
}
function styleProps(s: Json): Json[] {
  const props: Json[] = [], put = (id: string, value: Json): void => { if (value !== undefined && value !== '') props.push({ id, value }); };
  put('displayName', s.alias || undefined);
  if (s.type === 'date') put('unit', `time: ${s.dateFormat ?? 'YYYY-MM-DD HH:mm:ss'}`);
  if (s.type === 'hidden') put('custom.hidden', true);
  if (s.type === 'number') { put('unit', s.unit); put('decimals', numeric(s.decimals)); }
  if (s.colorMode && list(s.thresholds).length + (Array.isArray(s.thresholds) ? s.thresholds.length : 0) > 0) {
    put('custom.cellOptions', { type: s.colorMode === 'value' ? 'color-text' : 'color-background', mode: 'basic' });
    put('thresholds', { mode: 'absolute', steps: [{ value: null, color: s.colors?.[0] ?? 'green' }, ...(s.thresholds as Json[]).map((t, i) => ({ value: numeric(t) ?? 0, color: s.colors?.[i + 1] ?? 'red' }))] });
  }
  if (s.link) put('links', [{ title: s.linkTooltip ?? '', url: s.linkUrl, targetBlank: !!s.linkTargetBlank }]);
  if (s.align && s.align !== 'auto') put('custom.align', s.align);
  return props;
}
