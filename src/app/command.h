/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - a row of the table of commands: what main() runs, the overview shows, the manual describes
 */
#ifndef APP_COMMAND_H
#define APP_COMMAND_H

#include "codec/flags.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *summary;               /* NULL: not shown */
    /* With them the command gets a page of its own in the manual, vigie-NAME(1). */
    const char *usage, *description;
    const struct flag *flags;
    const char *link; /* a link of this name runs it, too; NULL: there is none */
};

#endif
