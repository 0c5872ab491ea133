/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - one process: its threads, its signals, and the roles that run in it
 *
 * Threads: the main thread runs the serve loop and takes signals; one thread runs the collect loop; a pool of workers
 *          (one a processor) does the rest. SIGTERM and SIGINT end, SIGHUP reloads every role.
 */
#ifndef APP_PROCESS_H
#define APP_PROCESS_H

#include "model/role.h"

enum { PROCESS_ROLES_MAX = 8 };

struct process;

struct process *process_new(void);

/* Starts a role; its config must live as long as the process. Before process_run(). */
enum err process_start(struct process *p, const struct role *r, const void *config, struct diag *d);

const struct role_env *process_env(const struct process *p);

/* Of a started role, NULL otherwise. */
void *process_state(const struct process *p, const char *role);

/* Until a signal or stop_all(). Returns the exit code. */
int process_run(struct process *p);

/* Stops and frees all roles in reverse order, then loops and pool. */
void process_free(struct process *p);

#endif
