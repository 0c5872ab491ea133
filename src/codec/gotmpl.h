/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl.h - Go's text/template, and html/template's escaping for mail
 *
 * Shape:   a tmpl_set is a name table of parsed templates; texts are parsed once into it and executed often. A child set sees
 *          its parent's templates and functions, and may redefine them for itself. Values are dynamic (struct tmpl_value), built
 *          in the arena of the execution. Functions come in tables of rows; builtins (and, printf, index, ...) are always there.
 *              struct tmpl_set *set = tmpl_set_new(&a, tables, ARRAY_LEN(tables));
 *              TRY(tmpl_parse(set, STR("x"), text, d));
 *              struct tmpl_exec x = { .arena = &b, .ctx = me };
 *              TRY(tmpl_execute(set, STR("x"), tmpl_map_value(m), &x, &out, d));
 * Threads: parsing is one thread's; a parsed set is immutable and executes on any thread, one struct tmpl_exec each.
 * Errors:  ERR_SYNTAX with Go's text ("template: x:1:3: executing \"x\" at <.Foo>: ..."), cut to the diag; whole in x->error.
 *          ERR_LIMIT output, depth or steps.
 * Source:  text/template and html/template documentation and behaviour (Go 1.24).
 */
#ifndef CODEC_GOTMPL_H
#define CODEC_GOTMPL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum tmpl_kind {
    TV_NIL, /* no value: prints <no value> */
    TV_BOOL,
    TV_INT,
    TV_UINT,
    TV_FLOAT,
    TV_STR,
    TV_LIST,
    TV_MAP,    /* string keys, kept sorted */
    TV_STRUCT, /* fields by name, of its type */
    TV_TIME,
    TV_DURATION, /* int64 ns */
    TV_FUNC,     /* a user function's row, for call */
};

struct tmpl_value;
struct tmpl_run; /* one execution, given to functions */
struct tmpl_set;

/* Fails with tmpl_fail(); out is written only on success. Memory from tmpl_arena(r). */
typedef enum err tmpl_fn(struct tmpl_run *r, const struct tmpl_value *args, size_t n,
                         struct tmpl_value *out);

/*
 * params: one letter an argument, checked and converted before the call; '.' after the last one: any number of it.
 *   s string  i int (TV_INT)  f float64 (TV_FLOAT)  b bool  a anything (nil too)  l list (TV_LIST)  T time  D duration
 *   m map  S struct
 */
struct tmpl_func {
    const char *name; /* NULL ends a table */
    const char *params;
    tmpl_fn *fn;
};

/* What a value says about itself beyond its kind. NULL type: Go's plain one of the kind (string, int, []interface {}, ...). */
struct tmpl_type {
    const char *name; /* as %T: "template.Data" */
    /* struct: names of its fields in order, NULL-terminated */
    const char *const *fields;
    const char *const *json; /* names of the same fields in JSON (toJson); NULL: as fields */
    /* methods: args[0] is the value itself, params are those behind it; table ended by NULL name. May be NULL */
    const struct tmpl_func *methods;
    /* maps and lists: kind of their elements; missing keys of a TV_STR map are "". TV_NIL: interface {} */
    enum tmpl_kind elem;
    /* fmt.Stringer; NULL: printed by kind */
    void (*string)(struct buf *b, const struct tmpl_value *v);
};

struct tmpl_list {
    const struct tmpl_value *v;
    size_t n;
};
struct tmpl_pair {
    struct str key;
    const struct tmpl_value *value;
};
struct tmpl_map {
    const struct tmpl_pair *v; /* sorted by key, unique */
    size_t n;
};
struct tmpl_time {
    int64_t s;        /* since 1970 UTC; Go's zero time is TMPL_TIME_ZERO */
    int32_t ns;       /* 0..999999999 */
    int32_t offset_s; /* of the zone */
    struct str zone;  /* "UTC", "CET" */
};
#define TMPL_TIME_ZERO INT64_C(-62135596800)

struct tmpl_value {
    enum tmpl_kind kind;
    const struct tmpl_type *type;
    union {
        bool b;
        int64_t i; /* int, duration */
        uint64_t u;
        double f;
        struct str s;
        struct tmpl_list list;           /* v NULL: a nil slice */
        struct tmpl_map map;             /* v NULL: a nil map */
        const struct tmpl_value *fields; /* of TV_STRUCT, as many as type->fields */
        const struct tmpl_time *time;
        const struct tmpl_func *func;
    };
};

extern const struct tmpl_type tmpl_type_strings;    /* []string */
extern const struct tmpl_type tmpl_type_string_map; /* map[string]string */
extern const struct tmpl_type
    tmpl_type_html; /* template.HTML: a string that needs no escaping as text */
extern const struct tmpl_type tmpl_type_url; /* template.URL */

