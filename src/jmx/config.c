/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file's keys come by a table into struct raw; then each is checked and turned into its final form. Rules are compiled
 * here, once: what a pattern is made of decides later which beans are read at all.
 */
#include "jmx/config.h"

#include "base/secret.h"
#include "codec/num.h"
#include "jmx/rules.h"
#include "jmx/template.h"

#include <stdlib.h>

struct raw_rule {
    const struct yaml_node *at;
    struct str pattern, name, value, help, type;
    struct yaml_pairs labels;
    double factor;
    bool snake_case, cache;
};

struct raw {
    struct str host_port, url, username, target_label, compat;
    struct secret password;
    struct yaml_pairs aliases;
    struct yaml_strs targets, include, whitelist, exclude, blacklist;
    struct yaml_node *ssl, *http, *include_attributes, *exclude_attributes, *customizers, *otel;
    struct yaml_list rules;
    int64_t start_delay;
    bool lowercase_names, lowercase_labels, infer_counter, auto_exclude, exclude_jvm;
};

static void rule_defaults(void *out) { ((struct raw_rule *)out)->factor = 1; }

#define RULE(key_, type_, field)                                                                   \
    {                                                                                              \
        .key = (key_), .type = (type_), .offset = offsetof(struct raw_rule, field)                 \
    }
static const struct yaml_field RULE_FIELDS[] = {
    RULE(YAML_SELF, YT_NODE, at),
    RULE("pattern", YT_STR, pattern),
    RULE("name", YT_STR, name),
    RULE("value", YT_STR, value),
    RULE("valueFactor", YT_FLOAT, factor),
    RULE("labels", YT_MAP, labels),
    RULE("help", YT_STR, help),
    RULE("type", YT_STR, type),
    RULE("attrNameSnakeCase", YT_BOOL, snake_case),
    RULE("cache", YT_BOOL, cache),
    { .key = NULL },
};
static const struct yaml_table RULE_TABLE = {
    .go_type = "a rule",
    .size = sizeof(struct raw_rule),
    .fields = RULE_FIELDS,
    .defaults = rule_defaults,
};

static void raw_defaults(void *out) { ((struct raw *)out)->auto_exclude = true; }

#define ROW(key_, type_, field)                                                                    \
    {                                                                                              \
        .key = (key_), .type = (type_), .offset = offsetof(struct raw, field)                      \
    }
static const struct yaml_field FIELDS[] = {
    ROW("hostPort", YT_STR, host_port),
    ROW("jmxUrl", YT_STR, url),
    ROW("targets", YT_STRS, targets),
    ROW("targetLabel", YT_STR, target_label),
    ROW("aliases", YT_MAP, aliases),
    ROW("compat", YT_STR, compat),
    ROW("username", YT_STR, username),
    ROW("password", YT_SECRET, password),
    ROW("ssl", YT_NODE, ssl),
    ROW("startDelaySeconds", YT_INT, start_delay),
    ROW("lowercaseOutputName", YT_BOOL, lowercase_names),
    ROW("lowercaseOutputLabelNames", YT_BOOL, lowercase_labels),
    ROW("inferCounterTypeFromName", YT_BOOL, infer_counter),
    ROW("autoExcludeObjectNameAttributes", YT_BOOL, auto_exclude),
    ROW("excludeJvmMetrics", YT_BOOL, exclude_jvm),
    ROW("includeObjectNames", YT_STRS, include),
    ROW("whitelistObjectNames", YT_STRS, whitelist),
    ROW("excludeObjectNames", YT_STRS, exclude),
    ROW("blacklistObjectNames", YT_STRS, blacklist),
    ROW("includeObjectNameAttributes", YT_NODE, include_attributes),
    ROW("excludeObjectNameAttributes", YT_NODE, exclude_attributes),
    ROW("metricCustomizers", YT_NODE, customizers),
    ROW("openTelemetry", YT_NODE, otel),
    ROW("httpServer", YT_NODE, http),
    { .key = "rules",
      .type = YT_STRUCTS,
      .offset = offsetof(struct raw, rules),
      .sub = &RULE_TABLE },
    { .key = NULL },
};
static const struct yaml_table TABLE = {
    .go_type = "the configuration",
    .size = sizeof(struct raw),
    .fields = FIELDS,
    .defaults = raw_defaults,
};

