/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - `vigie doctor`: the command line of `vigie run`, and the files it would read, for commands/doctor
 */
#ifndef APP_DOCTOR_H
#define APP_DOCTOR_H

#include "app/plan.h"

int run_doctor(int argc, char **argv);

extern const struct flag DOCTOR_FLAGS[];
extern const char DOCTOR_USAGE[], DOCTOR_SUMMARY[];

#endif
