/* SPDX-License-Identifier: Apache-2.0 */
/* parse_priv.h - what parse.c, parse_selector.c, parse_duration.c and check.c share; nobody else includes it */
#ifndef PROMQL_PARSE_PRIV_H
#define PROMQL_PARSE_PRIV_H

#include "promql/parse.h"

/* The look-ahead: p->tok, read when it is not yet. An error of the lexer is noted then. */
enum token_kind parse_peek(struct parse *p);

struct token parse_take(struct parse *p);
bool parse_accept(struct parse *p, enum token_kind k, struct token *out); /* out may be NULL */

void parse_note(struct parse *p, size_t start, size_t end, const char *fmt, ...) PRINTF(4, 5);
void parse_note_token(struct parse *p, const struct token *t, const char *fmt, ...) PRINTF(3, 4);

/* Notes "unexpected TOKEN[ in CONTEXT][, expected WHAT]" for the look-ahead and ends the parse. */
void parse_unexpected(struct parse *p, const char *context, const char *expected);

/* Takes k, or parse_unexpected(). */
bool parse_expect(struct parse *p, enum token_kind k, const char *context, const char *expected,
                  struct token *out);

struct node *parse_node(struct parse *p, enum node_kind kind, size_t start, size_t end);
struct str parse_unquoted(struct parse *p, const struct token *t);
double parse_number(struct parse *p, const struct token *t);  /* NUMBER */
double parse_seconds(struct parse *p, const struct token *t); /* NUMBER or DURATION, in seconds */
bool parse_has(struct parse *p, uint32_t feature);

struct node *parse_expr(struct parse *p);

void parse_too_deep(struct parse *p);

/* A selector with a name, with braces, or both; name is the word taken already, or NULL. */
struct node *parse_vector_selector(struct parse *p, const struct token *name);
bool parse_is_metric_word(enum token_kind k);
bool parse_is_label_word(enum token_kind k);

/* Inside brackets (a range, a step) more than 0 is asked for. NODE_NUMBER of seconds, or NODE_DURATION. */
struct node *parse_positive_duration(struct parse *p);
struct node *parse_step_duration(struct parse *p);
struct node *parse_offset_duration(struct parse *p);
struct span parse_span(const struct node *n);
int64_t span_round(double v); /* away from zero on a tie, as Go's math.Round; clamped */

/* Types of everything below, once the syntax is right. */
void parse_check(struct parse *p, struct node *n);

#endif
