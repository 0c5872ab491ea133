/* SPDX-License-Identifier: Apache-2.0 */
/*
 * score.h - counts of passed vectors that may only rise
 *
 * A committed file holds lines "name count". A run below a line fails; a run above it says what to write there.
 */
#ifndef TESTS_CONFORM_SCORE_H
#define TESTS_CONFORM_SCORE_H

#include "base/arena.h"
#include "codec/num.h"
#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>

/* The folder of a data set below VIGIE_DATA; ends the program with 77 where it is absent. */
static inline struct str data_dir(struct arena *a, const char *set)
{
    const char *root = getenv("VIGIE_DATA");
    struct str dir = path_join(a, str_c(root ? root : "../shared/data"), str_c(set));
    if (!file_exists(dir)) {
        printf("skipped: no " STR_FMT "\n", STR_ARG(dir));
        exit(77);
    }
    return dir;
}

/* False, with a line on stdout, when the count is below the committed one. */
static inline bool score_holds(struct arena *a, const char *file, const char *name, size_t count)
{
    struct str text, line, key, value;
    uint64_t least = 0;
    if (file_read(a, str_c(file), 1 << 20, &text, NULL) != OK) text = STR("");
    while (text.n) {
        (void)str_cut(text, '\n', &line, &text);
        if (str_cut(line, ' ', &key, &value) && str_eqc(key, name)) {
            (void)num_parse_u64(str_trim(value), &least);
        }
    }
    printf("%s: %zu (committed: %zu)%s\n", name, count, (size_t)least,
           count > least ? ", more than before: write it down" : "");
    return count >= least;
}

#endif
