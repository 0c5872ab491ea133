/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - `vigie doctor`: why there is no data, no page, no message, and the command that mends it
 *
 * Shape:  the caller (app) has taken the command line of `vigie run` apart and found the files; the doctor looks at
 *         everything that they name, all at once, and prints what it found. It changes nothing and sends nothing.
 * Threads: called on the main thread; jobs run on workers of its own.
 */
#ifndef COMMANDS_DOCTOR_DOCTOR_H
#define COMMANDS_DOCTOR_DOCTOR_H

#include "base/arena.h"
#include "commands/doctor/words.h"

struct doctor_role {
    const char *name;
    struct str host; /* to reach it from here */
    uint16_t port, usual_port;
    const char
        *container; /* host name in the document's files: with the usual port it means this role */
    struct str port_flag; /* "prometheus.web.listen-address" */
};

enum { DOCTOR_ROLES = 5 }; /* kafka-exporter, jmx-exporter, prometheus, alertmanager, grafana */

/* A file or folder of the configuration: the user's, or the built-in one. */
struct doctor_file {
    struct str path, shown;
    bool builtin;
};

struct doctor_input {
    struct str dir, data;
    const struct str *kafka, *jmx; /* HOST:PORT */
    size_t kafka_n, jmx_n;
    struct doctor_file prometheus, alertmanager, jmx_config, provisioning;
    struct doctor_role roles[DOCTOR_ROLES];
    struct str builtin_dir; /* where built-in files were written, for sentences; empty: none was */
    struct str command;     /* what `vigie run` is to be given, for sentences */
    enum lang lang;
    bool json, progress;
    int64_t timeout_ms;
    int64_t disk_limit; /* percent from which a disk is nearly full */
};

/* Exit codes. */
enum { DOCTOR_WELL = 0, DOCTOR_WARNINGS = 1, DOCTOR_ERRORS = 2, DOCTOR_FAILED = 3 };

/*
 * Prints to standard output and returns the exit code. *hanging: something still waits on its thread; leave by _exit().
 * The input must live until then.
 */
int doctor_run(const struct doctor_input *in, bool *hanging);

#endif
