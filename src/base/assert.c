/* SPDX-License-Identifier: Apache-2.0 */
#include "base/assert.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Thread_local const char *assert_context;

void assert_failed(const char *file, int line, const char *what)
{
    void *frames[32];
    (void)fprintf(stderr, "%s:%d: broken assertion: %s%s%s\n", file, line, what,
                  assert_context ? " while working on " : "", assert_context ? assert_context : "");
    backtrace_symbols_fd(frames, backtrace(frames, ARRAY_LEN(frames)), STDERR_FILENO);
    abort();
}
