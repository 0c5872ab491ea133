// SPDX-License-Identifier: Apache-2.0
// Where the conformance data lies: VIGIE_DATA, else beside the repository. Absent data skips a test and says so.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

declare const VIGIE_WEB: string;
export const repo = join(VIGIE_WEB, '..');
export const data = process.env.VIGIE_DATA ?? join(repo, '..', 'shared', 'data');
export const skipWithout = (path: string): string | false => (existsSync(join(data, path)) ? false : `no ${path} under ${data} (set VIGIE_DATA)`);
export const readData = (path: string): string => readFileSync(join(data, path), 'utf8');
export const golden = <T>(name: string): T => JSON.parse(readFileSync(join(repo, 'tests', 'golden', 'api', name), 'utf8')) as T;
