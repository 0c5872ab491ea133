/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.h - the command `vigie promtool`, and the link named promtool
 */
#ifndef COMMANDS_PROMTOOL_MAIN_H
#define COMMANDS_PROMTOOL_MAIN_H

int promtool_main(int argc, char **argv); /* argv[0] is not read; returns the exit code */

#endif
