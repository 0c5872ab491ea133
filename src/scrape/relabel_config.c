/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relabel_config.c - relabel_config sections: decoding, defaults and the original's validation
 *
 * Source: model/relabel/relabel.go Config.Validate (order and texts of the checks).
 */
#include "base/utf8.h"
#include "codec/goquote.h"
#include "scrape/config_priv.h"

#include <stddef.h>

struct raw_rule {
    struct yaml_strs source_labels;
    struct str separator, target_label, replacement;
    const struct yaml_node *regex, *action, *self;
    int64_t modulus;
};

/* The default is known by its address: a rule that spells (.*) out is printed with it, one that does not is not. */
static const char DEFAULT_REGEX[] = "(.*)";

static const char *const ACTIONS[] = {
    [RELABEL_REPLACE] = "replace",     [RELABEL_KEEP] = "keep",
    [RELABEL_DROP] = "drop",           [RELABEL_KEEPEQUAL] = "keepequal",
    [RELABEL_DROPEQUAL] = "dropequal", [RELABEL_HASHMOD] = "hashmod",
    [RELABEL_LABELMAP] = "labelmap",   [RELABEL_LABELDROP] = "labeldrop",
    [RELABEL_LABELKEEP] = "labelkeep", [RELABEL_LOWERCASE] = "lowercase",
    [RELABEL_UPPERCASE] = "uppercase",
};

#define BIT(action) (1U << (action))
#define NEEDS_TARGET                                                                               \
    (BIT(RELABEL_REPLACE) | BIT(RELABEL_HASHMOD) | BIT(RELABEL_LOWERCASE) |                        \
     BIT(RELABEL_UPPERCASE) | BIT(RELABEL_KEEPEQUAL) | BIT(RELABEL_DROPEQUAL))
#define NO_REPLACEMENT                                                                             \
    (BIT(RELABEL_LOWERCASE) | BIT(RELABEL_UPPERCASE) | BIT(RELABEL_KEEPEQUAL) |                    \
     BIT(RELABEL_DROPEQUAL))

static void raw_defaults(void *out)
{
    struct raw_rule *r = out;
    r->separator = STR(";");
    r->replacement = STR("$1");
}

#define FIELD(k, t, f) .key = (k), .type = (t), .offset = offsetof(struct raw_rule, f)
static const struct yaml_field FIELDS[] = {
    { FIELD("source_labels", YT_STRS, source_labels) },
    { FIELD("separator", YT_STR, separator) },
    { FIELD("regex", YT_NODE, regex) },
    { FIELD("modulus", YT_INT, modulus) },
    { FIELD("target_label", YT_STR, target_label) },
    { FIELD("replacement", YT_STR, replacement) },
    { FIELD("action", YT_NODE, action) },
    { FIELD(YAML_SELF, YT_NODE, self) },
    { 0 },
};
static const struct yaml_table RULE_TABLE = {
    .go_type = "relabel.plain",
    .size = sizeof(struct raw_rule),
    .fields = FIELDS,
    .defaults = raw_defaults,
};

const char *relabel_action_name(enum relabel_action action) { return ACTIONS[action]; }

bool relabel_regex_is_default(const struct relabel_rule *r)
{
    return r->regex_text.p == DEFAULT_REGEX;
}

bool label_name_valid_utf8(struct str s) { return s.n && utf8_valid(s); }

static enum err action_of(struct str name, enum relabel_action *out, struct diag *d)
{
    if (!name.n) return diag_set(d, ERR_SYNTAX, "relabel action cannot be empty");
    for (size_t i = 0; i < ARRAY_LEN(ACTIONS); i++) {
        if (!str_ieq(name, str_c(ACTIONS[i]))) continue;
        *out = (enum relabel_action)i;
        return OK;
    }
    return diag_quoted(d, ERR_SYNTAX, "unknown relabel action ", name,
                       "; expected replace, keep, drop, keepequal, dropequal, hashmod, labelmap, "
                       "labeldrop, labelkeep, lowercase or uppercase");
}

static enum err bad_name(const struct relabel_rule *r, const char *what, struct str value,
                         struct diag *d)
{
    struct diag quoted;
    (void)diag_quoted(&quoted, ERR_SYNTAX, "", value, "");
    return diag_set(d, ERR_SYNTAX, "%s is invalid '%s' for %s action", quoted.text, what,
                    ACTIONS[r->action]);
}

/* A name may hold $1 and ${1}; what it expands to is checked when it is used. */
static bool has_variable(struct str s) { return str_find_char(s, '$') != STR_NONE; }

static enum err check_target(const struct relabel_rule *r, struct diag *d)
{
    unsigned bit = BIT(r->action);
    if (!(bit & NEEDS_TARGET)) return OK;
    if (!r->target_label.n) {
        return diag_set(d, ERR_SYNTAX,
                        "relabel configuration for %s action requires 'target_label' value",
                        ACTIONS[r->action]);
    }
    bool expands = r->action == RELABEL_REPLACE && has_variable(r->target_label);
    if (expands ? !utf8_valid(r->target_label) : !label_name_valid_utf8(r->target_label)) {
        return bad_name(r, "target_label", r->target_label, d);
    }
    return OK;
}

static enum err check_only_labels(const struct relabel_rule *r, struct diag *d)
{
    if (r->action != RELABEL_KEEPEQUAL && r->action != RELABEL_DROPEQUAL) return OK;
    if (relabel_regex_is_default(r) && !r->modulus && str_eq(r->separator, STR(";"))) return OK;
    return diag_set(
        d, ERR_SYNTAX,
        "%s action requires only 'source_labels' and `target_label`, and no other fields",
        ACTIONS[r->action]);
}

