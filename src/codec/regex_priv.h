/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex_priv.h - the parsed form of an RE2 pattern, shared by parser, printer and literal finder
 */
#ifndef CODEC_REGEX_PRIV_H
#define CODEC_REGEX_PRIV_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define RUNE_MAX 0x10ffffU

enum re_op {
    RE_EMPTY,
    RE_LITERAL,
    RE_ANY,        /* any character, newline too */
    RE_ANY_NOT_NL, /* any but newline */
    RE_CLASS,
    RE_BEGIN_LINE,
    RE_END_LINE,
    RE_BEGIN_TEXT,
    RE_END_TEXT,
    RE_WORD,
    RE_NOT_WORD,
    RE_REPEAT,
    RE_CAPTURE,
    RE_CONCAT,
    RE_ALTERNATE,
};

/* One item of a class: a range, or text that PCRE2 understands alike (\p{Greek}, [:alpha:], \W). */
struct re_range {
    uint32_t lo, hi;
    struct str text; /* not empty: this instead */
    struct re_range *next;
};

struct re_node {
    enum re_op op;
    bool fold;     /* of a literal or a class: (?i) */
    bool negated;  /* of a class */
    bool lazy;     /* of a repeat */
    uint32_t rune; /* of a literal */
    int min, max;  /* of a repeat; max -1: no end */
    int height;
    struct re_range *ranges;
    struct re_node *sub;  /* first child of repeat, capture, concat, alternate */
    struct re_node *next; /* sibling */
};

struct re_names {
    struct str *v; /* by group number from 1; empty: no name */
    size_t n, cap;
};

/* Errors: ERR_SYNTAX, ERR_LIMIT; d has Go's sentence, "error parsing regexp: ..." */
enum err re_parse(struct arena *a, struct str pattern, struct re_node **out, struct re_names *names,
                  struct diag *d);

/* The same language in PCRE2's spelling, for PCRE2_UTF | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY. */
void re_emit(const struct re_node *re, struct buf *b);

struct re_set {
    struct str *v;
    size_t n;
};

/* The finite set of strings that an anchored tree matches; false when there is none or it is large. */
bool re_literals(struct arena *a, const struct re_node *re, struct re_set *out);

/* What every match of an anchored tree begins with. */
struct str re_prefix(struct arena *a, const struct re_node *re);

/* A pattern of Java's syntax in PCRE2's. Errors: ERR_SYNTAX, ERR_UNSUPPORTED with a sentence. */
enum err re_from_java(struct str pattern, struct buf *out, struct diag *d);

#endif