static void warn(struct jmx_config *c, const struct yaml_node *at, const char *text)
{
    if (yaml_is_null(at)) return;
    struct yaml_warning *w = arena_new(&c->arena, struct yaml_warning);
    *w = (struct yaml_warning){ at->line, at->col, str_c(text), c->warnings };
    c->warnings = w;
}

/* Endpoints */

static enum err bad_endpoint(struct str text, struct diag *d)
{
    return diag_set(d, ERR_SYNTAX, "expected HOST:PORT, got \"%.*s\"", STR_ARG(text));
}

/* The last colon parts host and port; brackets around an IPv6 address go. */
enum err jmx_endpoint_of_host_port(struct str text, struct arena *a, struct jmx_endpoint *out,
                                   struct diag *d)
{
    size_t colon = text.n;
    uint64_t port;
    while (colon > 0 && text.p[colon - 1] != ':') colon--;
    if (colon < 2 || num_parse_u64(str_from(text, colon), &port) != OK || port == 0 ||
        port > 65535) {
        return bad_endpoint(text, d);
    }
    struct str host = str_first(text, colon - 1);
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        host = str_make(host.p + 1, host.n - 2);
    }
    *out = (struct jmx_endpoint){
        .host = arena_dup(a, host),
        .port = (uint16_t)port,
        .name = STR("jmxrmi"),
        .target = arena_dup(a, text),
    };
    return OK;
}

#define REGISTRY_PORT 1099

enum err jmx_endpoint_of_url(struct str text, struct arena *a, struct jmx_endpoint *out,
                             struct diag *d)
{
    static const struct str SCHEME = { "service:jmx:rmi://", 18 }, JNDI = { "/jndi/rmi://", 12 };
    if (!str_starts(text, SCHEME)) {
        return diag_set(d, ERR_UNSUPPORTED,
                        "expected service:jmx:rmi:///jndi/rmi://HOST:PORT/jmxrmi, got \"%.*s\"",
                        STR_ARG(text));
    }
    size_t at = str_find(text, JNDI);
    if (at == STR_NONE) {
        return diag_set(d, ERR_UNSUPPORTED,
                        "of the JMX service URLs only those with /jndi/rmi:// are supported");
    }
    struct str place, name;
    struct jmx_endpoint e;
    if (!str_cut(str_from(text, at + JNDI.n), '/', &place, &name) || name.n == 0) {
        return diag_set(d, ERR_SYNTAX, "expected /jndi/rmi://HOST:PORT/NAME in \"%.*s\"",
                        STR_ARG(text));
    }
    bool has_port = place.n && str_find_char(place, ':') != STR_NONE && !str_ends(place, STR("]"));
    if (!has_port) place = arena_fmt(a, STR_FMT ":%d", STR_ARG(place), REGISTRY_PORT);
    if (place.p[0] == ':') place = arena_fmt(a, "localhost" STR_FMT, STR_ARG(place));
    TRY(jmx_endpoint_of_host_port(place, a, &e, d));
    e.name = arena_dup(a, name);
    *out = e;
    return OK;
}

