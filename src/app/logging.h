/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logging.h - what a role's --log.level and --log.format ask of the process's log
 *
 * The log belongs to the process. Where several roles share one (`vigie run`), the most talkative level asked for
 * wins, and JSON when one of them asks for it.
 */
#ifndef APP_LOGGING_H
#define APP_LOGGING_H

#include "model/role.h"

/* config: what the role's flags filled. A role whose flags name neither changes nothing. */
void logging_apply(const struct role *r, const void *config);

#endif