static inline struct tmpl_value tmpl_nil(void) { return (struct tmpl_value){ .kind = TV_NIL }; }
static inline struct tmpl_value tmpl_bool(bool b)
{
    return (struct tmpl_value){ .kind = TV_BOOL, .b = b };
}
static inline struct tmpl_value tmpl_int(int64_t i)
{
    return (struct tmpl_value){ .kind = TV_INT, .i = i };
}
static inline struct tmpl_value tmpl_float(double f)
{
    return (struct tmpl_value){ .kind = TV_FLOAT, .f = f };
}
static inline struct tmpl_value tmpl_str(struct str s)
{
    return (struct tmpl_value){ .kind = TV_STR, .s = s };
}
static inline struct tmpl_value tmpl_duration(int64_t ns)
{
    return (struct tmpl_value){ .kind = TV_DURATION, .i = ns };
}
struct tmpl_value tmpl_time_ms(struct arena *a, int64_t ms); /* UTC */
struct tmpl_value tmpl_time_value(struct arena *a, struct tmpl_time t);

/* Lists and maps under construction. tmpl_map_done sorts; of equal keys the last stays. */
struct tmpl_builder {
    struct arena *a;
    struct tmpl_value *v;
    struct str *keys;
    size_t n, cap;
};
void tmpl_add(struct tmpl_builder *b, struct tmpl_value v);
void tmpl_set_key(struct tmpl_builder *b, struct str key, struct tmpl_value v);
struct tmpl_value tmpl_list_done(struct tmpl_builder *b, const struct tmpl_type *type);
struct tmpl_value tmpl_map_done(struct tmpl_builder *b, const struct tmpl_type *type);

/* NULL where v is no map or has no such key; the field of a struct by name likewise. */
const struct tmpl_value *tmpl_map_get(const struct tmpl_value *v, struct str key);
const struct tmpl_value *tmpl_field(const struct tmpl_value *v, struct str name);

/* ---- sets ---- */
/* Everything of the set lives in a. tables: n tables of functions, borrowed; a later one's rows win. */
struct tmpl_set *tmpl_set_new(struct arena *a, const struct tmpl_func *const *tables, size_t n);
struct tmpl_set *tmpl_set_child(struct arena *a, const struct tmpl_set *parent);

/*
 * Parses text as the template `name`; {{define}}s in it become templates of the set, replacing older ones.
 * Errors: ERR_SYNTAX "template: name:1: unclosed action"; d->line is set. The set is unchanged then.
 */
enum err tmpl_parse(struct tmpl_set *set, struct str name, struct str text, struct diag *d);
bool tmpl_has(const struct tmpl_set *set, struct str name);

/* ---- execution ---- */
enum tmpl_missing { TMPL_MISSING_ZERO, TMPL_MISSING_INVALID, TMPL_MISSING_ERROR };

/* TMPL_HTML: what actions print is escaped by where in the HTML it stands, as html/template does. */
enum tmpl_mode { TMPL_TEXT, TMPL_HTML };

struct tmpl_exec {
    enum tmpl_mode mode;
    struct arena *arena; /* values made on the way */
    void *ctx;           /* for functions: tmpl_ctx(r) */
    enum tmpl_missing missing;
    size_t output_max;  /* bytes; 0: 1 MiB */
    unsigned steps_max; /* nodes executed, against endless loops; 0: 1,000,000 */
    struct str error;   /* out: the whole text after a failure, in arena */
};

/* Appends to out. On failure out holds what was written before it. */
enum err tmpl_execute(const struct tmpl_set *set, struct str name, struct tmpl_value dot,
                      struct tmpl_exec *x, struct buf *out, struct diag *d);

/* For functions: */
struct arena *tmpl_arena(struct tmpl_run *r);
void *tmpl_ctx(struct tmpl_run *r);
enum err tmpl_fail(struct tmpl_run *r, const char *fmt, ...) PRINTF(2, 3);

/* Runs a named template of the set, or a text parsed on the spot, inside r (its limits count on); the result is in r's arena. */
enum err tmpl_run_named(struct tmpl_run *r, struct str name, struct tmpl_value dot,
                        struct str *out);
enum err tmpl_run_text(struct tmpl_run *r, struct str text, struct tmpl_value dot, struct str *out);

/* ---- values as text ---- */
void tmpl_print(struct buf *b, const struct tmpl_value *v); /* fmt's %v */
const char *tmpl_type_name(const struct tmpl_value *v);     /* %T */
bool tmpl_truth(const struct tmpl_value *v);
void tmpl_json(struct buf *b, const struct tmpl_value *v); /* encoding/json, HTML escaped */

/*
 * Go's Time.Format and time.Parse over whole layouts. Errors: ERR_SYNTAX with Go's text
 * (parsing time "x" as "2006": cannot parse "x" as "2006").
 */
void tmpl_time_format(struct buf *b, const struct tmpl_time *t, struct str layout);
enum err tmpl_time_parse(struct str layout, struct str s, struct tmpl_time *out, struct diag *d);

/*
 * Functions that Prometheus and Alertmanager share (gotmpl_funcs.c): toUpper toLower title trimSpace join match
 * reReplaceAll humanize humanize1024 humanizeDuration humanizePercentage humanizeTimestamp stripPort stripDomain
 * parseDuration toTime toDuration safeHtml safeUrl urlUnescape toJson base64encode base64decode stringSlice list dict append date toDate
 * mustToDate args.
 */
extern const struct tmpl_func tmpl_funcs_shared[];

/* A number or the text of one, as humanize and its like take it. Errors: Go's "strconv.ParseFloat: parsing \"one\": invalid syntax". */
enum err tmpl_number(struct tmpl_run *r, const struct tmpl_value *v, double *out);

#endif
