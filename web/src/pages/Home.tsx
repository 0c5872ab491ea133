// SPDX-License-Identifier: Apache-2.0
import '../core.ts';
import { Frame } from '../ui/Frame.tsx';
import { t } from '../i18n/index.ts';
export function HomePage() { return <Frame page="home" title={t().overview}><p>…</p></Frame>; }
