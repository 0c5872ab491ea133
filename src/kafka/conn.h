/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h - one connection to a broker: versions negotiated, requests pipelined, answers in order
 *
 * Shape:   connecting -> ApiVersions -> ready -> down. A broker answers the requests of one connection strictly in order,
 *          so what is under way is a queue; its head must be answered within the request timeout of becoming the head.
 *          The first failure (refused, silent, garbage, wrong correlation id) ends the connection: every request
 *          under way fails with the same sentence, then on_down is called and the conn is gone.
 * Threads: the loop of its kafka_net.
 * Errors:  every diag names the broker and the request: "broker 2 (kafka2:9092): no answer to Metadata within 5 s".
 * Owns:    itself, until on_down or kafka_conn_close().
 */
#ifndef KAFKA_CONN_H
#define KAFKA_CONN_H

#include "kafka/frame.h"
#include "kafka/net.h"

struct kafka_conn;

struct kafka_conn_options {
    struct str who; /* "broker 2" or "bootstrap server", for sentences */
    struct str host;
    uint16_t port;
    struct str client_id;
    int64_t connect_timeout_ms, request_timeout_ms;
    size_t response_max; /* bytes of one answer */
};

struct kafka_conn_events {
    void (*on_ready)(void *ctx);
    void (*on_down)(void *ctx, enum err e, const struct diag *d); /* the conn is gone */
    void (*on_sent)(void *ctx, enum kafka_api_id api);            /* for counters */
};

/* What the asker wants to know again when the answer comes. */
struct kafka_tag {
    void *owner;
    uint64_t cycle, arg;
    int64_t sent_ms; /* set by kafka_conn_send() */
};

/*
 * The answer to one request: res is the API's response struct, valid (with its strings) during the call only; NULL when
 * e is not OK. Sending more on the same conn is fine here, closing it, too.
 */
typedef void kafka_answer(const struct kafka_tag *tag, enum err e, const void *res,
                          const struct diag *d);

struct kafka_conn *kafka_conn_open(const struct kafka_net *net, const struct kafka_conn_options *o,
                                   const struct kafka_conn_events *ev, void *ctx);

bool kafka_conn_ready(const struct kafka_conn *c);
bool kafka_conn_has(const struct kafka_conn *c, enum kafka_api_id api);
int16_t kafka_conn_version(const struct kafka_conn *c, enum kafka_api_id api); /* -1: has not */

/*
 * Sends in the negotiated version. answer is called once, later, unless kafka_conn_close() comes first.
 * Errors: ERR_UNSUPPORTED no version in common; answer will not be called
 */
enum err kafka_conn_send(struct kafka_conn *c, enum kafka_api_id api, const void *req,
                         kafka_answer *answer, struct kafka_tag tag, struct diag *d);

/* When the head of the queue runs out of time; INT64_MAX: never. tick() ends the conn when it has. */
int64_t kafka_conn_due(const struct kafka_conn *c);
void kafka_conn_tick(struct kafka_conn *c, int64_t now_ms);

/* No callback any more, not for requests under way either. NULL is fine. */
void kafka_conn_close(struct kafka_conn *c);

#endif