static enum err endpoints(struct jmx_config *c, const struct raw *r, const struct yaml_node *root,
                          struct diag *d)
{
    struct arena *a = &c->arena;
    c->endpoints = arena_array(a, r->targets.n + 1, sizeof(*c->endpoints));
    if (r->host_port.n && r->url.n) {
        return yaml_error(yaml_get(root, "jmxUrl"), d, ERR_SYNTAX,
                          "At most one of hostPort and jmxUrl must be provided");
    }
    struct diag why = { 0 };
    if (r->host_port.n) {
        if (jmx_endpoint_of_host_port(r->host_port, a, &c->endpoints[0], &why) != OK) {
            return yaml_error(yaml_get(root, "hostPort"), d, ERR_SYNTAX, "hostPort: %s", why.text);
        }
        c->endpoints_n = 1;
    } else if (r->url.n) {
        enum err e = jmx_endpoint_of_url(r->url, a, &c->endpoints[0], &why);
        if (e != OK) return yaml_error(yaml_get(root, "jmxUrl"), d, e, "jmxUrl: %s", why.text);
        c->endpoints_n = 1;
    }
    for (size_t i = 0; i < r->targets.n; i++) {
        if (jmx_endpoint_of_host_port(r->targets.v[i], a, &c->endpoints[c->endpoints_n], &why) !=
            OK) {
            return yaml_error(yaml_get(root, "targets")->items[i], d, ERR_SYNTAX, "targets: %s",
                              why.text);
        }
        c->endpoints_n++;
    }
    return OK;
}

/* Object names */

static enum err names(struct arena *a, const struct yaml_node *list, struct jmx_objectnames *out,
                      struct diag *d)
{
    if (!list || list->kind != YAML_SEQ) return OK;
    out->v = arena_array(a, list->n, sizeof(*out->v));
    out->texts = arena_array(a, list->n, sizeof(*out->texts));
    for (size_t i = 0; i < list->n; i++) {
        struct diag why = { 0 };
        struct str text = list->items[i]->text;
        if (objectname_parse(text, a, &out->v[i], &why) != OK) {
            return yaml_error(list->items[i], d, ERR_SYNTAX, "%s", why.text);
        }
        out->texts[i] = text;
    }
    out->n = list->n;
    return OK;
}

/* The old key counts only where the new one is absent. */
static enum err filters(struct jmx_config *c, const struct yaml_node *root, struct diag *d)
{
    const struct yaml_node *include = yaml_get(root, "includeObjectNames");
    const struct yaml_node *exclude = yaml_get(root, "excludeObjectNames");
    if (!include) include = yaml_get(root, "whitelistObjectNames");
    if (!exclude) exclude = yaml_get(root, "blacklistObjectNames");
    TRY(names(&c->arena, include, &c->include, d));
    return names(&c->arena, exclude, &c->exclude, d);
}

static enum err attribute_names(struct arena *a, const struct yaml_node *list,
                                struct jmx_bean_attributes *out, struct diag *d)
{
    if (list->kind != YAML_SEQ) {
        return yaml_error(list, d, ERR_SYNTAX, "expected a list of attribute names");
    }
    struct str *v = arena_array(a, list->n, sizeof(*v));
    for (size_t i = 0; i < list->n; i++) v[i] = list->items[i]->text;
    out->attributes = v;
    out->n = list->n;
    return OK;
}

static enum err bean_attributes(struct arena *a, const struct yaml_node *map,
                                struct jmx_bean_attributes **out, size_t *n, struct diag *d)
{
    if (yaml_is_null(map)) return OK;
    if (map->kind != YAML_MAP) {
        return yaml_error(map, d, ERR_SYNTAX,
                          "expected MBean names, each with a list of attributes");
    }
    struct jmx_bean_attributes *v = arena_array(a, map->n, sizeof(*v));
    for (size_t i = 0; i < map->n; i++) {
        struct diag why = { 0 };
        if (objectname_parse(map->items[2 * i]->text, a, &v[i].bean, &why) != OK) {
            return yaml_error(map->items[2 * i], d, ERR_SYNTAX, "%s", why.text);
        }
        TRY(attribute_names(a, map->items[2 * i + 1], &v[i], d));
    }
    *out = v;
    *n = map->n;
    return OK;
}

/* Rules */

static int by_name(const void *x, const void *y)
{
    const struct jmx_label *a = x, *b = y;
    return str_cmp(a->name, b->name);
}

