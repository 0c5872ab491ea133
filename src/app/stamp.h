/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stamp.h - what app gives to the floors that have no clock and no randomness: the time of a log line, the hash seed
 */
#ifndef APP_STAMP_H
#define APP_STAMP_H

/* Once, before threads start. */
void stamp_install(void);

#endif
