/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_metrics.c - promtool check metrics: a page from standard input
 */
#include "commands/promtool/metric_lint.h"
#include "commands/promtool/promtool.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE_MAX ((size_t)256 << 20)

static int by_cardinality(const void *x, const void *y)
{
    const struct family *a = *(struct family *const *)x, *b = *(struct family *const *)y;
    if (a->cardinality != b->cardinality) return a->cardinality < b->cardinality ? 1 : -1;
    return str_cmp(a->name, b->name);
}

/* Columns as wide as their widest cell and four blanks. */
static void print_row(struct buf *b, const size_t width[3], struct str c0, struct str c1,
                      struct str c2)
{
    struct str cells[3] = { c0, c1, c2 };
    for (size_t i = 0; i < 3; i++) {
        buf_put(b, cells[i]);
        for (size_t k = cells[i].n; k < width[i]; k++) buf_char(b, ' ');
    }
    buf_char(b, '\n');
}

static struct str share(struct arena *a, size_t part, size_t total)
{
    return arena_fmt(a, "%.2f%%", 100.0 * (double)part / (double)total);
}

static void print_cardinality(const struct families *f)
{
    enum { GAP = 4 };
    BUF(b, 0);
    size_t total = 0,
           width[3] = { sizeof("Metric") - 1, sizeof("Cardinality") - 1, sizeof("Percentage") - 1 };
    struct family **v = arena_array(f->a, f->v.n, sizeof(*v));
    for (size_t i = 0; i < f->v.n; i++) {
        v[i] = f->v.v[i];
        total += v[i]->cardinality;
        if (v[i]->name.n > width[0]) width[0] = v[i]->name.n;
    }
    if (f->v.n) qsort(v, f->v.n, sizeof(*v), by_cardinality);
    for (size_t i = 0; i < 3; i++) width[i] += GAP;
    print_row(&b, width, STR("Metric"), STR("Cardinality"), STR("Percentage"));
    for (size_t i = 0; i < f->v.n; i++) {
        print_row(&b, width, v[i]->name, arena_fmt(f->a, "%zu", v[i]->cardinality),
                  share(f->a, v[i]->cardinality, total));
    }
    print_row(&b, width, STR("Total"), arena_fmt(f->a, "%zu", total), STR("100%"));
    promtool_flush(&b);
}

int promtool_check_metrics(const struct promtool_options *o)
{
    BUF(b, PAGE_MAX);
    struct families f = { .a = o->a };
    struct diag d = { 0 };
    struct problem *v;
    size_t n, got;
    char *room;
    while ((room = buf_room(&b, 65536)) && (got = fread(room, 1, 65536, stdin)) > 0) {
        buf_add(&b, got);
    }
    if (families_read(&f, buf_str(&b), &d) != OK) {
        (void)fprintf(stderr, "error while linting: text format parsing error in line %u: %s\n",
                      d.line, d.text);
        families_done(&f);
        return PROMTOOL_FAILED;
    }
    families_lint(&f, &v, &n);
    if (str_eqc(o->lint, "none")) n = 0;
    for (size_t i = 0; i < n; i++) {
        (void)fprintf(stderr, STR_FMT " " STR_FMT "\n", STR_ARG(v[i].metric), STR_ARG(v[i].text));
    }
    if (o->extended && !n) print_cardinality(&f);
    families_done(&f);
    return n ? PROMTOOL_LINT : PROMTOOL_OK;
}
