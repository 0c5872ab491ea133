/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manual.h - man pages from the tables of flags: `vigie man` names the pages, `vigie man PAGE` prints one as roff
 *
 * Source: man(7). SOURCE_DATE_EPOCH dates the pages, so that a build can be repeated byte for byte.
 */
#ifndef APP_MANUAL_H
#define APP_MANUAL_H

#include "app/command.h"

/* commands: the table, ended by a row without name. */
int manual_run(const struct command *commands, int argc, char **argv);

#endif
