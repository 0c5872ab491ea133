/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsdb_blocks.h - the blocks of a data directory, opened to be looked at
 */
#ifndef COMMANDS_PROMTOOL_TSDB_BLOCKS_H
#define COMMANDS_PROMTOOL_TSDB_BLOCKS_H

#include "base/vec.h"
#include "tsdb/block.h"

struct open_blocks {
    VEC(struct block *) v; /* by their first time */
};

/* What cannot be opened is told on standard error and left out. Errors: the folder is not there. */
enum err open_blocks_read(struct arena *a, struct str dir, struct open_blocks *out, struct diag *d);
void open_blocks_done(struct open_blocks *b);

/* The table of promtool tsdb list; header: with its first line. */
void blocks_print(struct buf *b, struct arena *a, struct block *const *v, size_t n, bool header,
                  bool human);

#endif
