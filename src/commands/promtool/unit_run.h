/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_run.h - one group of a unit test file: its series loaded, its rules evaluated step by step, its tests held against them
 *
 * Owns: what went wrong is in the caller's arena, each a text as promtool prints it.
 */
#ifndef COMMANDS_PROMTOOL_UNIT_RUN_H
#define COMMANDS_PROMTOOL_UNIT_RUN_H

#include "base/vec.h"
#include "commands/check/unit_file.h"
#include "rules/rules.h"

struct failures {
    struct arena *a;
    VEC(struct str) v;
};

struct unit_run {
    const struct unit_file *file;
    const struct rules_source *rules; /* all rule files, read */
    size_t rules_n;
    uint32_t features;
    bool ignore_unknown, diff;
};

void unit_run_group(const struct unit_run *u, const struct unit_group *g, struct failures *out);

#endif
