// SPDX-License-Identifier: Apache-2.0
/* What: the API's answers, as far as the page reads them. Held to tests/golden/api/ by test/api.test.ts. */
import type { Json, Labels } from '../data/model.ts';
import type { PromResult } from '../data/frames.ts';

export interface Settings { buildInfo: { version: string; commit?: string }; vigie?: { lang?: 'en' | 'fr' | ''; defaultPassword?: boolean; mustChangePassword?: boolean; cluster?: string } }
export interface User { id: number; login: string; name: string; email: string }
export interface SourceInfo { id: number; uid: string; name: string; type: string; url: string; isDefault: boolean; readOnly?: boolean; access?: string; jsonData?: { timeInterval?: string } }
export interface SearchHit { uid: string; title: string; url: string; type: string; tags: string[]; folderTitle?: string }
export interface DashboardAnswer { dashboard: Json; meta: { slug: string; url: string; provisioned: boolean; provisionedExternalId: string; canSave: boolean; version?: number } }
export interface ImportAnswer { uid: string; importedUrl: string; title: string }

export interface PromAnswer<T> { status: 'success' | 'error'; data: T; error?: string; errorType?: string; warnings?: string[]; infos?: string[] }
export type QueryAnswer = PromAnswer<PromResult>;
export interface Alert { labels: Labels; annotations: Labels; state: 'pending' | 'firing' | 'inactive'; activeAt: string; value: string }
export interface Rule { type: string; name: string; query: string; duration?: number; labels?: Labels; annotations?: Labels; state?: string; health: string; lastError?: string; alerts?: Alert[]; lastEvaluation?: string }
export interface RuleGroup { name: string; file: string; interval: number; rules: Rule[] }
export interface ScrapeTarget { labels: Labels; discoveredLabels?: Labels; scrapePool: string; scrapeUrl: string; health: 'up' | 'down' | 'unknown'; lastError: string; lastScrape: string; lastScrapeDuration: number; scrapeInterval?: string; scrapeTimeout?: string }
export interface AmAlert { labels: Labels; annotations: Labels; startsAt: string; endsAt: string; updatedAt: string; fingerprint: string; status: { state: 'active' | 'suppressed' | 'unprocessed'; silencedBy: string[]; inhibitedBy: string[] }; receivers: { name: string }[] }
export interface Silence { id: string; status: { state: 'active' | 'pending' | 'expired' }; startsAt: string; endsAt: string; createdBy: string; comment: string; matchers: { name: string; value: string; isRegex: boolean; isEqual?: boolean }[] }
export type NewSilence = Pick<Silence, 'matchers' | 'startsAt' | 'endsAt' | 'createdBy' | 'comment'>;

export type DoctorSeverity = 'ok' | 'note' | 'warning' | 'error';
export interface DoctorCheck { n: number; id: string; name: string; severity: DoctorSeverity; examined: boolean; title: string; figure: string }
export interface DoctorFinding { check: number; severity: DoctorSeverity; id: string; cause_id: string; title: string; also: string[]; also_more: number; cause: string; evidence: string[]; evidence_more: number; fix: string; file: string }
export interface DoctorReport {
  version: number; lang: string; at_ms: number; took_ms: number; severity: DoctorSeverity; exit_code: number; summary: string; checks: DoctorCheck[]; findings: DoctorFinding[];
  roles: { name: string; port: number; state: 'up' | 'down' | 'taken'; memory_bytes: number; cpu_percent: number; started_ms: number }[];
  files: { path: string; builtin: boolean; errors: number; warnings: number }[]; data: { folder: string; free_bytes: number; total_bytes: number; clock_apart_seconds: number | null }; command: string;
}
