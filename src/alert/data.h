/* SPDX-License-Identifier: Apache-2.0 */
/*
 * data.h - what notification templates see, their functions, and the templates every user may count on
 *
 * Source: Alertmanager documentation "Notification template reference"; names of the default templates (0.34).
 */
#ifndef ALERT_DATA_H
#define ALERT_DATA_H

#include "alert/alert.h"
#include "codec/gotmpl.h"

/* Function tables of every notification template set. */
extern const struct tmpl_func *const alert_tmpl_tables[2];

/* Parses the default templates (slack.default.title, email.default.html, ...) into the set. */
enum err alert_default_templates(struct tmpl_set *set, struct diag *d);

extern const struct tmpl_type kv_type, alerts_type, alert_type, data_type;

/* Fields of the data value, by their order in it. */
enum {
    DATA_RECEIVER,
    DATA_STATUS,
    DATA_ALERTS,
    DATA_REASON,
    DATA_GROUP_LABELS,
    DATA_COMMON_LABELS,
    DATA_COMMON_ANNOTATIONS,
    DATA_ROUTE_LABELS,
    DATA_EXTERNAL_URL,
    DATA_MAX_
};
enum {
    ALERT_STATUS,
    ALERT_LABELS,
    ALERT_ANNOTATIONS,
    ALERT_STARTS_AT,
    ALERT_ENDS_AT,
    ALERT_GENERATOR_URL,
    ALERT_FINGERPRINT,
    ALERT_MAX_
};

/* n: how many of the notification's alerts go in (max_alerts). */
struct tmpl_value alert_data(struct arena *a, const struct notification *nt);

/* The ctx of an execution. */
struct data_ctx {
    int64_t now_ms;
    const struct tmpl_value *data;
    struct str labels[16]; /* route labels being rendered: a cycle is an error */
    size_t labels_n;
};

struct setting;
/* A template setting rendered; a literal one as it is. Errors: as tmpl_execute. */
enum err setting_render(const struct setting *s, enum tmpl_mode mode, struct arena *a,
                        struct data_ctx *ctx, struct str *out, struct diag *d);
/* A text that is no setting (a header, an action), parsed on the spot against the set. */
enum err text_render(const struct tmpl_set *set, struct str text, enum tmpl_mode mode,
                     struct arena *a, struct data_ctx *ctx, struct str *out, struct diag *d);

#endif
