/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assert.h - facts that only a mistake of ours can break
 *
 * ASSERT stays on in release builds and ends the process with place and text: use it for cheap facts
 * (state, magic, thread, bounds). DASSERT runs in sanitizer and debug builds only. Neither is for
 * what the world does wrong: that is an enum err.
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#include "base/attr.h"

NORETURN void assert_failed(const char *file, int line, const char *what);

/* Text about the unit of work at hand (a query, a target), printed by a failed ASSERT of this thread. */
extern _Thread_local const char *assert_context;

#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (UNLIKELY(!(cond))) assert_failed(__FILE__, __LINE__, #cond);                           \
    } while (0)

#if defined(WITH_ASAN) || !defined(NDEBUG)
#define DASSERT(cond) ASSERT(cond)
#else
#define DASSERT(cond) ((void)sizeof(cond))
#endif

#endif