static void rule_labels(struct arena *a, const struct yaml_pairs *from, struct jmx_rule *to)
{
    to->labels = arena_array(a, from->n, sizeof(*to->labels));
    for (size_t i = 0; i < from->n; i++) {
        to->labels[i] = (struct jmx_label){ .name = from->v[i].key, .value = from->v[i].value };
    }
    to->labels_n = from->n;
    if (from->n) qsort(to->labels, from->n, sizeof(*to->labels), by_name);
}

/* $0 is the subject itself, with the value in it. */
static bool wants_whole_subject(const struct jmx_rule *r)
{
    static const struct str WHOLE = { "$0", 2 };
    bool wants = str_find(r->name, WHOLE) != STR_NONE || str_find(r->value, WHOLE) != STR_NONE ||
                 str_find(r->help, WHOLE) != STR_NONE;
    for (size_t i = 0; i < r->labels_n; i++) {
        wants |= str_find(r->labels[i].name, WHOLE) != STR_NONE ||
                 str_find(r->labels[i].value, WHOLE) != STR_NONE;
    }
    return wants;
}

/* The subject as a whole: greedy in front, so that an unanchored pattern binds as far right as it can. */
static enum err rule_pattern(struct jmx_config *c, const struct raw_rule *r, struct jmx_rule *to,
                             struct diag *d)
{
    struct diag why = { 0 };
    struct str whole = arena_fmt(&c->arena, "^.*(?:" STR_FMT ").*\\z", STR_ARG(r->pattern));
    enum err e = regex_compile(whole, REGEX_JAVA, &to->re, &why);
    if (e != OK) {
        return yaml_error(yaml_get(r->at, "pattern"), d, e, "pattern \"%.*s\": %s",
                          STR_ARG(r->pattern), why.text);
    }
    to->blind = jmx_pattern_blind(r->pattern) && !wants_whole_subject(to);
    to->literal = jmx_pattern_literal(r->pattern, &c->arena);
    return OK;
}

static void doubt(struct jmx_config *c, const struct yaml_node *at, struct str text,
                  const struct regex *re)
{
    const char *why = text.n ? jmx_template_doubt(text, re) : NULL;
    if (why) warn(c, at, why);
}

/* What will only show when a bean comes by: a template that no match can fill. */
static void doubts(struct jmx_config *c, const struct raw_rule *r, const struct jmx_rule *to)
{
    doubt(c, yaml_get(r->at, "name"), to->name, to->re);
    doubt(c, yaml_get(r->at, "value"), to->value, to->re);
    doubt(c, yaml_get(r->at, "help"), to->help, to->re);
    for (size_t i = 0; i < r->labels.n; i++) {
        doubt(c, r->labels.v[i].at, r->labels.v[i].key, to->re);
        doubt(c, r->labels.v[i].at, r->labels.v[i].value, to->re);
    }
}

static enum err rule(struct jmx_config *c, const struct raw_rule *r, struct jmx_rule *to,
                     struct diag *d)
{
    bool has_name = yaml_get(r->at, "name") != NULL;
    bool has_pattern = yaml_get(r->at, "pattern") != NULL;
    if ((r->labels.n || r->help.n) && !has_name) {
        return yaml_error(r->at, d, ERR_SYNTAX,
                          "Must provide name, if help or labels are given: "
                          "a rule with help or labels needs a name");
    }
    if (has_name && !has_pattern) {
        return yaml_error(
            r->at, d, ERR_SYNTAX,
            "Must provide pattern, if name is given: a rule with a name needs a pattern");
    }
    *to = (struct jmx_rule){
        .line = r->at ? r->at->line : 0,
        .pattern = r->pattern,
        .name = has_name ? r->name : str_make(NULL, 0),
        .value = yaml_get(r->at, "value") ? r->value : str_make(NULL, 0),
        .help = yaml_get(r->at, "help") ? r->help : str_make(NULL, 0),
        .type = r->type,
        .factor = r->factor,
        .snake_case = r->snake_case,
        .cache = r->cache,
        .blind = true,
        .literal = STR(""),
    };
    rule_labels(&c->arena, &r->labels, to);
    c->text_rules |= to->value.p != NULL;
    c->cache_rules |= to->cache;
    if (has_pattern) TRY(rule_pattern(c, r, to, d));
    doubts(c, r, to);
    return OK;
}

