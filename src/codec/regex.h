/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.h - regular expressions that cannot run away
 *
 * Shape:   REGEX_RE2 checks RE2's grammar with our own parser (Go's error texts), takes literals, prefixes and
 *          alternations out, and compiles `^(?s:RE)$` for PCRE2 with a match limit and its DFA matcher as the fallback.
 *          REGEX_RE2_PART is the same without anchors (Go regexp.MatchString: templates' reReplaceAll, exporters' filters).
 *          REGEX_JAVA takes PCRE2 for Java's syntax (jmx rules), unanchored, with Java-only forms translated or refused.
 * Threads: a compiled regex is immutable; matching is safe from any thread.
 * Source:  RE2 syntax page; Go regexp/syntax error texts; Java Pattern.
 */
#ifndef CODEC_REGEX_H
#define CODEC_REGEX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct regex;

enum regex_kind { REGEX_RE2, REGEX_RE2_PART, REGEX_JAVA };

/* Errors: ERR_SYNTAX with Go's text ("error parsing regexp: missing closing ): `...`"); ERR_LIMIT pattern too large. */
enum err regex_compile(struct str pattern, enum regex_kind kind, struct regex **out,
                       struct diag *d);
void regex_free(struct regex *re); /* NULL is fine */

bool regex_match(const struct regex *re, struct str subject);

/* Capture groups of a match: v[0] whole, v[i] group i ({NULL,0} when it took no part). */
struct regex_groups {
    struct str *v;
    size_t n;
};

/* False: no match. Groups are in a's memory, pointing into subject. */
bool regex_find(const struct regex *re, struct str subject, size_t from, struct arena *a,
                struct regex_groups *out);
size_t regex_group_count(const struct regex *re); /* without the whole match */

/* Index of a named group or STR_NONE. */
size_t regex_group_named(const struct regex *re, struct str name);

/* Go's Regexp.Expand: $1, ${1}, $name, $$ of template filled from groups. */
void regex_expand(const struct regex *re, struct str template, const struct regex_groups *g,
                  struct buf *out);

/* Go's ReplaceAllString over all matches. */
void regex_replace_all(const struct regex *re, struct str subject, struct str replacement,
                       struct buf *out);

/*
 * What the pattern is made of, for index look-ups: the whole pattern is a set of literals (n > 0), or begins with prefix.
 * Borrowed from the regex.
 */
struct regex_shape {
    const struct str *literals;
    size_t n;
    struct str prefix; /* every match begins with it; may be empty */
};
void regex_shape(const struct regex *re, struct regex_shape *out);

#endif
