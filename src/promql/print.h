/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print.h - trees back to text: canonical, broken into lines, as JSON
 *
 * Source: promql/parser/printer.go, prettier.go, web/api/v1/translate_ast.go of Prometheus 3.14
 */
#ifndef PROMQL_PRINT_H
#define PROMQL_PRINT_H

#include "base/buf.h"
#include "promql/ast.h"

void print_node(struct buf *b, const struct node *n);

/* Parts that are longer than width bytes in one line are broken and indented by two. */
void print_pretty(struct buf *b, const struct node *n, size_t width);

/* Keys of objects in alphabetical order, as the API sends them. */
void print_json(struct buf *b, const struct node *n);

#endif
