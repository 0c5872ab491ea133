// SPDX-License-Identifier: Apache-2.0
/* What: the modules that every page uses. The build makes each part that is fetched later import this file, so that they lie
 *       in one chunk instead of a dozen small ones that compress badly. */
import './ui/Frame.tsx';
import './ui/TimeBar.tsx';
import './ui/AlertRow.tsx';
import './ui/Spark.tsx';
import './ui/lazy.tsx';
import './state/clock.ts';
import './data/alerts.ts';
import './data/fields.ts';
import './data/interpolate.ts';
