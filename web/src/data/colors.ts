// SPDX-License-Identifier: Apache-2.0
/* What:   colour names of dashboards -> CSS colours, the series palette, colour scales.
 * Shape:  tables for both themes; a series takes its slot by hash of its name, so that it keeps its colour from panel to panel.
 * Source: spec/grafana.md 2.10 and 6.2. Differs: palette-classic uses our colour-blind-safe set. */

const HUES = ['red', 'orange', 'yellow', 'green', 'blue', 'purple'] as const;
const SHADES = ['super-light', 'light', '', 'semi-dark', 'dark'] as const;
/* Six shades a hue: the dark theme reads from the first on, the light theme from the second. */
const TABLE: Record<(typeof HUES)[number], string[]> = {
  red: ['#FFA6B0', '#FF7383', '#F2495C', '#E02F44', '#C4162A', '#AD0317'], orange: ['#FFCB7D', '#FFB357', '#FF9830', '#FF780A', '#FA6400', '#E55400'],
  yellow: ['#FFF899', '#FFEE52', '#FADE2A', '#F2CC0C', '#E0B400', '#CC9D00'], green: ['#C8F2C2', '#96D98D', '#73BF69', '#56A64B', '#37872D', '#19730E'],
  blue: ['#C0D8FF', '#8AB8FF', '#5794F2', '#3274D9', '#1F60C4', '#1250B0'], purple: ['#DEB6F2', '#CA95E5', '#B877D9', '#A352CC', '#8F3BB8', '#7C2EA3'],
};
const SERIES = {
  dark: ['#65B8FE', '#FED990', '#BF2F79', '#5BF8FD', '#6B75F6', '#FD82B8', '#B1BB27', '#A38137'],
  light: ['#3296B4', '#E25500', '#6F0F07', '#4530AF', '#864870', '#7E55D6', '#4C285F', '#B31609'],
};
const PAGE = { dark: { text: '#D5DAE1', panel: '#14171C', muted: '#8C96A3' }, light: { text: '#1D232B', panel: '#FFFFFF', muted: '#5B6673' } };

export function namedColor(name: string, dark: boolean): string {
  const theme = PAGE[dark ? 'dark' : 'light'];
  if (name === 'text') return theme.text;
  if (name === 'panel-bg') return theme.panel;
  const m = /^(?:(super-light|light|semi-dark|dark)-)?(red|orange|yellow|green|blue|purple)$/.exec(name);
  if (!m) return name;
  const shade = SHADES.indexOf((m[1] ?? '') as (typeof SHADES)[number]);
  return TABLE[m[2] as (typeof HUES)[number]][shade + (dark ? 0 : 1)]!;
}

export function hash(s: string): number { let h = 2166136261; for (let i = 0; i < s.length; i++) h = Math.imul(h ^ s.charCodeAt(i), 16777619); return h >>> 0; }

export interface Slot { color: string; dash: number }
/* Names that differ only in their number take neighbouring slots, so that three brokers never look alike. */
function slotOf(name: string, n: number): number { const m = /^(.*?)(\d{1,6})(\D*)$/s.exec(name); return m ? ((m[1]! + m[3]! ? hash(m[1]! + m[3]!) : n - 1) + Number(m[2])) % n : hash(name) % n; }
/** A slot for each name: by hash, the next free one when two want the same, dashes from the ninth on. */
export function seriesSlots(names: string[], dark: boolean): Slot[] {
  const palette = SERIES[dark ? 'dark' : 'light'], n = palette.length;
  let taken = new Set<number>(), round = 0;
  return names.map((name) => {
    if (taken.size === n) { taken = new Set(); round++; }
    let i = slotOf(name, n);
    while (taken.has(i)) i = (i + 1) % n;
    taken.add(i);
    return { color: palette[i]!, dash: round % 3 };
  });
}

type Rgb = [number, number, number];
export function parseColor(c: string): Rgb | undefined {
  const h = /^#([0-9a-f]{3,8})$/i.exec(c)?.[1];
  if (h && (h.length === 3 || h.length === 4)) return [0, 1, 2].map((i) => parseInt(h[i]! + h[i]!, 16)) as Rgb;
  if (h && h.length >= 6) return [0, 2, 4].map((i) => parseInt(h.slice(i, i + 2), 16)) as Rgb;
  const m = /^rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+)/.exec(c);
  return m ? [Number(m[1]), Number(m[2]), Number(m[3])] : undefined;
}
export function alpha(c: string, a: number): string { const p = parseColor(c); return p ? `rgba(${p[0]},${p[1]},${p[2]},${a})` : c; }
const lum = (c: Rgb): number => { const [r, g, b] = c.map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)) as Rgb; return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
/** Black or white, whichever reads better on the colour. */
export function inkOn(c: string): string { const p = parseColor(c); return p && 1.05 / (lum(p) + 0.05) < (lum(p) + 0.05) / 0.05 ? '#0B1016' : '#FFFFFF'; }

/** White on white says nothing: a colour that the panel swallows becomes the theme's text. */
export function readable(c: string, dark: boolean): string {
  const p = parseColor(c), paper = lum(parseColor(PAGE[dark ? 'dark' : 'light'].panel)!), l = p ? lum(p) : paper;
  return p && (Math.max(l, paper) + 0.05) / (Math.min(l, paper) + 0.05) < 1.25 ? PAGE[dark ? 'dark' : 'light'].text : c;
}

const SCALES: Record<string, string[]> = {
  'continuous-GrYlRd': ['green', 'yellow', 'red'], 'continuous-RdYlGr': ['red', 'yellow', 'green'], 'continuous-BlYlRd': ['dark-blue', 'super-light-yellow', 'dark-red'], 'continuous-YlRd': ['super-light-yellow', 'dark-red'],
  'continuous-BlPu': ['blue', 'purple'], 'continuous-YlBl': ['super-light-yellow', 'dark-blue'], 'continuous-blues': ['panel-bg', 'dark-blue'], 'continuous-reds': ['panel-bg', 'dark-red'],
  'continuous-greens': ['panel-bg', 'dark-green'], 'continuous-purples': ['panel-bg', 'dark-purple'], 'continuous-viridis': ['#440154', '#31688E', '#35B779', '#FDE725'], 'continuous-cividis': ['#00224E', '#575D6D', '#A59C74', '#FEE838'],
};
export function scaleColor(mode: string, percent: number, dark: boolean): string | undefined {
  const stops = SCALES[mode];
  if (!stops) return undefined;
  const u = Math.min(1, Math.max(0, Number.isFinite(percent) ? percent : 0)) * (stops.length - 1), i = Math.min(stops.length - 2, Math.floor(u));
  const a = parseColor(namedColor(stops[i]!, dark))!, b = parseColor(namedColor(stops[i + 1]!, dark))!, f = u - i;
  return `rgb(${a.map((v, k) => Math.round(v + (b[k]! - v) * f)).join(',')})`;
}
