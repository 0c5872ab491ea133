/* SPDX-License-Identifier: Apache-2.0 */
/* data.h - the read-only conformance data: VIGIE_DATA, or ../shared/data */
#ifndef TESTS_CONFORM_DATA_H
#define TESTS_CONFORM_DATA_H

#include "codec/json.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static inline const char *conform_dir(void)
{
    const char *dir = getenv("VIGIE_DATA");
    return dir ? dir : "../shared/data";
}

/* {NULL, 0} without the file. */
static inline struct str conform_file(struct arena *a, const char *name)
{
    BUF(b, 0);
    FILE *f = fopen(arena_fmt(a, "%s/%s", conform_dir(), name).p, "rb");
    if (!f) return (struct str){ NULL, 0 };
    char part[65536];
    for (size_t n; (n = fread(part, 1, sizeof(part), f)) > 0;) buf_put(&b, str_make(part, n));
    (void)fclose(f);
    return arena_dup(a, buf_str(&b));
}

static inline const struct json *conform_json(struct arena *a, const char *name)
{
    const struct json *v = NULL;
    struct diag d = { 0 };
    if (json_parse(a, conform_file(a, name), &v, &d) != OK) fail_msg("%s: %s", name, d.text);
    return v;
}

static inline bool conform_present(void)
{
    ARENA(a, 0);
    bool there = conform_file(&a, "README.md").p != NULL;
    if (!there) print_message("no conformance data (VIGIE_DATA)\n");
    return there;
}

#endif
