/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern.c - two facts about a rule's pattern that spare work: what every match begins with, and whether a match can see a
 * number behind the attribute's name
 *
 * The second is what lets an outcome be kept although the value changes. Numbers and booleans are made of few characters
 * (VALUE_CHARS), and ": " stands before them. An item of the pattern that must match a character outside that set can only
 * match in front of the ':'. If nothing after the last such item can match a ':', the match ends in front of it, too:
 *     kafka.server<type=(.+), name=(.+)><>Count      'C' is such an item, "ount" has no ':'    -> blind
 *     kafka.server<type=(.+)>                        '>' is one, nothing follows               -> blind
 *     <>Value: (\d+)                                 ':' after 'V'                             -> sees the value
 * Whatever the reader below does not know counts as "sees the value": then the outcome is made anew for each new value.
 */
#include "jmx/rules.h"

#include <string.h>

#define VALUE_CHARS "0123456789.+-ENaInfityrueals: "
#define NESTED_MAX  8

/* What a run of items does, read from left to right. */
struct run {
    bool anchored; /* some item lies in front of the ':' for sure */
    bool crossing; /* something after the last such item may match ':' */
    bool colon;    /* some item may match ':' */
    bool unknown;
};

struct item {
    bool optional, anchor, colon;
};

static struct run alternatives(struct str *in, unsigned depth);

static void run_add(struct run *r, struct item it)
{
    r->colon |= it.colon;
    if (it.anchor && !it.optional) {
        r->anchored = true;
        r->crossing = false;
    } else if (it.colon) {
        r->crossing = true;
    }
}

static struct item literal(char c)
{
    return (struct item){ .anchor = !strchr(VALUE_CHARS, c), .colon = c == ':' };
}

static bool escape(struct str *in, struct item *out)
{
    if (in->n < 2) return false;
    char c = in->p[1];
    *in = str_from(*in, 2);
    if (c == 'd' || c == 'w' || c == 's') {
        *out = (struct item){ 0 };
    } else if (c == 'D' || c == 'W' || c == 'S') {
        *out = (struct item){ .colon = true };
    } else if (c > ' ' && c < 127 && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
               !(c >= '0' && c <= '9')) {
        *out = literal(c);
    } else {
        return false;
    }
    return true;
}

/* [...] without nesting, intersections or class escapes other than \d \w \s. */
static bool class(struct str *in, struct item *out)
{
    size_t i = 1;
    bool negated = i < in->n && in->p[i] == '^', colon = false;
    if (negated) i++;
    for (size_t first = i; i < in->n && (in->p[i] != ']' || i == first); i++) {
        char c = in->p[i];
        if (c == '[' || c == '&') return false;
        if (c == '\\') {
            if (++i >= in->n || !strchr("dws.:-_/\\]", in->p[i])) return false;
            c = in->p[i];
        }
        if (c == ':') colon = true;
        bool range = i + 2 < in->n && in->p[i + 1] == '-' && in->p[i + 2] != ']';
        if (range && (unsigned char)c < ':' && (unsigned char)in->p[i + 2] >= ':') colon = true;
    }
    if (i >= in->n) return false;
    *in = str_from(*in, i + 1);
    *out = (struct item){ .colon = colon != negated };
    return true;
}

static bool group_opened(struct str *in)
{
    *in = str_from(*in, 1);
    if (!str_starts(*in, STR("?"))) return true;
    if (str_starts(*in, STR("?:"))) {
        *in = str_from(*in, 2);
        return true;
    }
    bool named = str_starts(*in, STR("?<")) && in->n > 2 && in->p[2] != '=' && in->p[2] != '!';
    size_t end = str_find_char(*in, '>');
    if (!named || end == STR_NONE) return false;
    *in = str_from(*in, end + 1);
    return true;
}

static bool group(struct str *in, struct item *out, unsigned depth)
{
    if (depth >= NESTED_MAX || !group_opened(in)) return false;
    struct run r = alternatives(in, depth + 1);
    if (r.unknown || in->n == 0 || in->p[0] != ')') return false;
    *in = str_from(*in, 1);
    *out = (struct item){ .anchor = r.anchored && !r.crossing, .colon = r.colon };
    return true;
}

