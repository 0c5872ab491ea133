/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload.h - a notification as the bytes that a receiver gets
 *
 * Shape:  pure: everything is in the arena. A field whose template fails carries the error's text in its place, so that the person
 *         is told; only an address that fails (URL, channel, to, from) fails the message.
 * Differs: the original sends nothing when a template fails.
 * Source: bodies of Alertmanager 0.34 (webhook version 4, Slack attachments, MIME mail).
 */
#ifndef ALERT_PAYLOAD_H
#define ALERT_PAYLOAD_H

#include "alert/config.h"
#include "alert/data.h"
#include "io/smtp.h"

struct message {
    bool is_mail;
    struct str url, body;                        /* HTTP: POST of JSON */
    struct str host, hello, user, from, message; /* mail */
    uint16_t port;
    const struct str *to;
    size_t to_n;
};

/* unique: for Message-Id. Errors: ERR_SYNTAX an address' template or the address itself. */
enum err message_render(const struct notification *nt, uint64_t unique, struct arena *a,
                        struct message *out, struct diag *d);

/* Cut to n runes, the last one an ellipsis; *cut says whether (Go: TruncateInRunes). */
struct str truncate_runes(struct arena *a, struct str s, size_t n, bool *cut);

/* What an answer means. body: its first bytes. reason: label of the metric. */
struct verdict {
    bool ok, retry;
    const char *reason;
};
struct verdict http_verdict(const struct integration *in, int status, struct str body,
                            struct diag *d);

#endif
