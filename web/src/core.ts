// SPDX-License-Identifier: Apache-2.0
/* What: the modules that every page uses. Each part that is fetched later imports this file, so that the bundler sees them
 *       reached from everywhere and keeps them in one chunk instead of a dozen small ones that compress badly. */
import './ui/Frame.tsx';
import './ui/TimeBar.tsx';
import './ui/AlertRow.tsx';
import './ui/Spark.tsx';
import './ui/lazy.tsx';
import './state/clock.ts';
import './data/alerts.ts';
import './data/fields.ts';
import './data/interpolate.ts';
