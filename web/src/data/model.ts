// SPDX-License-Identifier: Apache-2.0
/* What:  the shapes that travel through the page: a dashboard as its user wrote it, frames, and configured fields.
 * Shape: plain data. Everything foreign is optional; `Json` marks what nobody has checked yet. */

export type Json = any; // eslint-disable-line -- a dashboard is foreign JSON: each reader checks what it takes
export type Labels = Record<string, string>;
export type Value = number | string | boolean | null;

export interface DataSourceRef { type?: string; uid?: string }
export interface Target { refId: string; expr?: string; legendFormat?: string; format?: string; instant?: boolean; range?: boolean; interval?: string; intervalFactor?: number; hide?: boolean; datasource?: DataSourceRef | string | null }
export interface GridPos { x: number; y: number; w: number; h: number }
export interface Threshold { value: number | null; color: string }
export interface Thresholds { mode: 'absolute' | 'percentage'; steps: Threshold[] }
export interface ColorConfig { mode: string; fixedColor?: string; seriesBy?: string }
export interface DataLink { title?: string; url?: string; targetBlank?: boolean }
export interface FieldConfig {
  unit?: string; decimals?: number | null; min?: number | null; max?: number | null; displayName?: string; noValue?: string; thresholds?: Thresholds; mappings?: Json[];
  color?: ColorConfig; links?: DataLink[]; custom?: Record<string, Json>; fieldMinMax?: boolean;
}
export interface Override { matcher: { id: string; options?: Json }; properties: { id: string; value?: Json }[] }
export interface FieldConfigSource { defaults: FieldConfig; overrides: Override[] }
export interface Transformation { id: string; options?: Json; disabled?: boolean; filter?: { id: string; options?: Json } }
export interface Panel {
  id: number; type: string; title: string; description?: string; gridPos: GridPos; targets: Target[]; datasource?: DataSourceRef | string | null; options: Record<string, Json>;
  fieldConfig: FieldConfigSource; transformations: Transformation[]; interval?: string; maxDataPoints?: number | null; timeFrom?: string; timeShift?: string; hideTimeOverride?: boolean;
  transparent?: boolean; repeat?: string; repeatDirection?: string; maxPerRow?: number; links: DataLink[]; collapsed?: boolean; panels?: Panel[]; scoped?: Record<string, string>; originalType?: string;
}
export type VarValue = string | string[];
export interface Variable {
  name: string; type: string; label?: string; hide: number; query: Json; definition?: string; regex: string; multi: boolean; includeAll: boolean; allValue?: string | null; sort: number; refresh: number;
  options: VarOption[]; current: VarValue; text?: VarValue; datasource?: DataSourceRef | string | null; auto?: boolean; autoCount?: number; autoMin?: string; skipUrlSync?: boolean;
}
export interface VarOption { text: string; value: string }
export interface DashLink { type: string; title: string; url?: string; tags?: string[]; targetBlank?: boolean; keepTime?: boolean; includeVars?: boolean; tooltip?: string }
export interface Dashboard {
  uid: string; title: string; tags: string[]; panels: Panel[]; variables: Variable[]; time: { from: string; to: string }; refresh: string; timezone: string; links: DashLink[];
  inputs: Json[]; crosshair: number; schemaVersion: number; intervals: string[]; notes: string[];
}

export type FieldType = 'time' | 'number' | 'string' | 'boolean' | 'other';
export interface Field { name: string; type: FieldType; values: Value[]; labels?: Labels; config: FieldConfig; interval?: number; dsName?: string }
export interface Frame { refId: string; name?: string; fields: Field[]; length: number }

export interface DisplayValue { text: string; color: string; numeric: number; percent: number; mapped: boolean }
export interface ShownField extends Field { title: string; display: (v: Value) => DisplayValue; seriesIndex: number; refId: string; range: { min: number; max: number } }
export interface ShownFrame { refId: string; name?: string; fields: ShownField[]; length: number }
export const isNumber = (v: unknown): v is number => typeof v === 'number';
