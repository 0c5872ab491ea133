/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exam.h - one examination: what is known of the patient, who is being asked, what was found
 *
 * Shape:   probes are jobs that end by their own deadlines; they report findings, say figures, and may begin more probes. What
 *          hangs nevertheless is named when the whole examination's time is over, and its late reports are dropped.
 * Threads: everything below may be called by any probe; one lock inside, never held across I/O.
 */
#ifndef COMMANDS_DOCTOR_EXAM_H
#define COMMANDS_DOCTOR_EXAM_H

#include "base/vec.h"
#include "commands/doctor/doctor.h"
#include "io/pool.h"

#include <pthread.h>

enum { EVIDENCE_MAX = 8, ALSO_MAX = 5, STEP_MS = 2500 };

struct finding {
    enum check check;
    enum severity severity;
    struct saying title, cause, fix;
    struct str evidence[EVIDENCE_MAX]; /* texts of peers, places in files: as they are */
    size_t evidence_n, evidence_more;
    struct saying also[ALSO_MAX]; /* titles of others with the same cause and the same fix */
    size_t also_n, also_more;
    struct str file; /* of the configuration; empty: it is in none */
    size_t order;    /* of reporting */
};

/* A configuration file that was read, for the page. */
struct read_file {
    struct str shown;
    bool builtin;
};

/* How one of the five roles is. */
struct role_state {
    bool up, taken;
    double memory_bytes, cpu_seconds, start_seconds; /* 0: not known */
};

struct exam {
    const struct doctor_input *in;
    struct pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct arena a;   /* of findings; under lock, as all below */
    size_t running;   /* probes that have not ended */
    struct list *all; /* of struct probe, for the names of those that hang */
    struct {
        VEC(struct str) v;
    } once;      /* what exam_once() saw */
    bool closed; /* the time is over */
    struct {
        VEC(struct finding) v;
    } findings;
    struct {
        VEC(struct read_file) v;
    } files;
    struct saying ok[CHECK_MAX_];      /* titles of what is well; W_NONE: the check's usual one */
    struct saying figures[CHECK_MAX_]; /* W_NONE: nobody got far enough to say one */
    bool unsure[CHECK_MAX_];
    struct role_state roles[DOCTOR_ROLES];
    int64_t began_ms, clock_ms; /* monotonic; wall */
    bool jmx_named;             /* flags or the file say where JMX is; set before probes begin */
    int64_t disk_free_bytes, disk_total_bytes;
    bool clock_known;
    int64_t clock_apart_ms; /* the largest that was seen */
};

/* fn(x, ctx) runs on a worker; name tells people what is waited for. ctx is the exam's arena's or outlives it. */
void exam_probe(struct exam *x, enum check check, struct str name,
                void (*fn)(struct exam *x, void *ctx), void *ctx);

/* All of it is copied. evidence may be empty; several lines: exam_report_lines. */
void exam_report(struct exam *x, enum check check, enum severity severity, struct saying title,
                 struct saying cause, struct saying fix, struct str evidence);
/* The same about a configuration file; the evidence begins with it. */
void exam_report_file(struct exam *x, enum check check, enum severity severity, struct saying title,
                      struct saying cause, struct saying fix, struct str evidence, struct str file);

void exam_figure(struct exam *x, enum check check, struct saying figure);
/* Something of the check could not be judged, for a reason that is told elsewhere. */
void exam_unsure(struct exam *x, enum check check);
void exam_ok_title(struct exam *x, enum check check, struct saying title);
void exam_file(struct exam *x, const struct doctor_file *f);

/* Names of the probes that run, "a, b"; under lock. */
struct buf;
void exam_waiting(const struct exam *x, struct buf *b);

/* The time is over: names what hangs, and takes no report any more. */
void exam_close(struct exam *x);

/* A copy in the exam's arena, for contexts of probes. */
struct str exam_dup(struct exam *x, struct str s);
void *exam_alloc(struct exam *x, size_t n);

/* True the first time that it sees the key: what several probes come across is asked once. */
bool exam_once(struct exam *x, struct str key);

/* The worst of a check, or of all with CHECK_MAX_. */
enum severity exam_worst(const struct exam *x, enum check check);

/* "HOST:PORT" or "[v6]:PORT"; false: it is none. */
bool split_address(struct str text, uint16_t otherwise, struct str *host, uint16_t *port);

/* files.c ... machine.c: each begins the probes of its part. */

void examine_kafka(struct exam *x);
void examine_jmx_hosts(struct exam *x, const struct str *hosts, size_t n);
void examine_roles(struct exam *x);
void examine_machine(struct exam *x);
void roles_conclude(struct exam *x); /* once the roles were asked */

#endif