/* No key: one rule without anything, which exports everything in the default format. */
static enum err rules(struct jmx_config *c, const struct raw *r, const struct yaml_node *root,
                      struct diag *d)
{
    const struct raw_rule *from = r->rules.v;
    if (yaml_is_null(yaml_get(root, "rules"))) {
        c->rules = arena_new(&c->arena, struct jmx_rule);
        c->rules[0] = (struct jmx_rule){ .factor = 1, .blind = true, .literal = STR("") };
        c->rules_n = 1;
        return OK;
    }
    c->rules = arena_array(&c->arena, r->rules.n, sizeof(*c->rules));
    for (size_t i = 0; i < r->rules.n; i++) {
        TRY(rule(c, &from[i], &c->rules[i], d));
        c->rules_n++;
    }
    return OK;
}

static void aliases(struct jmx_config *c, const struct yaml_pairs *from)
{
    c->aliases = arena_array(&c->arena, from->n, sizeof(*c->aliases));
    for (size_t i = 0; i < from->n; i++) {
        c->aliases[i] = (struct jmx_alias){ .name = from->v[i].key, .of = from->v[i].value };
    }
    c->aliases_n = from->n;
}

/* What is known and not done yet */

static bool switched_on(const struct yaml_node *v)
{
    bool on = false;
    if (yaml_is_null(v)) return false;
    if (v->kind != YAML_MAP) return yaml_bool_of(v, &on) ? on : true;
    const struct yaml_node *enabled = yaml_get(v, "enabled");
    return !enabled || !yaml_bool_of(enabled, &on) || on;
}

static void refuse(struct jmx_config *c, const struct yaml_node *at, const char *sentence)
{
    if (c->refused.n || !at) return;
    c->refused = str_c(sentence);
    c->refused_line = at->line;
    c->refused_col = at->col;
}

static void refusals(struct jmx_config *c, const struct raw *r, const struct yaml_node *root)
{
    if (r->username.n && secret_set(r->password)) {
        refuse(c, yaml_get(root, "username"),
               "username and password: JMX with a login is not supported yet; "
               "open a JMX port without authentication for this exporter, or remove both keys");
    }
    if (switched_on(r->ssl)) {
        refuse(c, yaml_get(root, "ssl"),
               "ssl: JMX over TLS is not supported yet; open a plain JMX port for this exporter, "
               "or set ssl: false");
    }
    if (yaml_get(r->http, "authentication")) {
        refuse(c, yaml_get(r->http, "authentication"),
               "httpServer.authentication is not supported yet, and without it /metrics would "
               "stand open; remove the key to allow that");
    }
    if (yaml_get(r->http, "ssl")) {
        refuse(c, yaml_get(r->http, "ssl"),
               "httpServer.ssl is not supported yet, and without it /metrics would be plain; "
               "remove the key to allow that");
    }
}

static enum err simple_keys(struct jmx_config *c, const struct raw *r, const struct yaml_node *root,
                            struct diag *d)
{
    if (r->compat.n && !str_eqc(r->compat, "0.x") && !str_eqc(r->compat, "1.x")) {
        return yaml_error(yaml_get(root, "compat"), d, ERR_SYNTAX, "compat: expected 0.x or 1.x");
    }
    if (r->start_delay < 0) {
        return yaml_error(yaml_get(root, "startDelaySeconds"), d, ERR_RANGE,
                          "startDelaySeconds: expected a number of seconds, not a negative one");
    }
    c->compat_0x = str_eqc(r->compat, "0.x");
    c->target_label = r->target_label;
    c->start_delay_seconds = r->start_delay;
    c->lowercase_names = r->lowercase_names;
    c->lowercase_labels = r->lowercase_labels;
    c->infer_counter = r->infer_counter;
    c->auto_exclude = r->auto_exclude;
    c->exclude_jvm = r->exclude_jvm;
    c->metrics_path = yaml_str(yaml_get(yaml_get(r->http, "metrics"), "path"), STR("/metrics"));
    if (!str_starts(c->metrics_path, STR("/"))) {
        c->metrics_path = arena_fmt(&c->arena, "/" STR_FMT, STR_ARG(c->metrics_path));
    }
    return OK;
}

