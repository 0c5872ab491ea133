/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - the role's flags, the original's and a few of our own
 *
 * Source: kafka_exporter 1.9.0 --help.
 */
#ifndef ROLES_KAFKA_EXPORTER_OPTIONS_H
#define ROLES_KAFKA_EXPORTER_OPTIONS_H

#include "codec/flags.h"

struct kafka_exporter_options {
    struct str listen_address, telemetry_path;
    struct str topic_filter, topic_exclude, group_filter, group_exclude;
    struct flag_strs servers;
    struct str labels; /* "k=v,k2=v2" */
    bool offset_show_all;

    /* Ours. */
    int64_t collect_interval_ms, log_dirs_interval_ms;
    int64_t connect_timeout_ms, request_timeout_ms;
    int64_t response_max;

    struct str log_level, log_format; /* read by app */

    /* Accepted because the original has them. */
    bool zookeeper;
    struct ignored {
        bool sarama, sasl, handshake, no_fast, tls, skip_verify, server_tls, mutual, concurrent,
            auto_create, version;
        struct str text;
        struct flag_strs texts;
        int64_t number;
    } ignored;
};

extern const struct flag KAFKA_EXPORTER_FLAGS[];

#endif
