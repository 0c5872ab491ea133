/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - `vigie run`: the core (prometheus, alertmanager, grafana) and its child, the collectors
 */
#ifndef APP_RUN_H
#define APP_RUN_H

/* Each returns the exit code; argv[0] is not read. */
int run_core(int argc, char **argv);
int run_collectors(int argc, char **argv); /* what the core starts; same arguments */

#endif