/* The original passes over keys that it does not know, and so do we, but not in silence. */
static void warn_unknown_in(struct jmx_config *c, const struct yaml_node *map,
                            const struct yaml_field *fields)
{
    for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++) {
        const struct yaml_node *key = map->items[2 * i];
        const struct yaml_field *f = fields;
        while (f->key && !str_eqc(key->text, f->key)) f++;
        if (f->key || str_eqc(key->text, "scrapeTimeoutSeconds")) continue;
        warn(
            c, key,
            arena_fmt(&c->arena, "key " STR_FMT " is not known and ignored", STR_ARG(key->text)).p);
    }
}

static void warn_unknown(struct jmx_config *c, const struct yaml_node *root)
{
    warn_unknown_in(c, root, FIELDS);
    const struct yaml_node *rules = yaml_get(root, "rules");
    for (size_t i = 0; rules && rules->kind == YAML_SEQ && i < rules->n; i++) {
        warn_unknown_in(c, rules->items[i], RULE_FIELDS);
    }
}

/* Warnings by their place. */
static void in_order(struct jmx_config *c)
{
    struct yaml_warning *sorted = NULL;
    for (struct yaml_warning *w = c->warnings, *next; w; w = next) {
        struct yaml_warning **at = &sorted;
        next = w->next;
        while (*at && ((*at)->line < w->line || ((*at)->line == w->line && (*at)->col < w->col))) {
            at = &(*at)->next;
        }
        w->next = *at;
        *at = w;
    }
    c->warnings = sorted;
}

static enum err fill(struct jmx_config *c, struct str text, struct diag *d)
{
    struct yaml_node *root;
    struct raw r;
    TRY(yaml_parse(&c->arena, text, YAML_LENIENT, &root, &c->warnings, d));
    TRY(yaml_decode(&c->arena, root, &TABLE, YAML_LENIENT, &r, d));
    TRY(simple_keys(c, &r, root, d));
    TRY(endpoints(c, &r, root, d));
    TRY(filters(c, root, d));
    TRY(bean_attributes(&c->arena, r.include_attributes, &c->include_attributes,
                        &c->include_attributes_n, d));
    TRY(bean_attributes(&c->arena, r.exclude_attributes, &c->exclude_attributes,
                        &c->exclude_attributes_n, d));
    TRY(rules(c, &r, root, d));
    aliases(c, &r.aliases);
    refusals(c, &r, root);
    warn(c, r.customizers, "metricCustomizers is not supported yet and is left out");
    warn(c, r.otel, "openTelemetry is not supported and is left out");
    warn_unknown(c, root);
    in_order(c);
    return OK;
}

enum err jmx_config_parse(struct str text, struct jmx_config **out, struct diag *d)
{
    struct jmx_config *c = calloc(1, sizeof(*c));
    if (!c) abort();
    arena_init(&c->arena, 0);
    c->refs = 1;
    enum err e = fill(c, arena_dup(&c->arena, text), d);
    if (e != OK) {
        jmx_config_unref(c);
        return e;
    }
    *out = c;
    return OK;
}

struct jmx_config *jmx_config_ref(struct jmx_config *c)
{
    c->refs++;
    return c;
}

void jmx_config_unref(struct jmx_config *c)
{
    if (!c || --c->refs > 0) return;
    for (size_t i = 0; i < c->rules_n; i++) regex_free(c->rules[i].re);
    arena_done(&c->arena);
    free(c);
}