static enum err check_only_regex(const struct relabel_rule *r, struct diag *d)
{
    if (r->action != RELABEL_LABELDROP && r->action != RELABEL_LABELKEEP) return OK;
    if (!r->source_n && !r->target_label.n && !r->modulus && str_eq(r->separator, STR(";")) &&
        str_eq(r->replacement, STR("$1"))) {
        return OK;
    }
    return diag_set(d, ERR_SYNTAX, "%s action requires only 'regex', and no other fields",
                    ACTIONS[r->action]);
}

static enum err check_rule(const struct relabel_rule *r, struct diag *d)
{
    if (!r->modulus && r->action == RELABEL_HASHMOD) {
        return diag_set(d, ERR_SYNTAX,
                        "relabel configuration for hashmod requires non-zero modulus");
    }
    TRY(check_target(r, d));
    if ((BIT(r->action) & NO_REPLACEMENT) && !str_eq(r->replacement, STR("$1"))) {
        return diag_set(d, ERR_SYNTAX, "'replacement' can not be set for %s action",
                        ACTIONS[r->action]);
    }
    if (r->action == RELABEL_LABELMAP && !label_name_valid_utf8(r->replacement)) {
        return bad_name(r, "replacement", r->replacement, d);
    }
    TRY(check_only_labels(r, d));
    return check_only_regex(r, d);
}

static enum err check_regex(const struct yaml_node *at, struct str text, struct diag *d)
{
    struct regex *re = NULL;
    enum err e = regex_compile(text, REGEX_RE2, &re, d);
    regex_free(re);
    if (e != OK && d) {
        d->line = at->line;
        d->col = at->col;
    }
    return e;
}

static enum err rule_of(const struct raw_rule *raw, struct relabel_rule *out, struct diag *d)
{
    struct relabel_rule r = {
        .source_labels = raw->source_labels.v,
        .source_n = raw->source_labels.n,
        .separator = raw->separator,
        .target_label = raw->target_label,
        .replacement = raw->replacement,
        .regex_text = str_make(DEFAULT_REGEX, sizeof(DEFAULT_REGEX) - 1),
        .modulus = (uint64_t)raw->modulus,
    };
    if (raw->modulus < 0) return yaml_mismatch(raw->self, "uint", d);
    if (raw->action) TRY(action_of(yaml_str(raw->action, STR("")), &r.action, d));
    if (raw->regex) {
        if (raw->regex->kind != YAML_SCALAR) return yaml_mismatch(raw->regex, "string", d);
        r.regex_text = yaml_str(raw->regex, STR(""));
        TRY(check_regex(raw->regex, r.regex_text, d));
    }
    TRY(check_rule(&r, d));
    *out = r;
    return OK;
}

static enum err rule_decode(struct arena *a, const struct yaml_node *v, const char *null_item,
                            struct relabel_rule *out, struct diag *d)
{
    struct raw_rule raw;
    if (yaml_is_null(v)) return yaml_error(v, d, ERR_SYNTAX, "%s", null_item);
    TRY(yaml_decode(a, v, &RULE_TABLE, YAML_V2, &raw, d));
    enum err e = rule_of(&raw, out, d);
    if (e != OK && d && !d->line) {
        d->line = v->line;
        d->col = v->col;
    }
    return e;
}

static enum err rules_decode(struct arena *a, const struct yaml_node *v, const char *null_item,
                             struct relabel_rules *out, struct diag *d)
{
    if (v->kind != YAML_SEQ) return yaml_mismatch(v, "[]relabel.Config", d);
    struct relabel_rule *rules = arena_array(a, v->n, sizeof(*rules));
    for (size_t i = 0; i < v->n; i++) {
        if (d) d->line = d->col = 0;
        TRY(rule_decode(a, v->items[i], null_item, &rules[i], d));
    }
    *out = (struct relabel_rules){ rules, v->n };
    return OK;
}

enum err relabel_decode_target(struct arena *a, const struct yaml_node *v, void *field,
                               struct diag *d)
{
    return rules_decode(a, v, "empty or null target relabeling rule in scrape config", field, d);
}

enum err relabel_decode_metric(struct arena *a, const struct yaml_node *v, void *field,
                               struct diag *d)
{
    return rules_decode(a, v, "empty or null metric relabeling rule in scrape config", field, d);
}

enum err relabel_decode_alert(struct arena *a, const struct yaml_node *v, void *field,
                              struct diag *d)
{
    return rules_decode(a, v, "empty or null alert relabeling rule", field, d);
}

enum err relabel_decode_write(struct arena *a, const struct yaml_node *v, void *field,
                              struct diag *d)
{
    return rules_decode(a, v, "empty or null relabeling rule in remote write config", field, d);
}

enum err relabel_decode_alertmanager(struct arena *a, const struct yaml_node *v, void *field,
                                     struct diag *d)
{
    return rules_decode(a, v, "empty or null Alertmanager target relabeling rule", field, d);
}

enum err relabel_rules_compile(struct relabel_rules rules, struct diag *d)
{
    for (size_t i = 0; i < rules.n; i++) {
        struct relabel_rule *r = &rules.v[i];
        TRY(regex_compile(r->regex_text, REGEX_RE2, &r->regex, d));
    }
    return OK;
}

void relabel_rules_free(struct relabel_rules rules)
{
    for (size_t i = 0; i < rules.n; i++) {
        regex_free(rules.v[i].regex);
        rules.v[i].regex = NULL;
    }
}
