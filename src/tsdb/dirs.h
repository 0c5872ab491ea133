/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dirs.h - the numbered files of a data directory, and two fd helpers that log and chunk files share
 */
#ifndef TSDB_DIRS_H
#define TSDB_DIRS_H

#include "base/arena.h"
#include "base/err.h"

/* Numbers of the entries whose names are `prefix` and digits, ascending; other names are not ours to judge. */
enum err dir_numbers(struct arena *a, struct str dir, struct str prefix, uint64_t **out, size_t *n,
                     struct diag *d);

/* Removes a folder that holds only files. */
void dir_remove_flat(struct str dir);

/* All of s at an offset, whatever the file holds there. */
enum err fd_write_at(int fd, struct str s, uint64_t at);

/* Cuts the file behind `at`; false when the system would not. */
bool fd_cut(int fd, uint64_t at);

/* 0 where there is none. */
uint64_t file_bytes(const char *path);

/* Makes a created or removed name durable. */
void dir_sync(const char *dir);

/* A whole file, mapped for reading; an empty one maps to "". Ends with file_unmap. */
enum err file_map(const char *path, struct str *out, struct diag *d);
void file_unmap(struct str s);

#endif
