/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.h - the command `vigie check`
 */
#ifndef COMMANDS_CHECK_MAIN_H
#define COMMANDS_CHECK_MAIN_H

#include "codec/flags.h"

#define CHECK_USAGE "vigie check [flags] FILE|DIR..."
#define CHECK_SUMMARY                                                                              \
    "Checks configuration, rule, dashboard and test files by the readers of the roles that load "  \
    "them. Exit code 0: fine, 1: an error, 2: the command line, or nobody could read the answer."
extern const struct flag CHECK_FLAGS[];

int check_main(int argc, char **argv); /* argv[0] is not read; returns the exit code */

#endif
