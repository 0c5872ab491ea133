/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - one entry of remote_write or remote_read, as the role hands it over from its configuration
 *
 * Owns: nothing; what it points to lives as long as whoever made it promised (writer.h, reader.h).
 */
#ifndef REMOTE_OPTIONS_H
#define REMOTE_OPTIONS_H

#include "io/http_client.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/relabel.h"

struct http_config;

struct remote_target {
    struct str name, url;
    int64_t timeout_ms;
    const struct http_pair *headers;
    size_t headers_n;
    const struct http_config *http;
};

struct queue_options {
    int64_t capacity, max_shards, min_shards, max_samples_per_send;
    int64_t batch_deadline_ms, min_backoff_ms, max_backoff_ms;
    int64_t age_limit_ms; /* 0: none */
    bool retry_on_429;
};

struct remote_write_options {
    struct remote_target to;
    const struct relabel_rule *relabel;
    size_t relabel_n;
    struct labels external;
    struct queue_options queue;
    bool metadata;
    int64_t metadata_interval_ms, metadata_max;
    struct str
        identity; /* the entry as it is printed: a reload keeps a queue whose entry says the same */
};

struct remote_read_options {
    struct remote_target from;
    const struct label *required; /* a selector must have these equalities */
    size_t required_n;
    bool read_recent, filter_external;
    struct labels external;
    size_t frame_max; /* bytes of one frame of chunks */
};

#endif