static bool one_item(struct str *in, struct item *out, unsigned depth)
{
    char c = in->p[0];
    if (c == '(') return group(in, out, depth);
    if (c == '[') return class(in, out);
    if (c == '\\') return escape(in, out);
    if (strchr("^$*+?{", c)) return false;
    *out = c == '.' ? (struct item){ .colon = true } : literal(c);
    *in = str_from(*in, 1);
    return true;
}

static bool quantifier(struct str *in, struct item *it)
{
    if (in->n == 0) return true;
    char c = in->p[0];
    if (c == '{') {
        size_t end = str_find_char(*in, '}');
        if (end == STR_NONE || in->n < 3) return false;
        it->optional = in->p[1] < '1' || in->p[1] > '9';
        *in = str_from(*in, end + 1);
    } else if (c == '*' || c == '?' || c == '+') {
        it->optional = c != '+';
        *in = str_from(*in, 1);
    } else {
        return true;
    }
    if (in->n && (in->p[0] == '?' || in->p[0] == '+')) {
        *in = str_from(*in, 1); /* lazy, possessive */
    }
    return true;
}

static struct run sequence(struct str *in, unsigned depth)
{
    struct run r = { 0 };
    while (in->n && in->p[0] != '|' && in->p[0] != ')') {
        struct item it = { 0 };
        if (!one_item(in, &it, depth) || !quantifier(in, &it)) {
            r.unknown = true;
            return r;
        }
        run_add(&r, it);
    }
    return r;
}

/* All branches must be anchored for the whole to be; one that crosses is enough to cross. */
static struct run alternatives(struct str *in, unsigned depth)
{
    struct run all = sequence(in, depth);
    while (!all.unknown && in->n && in->p[0] == '|') {
        *in = str_from(*in, 1);
        struct run r = sequence(in, depth);
        all.anchored &= r.anchored;
        all.crossing |= r.crossing;
        all.colon |= r.colon;
        all.unknown |= r.unknown;
    }
    return all;
}

bool jmx_pattern_blind(struct str pattern)
{
    bool branches = str_find_char(pattern, '|') != STR_NONE;
    while (!branches && str_ends(pattern, STR(".*")) && !str_ends(pattern, STR("\\.*"))) {
        pattern.n -= 2; /* what follows a pattern is free anyway */
    }
    if (str_starts(pattern, STR("^"))) pattern = str_from(pattern, 1);
    if (pattern.n == 0 || str_eqc(pattern, ".+")) return true;
    struct run r = alternatives(&pattern, 0);
    return !r.unknown && pattern.n == 0 && r.anchored && !r.crossing;
}

/* A '|' outside of all groups makes the beginning of the pattern only one of several. */
static bool has_branches(struct str p)
{
    int depth = 0;
    bool in_class = false;
    for (size_t i = 0; i < p.n; i++) {
        char c = p.p[i];
        if (c == '\\') {
            if (i + 1 < p.n && p.p[i + 1] == 'Q') return true;
            i++;
        } else if (in_class) {
            in_class = c != ']';
        } else if (c == '[') {
            in_class = true;
        } else if (c == '(' || c == ')') {
            depth += c == '(' ? 1 : -1;
        } else if (c == '|' && depth == 0) {
            return true;
        }
    }
    return false;
}

struct str jmx_pattern_literal(struct str pattern, struct arena *a)
{
    char *to = arena_raw(a, pattern.n + 1);
    size_t n = 0;
    if (has_branches(pattern)) return STR("");
    if (str_starts(pattern, STR("^"))) pattern = str_from(pattern, 1);
    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];
        if (strchr("[](){}*+?|^$", c) || (unsigned char)c >= 128) break;
        if (c == '\\') {
            if (++i >= pattern.n || !strchr(".<>:,=-/ ", pattern.p[i])) break;
            c = pattern.p[i];
        } else if (c == '.') {
            c = '\1';
        }
        char next = i + 1 < pattern.n ? pattern.p[i + 1] : 0;
        if (next == '*' || next == '?' || next == '{') break;
        to[n++] = c;
        if (next == '+') break;
    }
    return str_make(to, n);
}
