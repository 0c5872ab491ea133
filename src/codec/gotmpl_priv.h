/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl_priv.h - what the files of gotmpl share: tokens, nodes, the set, one execution
 */
#ifndef CODEC_GOTMPL_PRIV_H
#define CODEC_GOTMPL_PRIV_H

#include "base/vec.h"
#include "codec/goquote.h"
#include "codec/gotmpl.h"

/* ---- tokens (gotmpl_lex.c) ---- */
enum token_kind {
    TOK_ERROR, /* text is the message */
    TOK_EOF,
    TOK_TEXT,
    TOK_LEFT,
    TOK_RIGHT,
    TOK_BOOL,
    TOK_CHAR_CONST,
    TOK_CHAR, /* any other printable character, as a comma */
    TOK_ASSIGN,
    TOK_DECLARE,
    TOK_FIELD, /* .name */
    TOK_IDENT,
    TOK_LPAREN,
    TOK_RPAREN,
    TOK_NUMBER,
    TOK_PIPE,
    TOK_RAW,
    TOK_STRING,
    TOK_SPACE,
    TOK_VARIABLE, /* $name */
    TOK_DOT,      /* from here on: key words */
    TOK_BLOCK,
    TOK_BREAK,
    TOK_CONTINUE,
    TOK_DEFINE,
    TOK_ELSE,
    TOK_END,
    TOK_IF,
    TOK_NIL,
    TOK_RANGE,
    TOK_TEMPLATE,
    TOK_WITH,
};

struct token {
    enum token_kind kind;
    uint32_t pos;
    unsigned line;
    struct str text;
};

struct tokens {
    struct token *v;
    size_t n, cap;
};

/* Ends with TOK_EOF or TOK_ERROR. */
void tmpl_lex(struct arena *a, struct str text, struct tokens *out);

/* ---- nodes (gotmpl_parse.c) ---- */
enum node_kind {
    NODE_TEXT,
    NODE_ACTION,
    NODE_IF,
    NODE_RANGE,
    NODE_WITH,
    NODE_TEMPLATE,
    NODE_BREAK,
    NODE_CONTINUE,
    NODE_PIPE,
    NODE_COMMAND,
    NODE_DOT,
    NODE_NIL,
    NODE_BOOL,
    NODE_NUMBER,
    NODE_STRING,
    NODE_IDENT,
    NODE_FIELD,
    NODE_VARIABLE,
    NODE_CHAIN,
};

struct tmpl_source {
    struct str name, text;
};

struct node {
    enum node_kind kind;
    uint32_t pos;
    const struct tmpl_source *src;
    struct node *next;  /* the next in its list, command or pipeline */
    struct node *pipe;  /* of an action or control; the operand of a chain */
    struct node *first; /* body of a control, commands of a pipeline, arguments of a command */
    struct node *otherwise;
    struct str text; /* of texts and templates; a constant or identifier as written */
    struct str
        *names; /* of fields, variables ($x first) and chains; of a pipeline: what it declares */
    size_t names_n;
    bool assign;                  /* pipeline: = in place of := */
    bool is_int, is_float;        /* number: what it can be */
    struct tmpl_value value;      /* constant; a number's natural value */
    int64_t i;                    /* number as int */
    double f;                     /* number as float64 */
    const struct tmpl_func *func; /* identifier */
};

struct tmpl_def {
    struct str name;
    struct node *body; /* NULL: empty */
    bool blank;        /* nothing but white space and definitions */
    struct tmpl_def *next;
};

struct tmpl_set {
    struct arena *a;
    const struct tmpl_set *parent;
    const struct tmpl_func *const *tables;
    size_t tables_n;
    struct tmpl_def *defs;
};

const struct tmpl_def *tmpl_find(const struct tmpl_set *set, struct str name);
const struct tmpl_func *tmpl_find_func(const struct tmpl_set *set, struct str name);
void tmpl_node_write(struct buf *b, const struct node *n); /* as it would be written: error texts */

/* ---- execution (gotmpl_exec.c, gotmpl_eval.c) ---- */
struct tmpl_var {
    struct str name;
    struct tmpl_value value;
};

struct html_state;

struct tmpl_run {
    const struct tmpl_set *set;
    struct tmpl_exec *x;
    struct arena *a;
    struct buf *out;
    struct html_state *html; /* NULL in text mode */
    struct {
        struct tmpl_var *v;
        size_t n, cap;
    } vars;
    struct str name;       /* of the template at work */
    const struct node *at; /* for error texts */
    unsigned depth, steps;
    struct str failure; /* a function's own text, before the place is put in front */
    bool failed;        /* x->error is set */
};

/* Fails the run at its present node: x->error is the whole text. */
enum err tmpl_run_fail(struct tmpl_run *r, const char *fmt, ...) PRINTF(2, 3);
enum err tmpl_eval_pipe(struct tmpl_run *r, struct tmpl_value dot, const struct node *pipe,
                        struct tmpl_value *out);

/* A nil that is an interface's, not a missing value: asking it for a field is an error. */
extern const struct tmpl_type tmpl_type_interface;

/* ---- functions ---- */
extern const struct tmpl_func tmpl_builtins[];
extern const struct tmpl_func tmpl_time_methods[];
extern const struct tmpl_func tmpl_duration_methods[];

/* fmt.Sprintf and Sprint. */
void tmpl_sprintf(struct buf *b, struct str in, const struct tmpl_value *v, size_t n);
void tmpl_sprint(struct buf *b, const struct tmpl_value *args, size_t n);
const struct tmpl_func *tmpl_method(const struct tmpl_value *v, struct str name);

/* ---- HTML (gotmpl_html.c) ---- */
struct html_state *tmpl_html_new(struct arena *a);
void tmpl_html_text(struct html_state *h, struct buf *out, struct str text);
void tmpl_html_value(struct html_state *h, struct buf *out, const struct tmpl_value *v);
void tmpl_html_escape(struct buf *b, struct str s); /* template.HTMLEscape */
void tmpl_js_escape(struct buf *b, struct str s);
void tmpl_query_escape(struct buf *b, struct str s); /* url.QueryEscape */

#endif
