/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/place.h"

#include "base/hash.h"
#include "codec/crc32c.h"
#include "codec/num.h"
#include "io/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 256 };

#define HEAD "vigie remote write place 1 "

struct str place_file(struct arena *a, struct str dir, struct str url, struct str name)
{
    uint64_t h = hash_fnv1a(hash_fnv1a(hash_fnv1a(FNV1A_INIT, url), STR("\n")), name);
    return path_join(a, dir, arena_fmt(a, "%016llx.place", (unsigned long long)h));
}

enum err place_parse(struct str text, uint64_t *place)
{
    struct str rest = text, segment, offset, crc;
    uint64_t s, o, sum;
    if (!str_starts(rest, STR(HEAD)) || !str_ends(rest, STR("\n"))) return ERR_SYNTAX;
    rest = str_from(str_first(rest, rest.n - 1), sizeof(HEAD) - 1);
    if (!str_cut(rest, ' ', &segment, &rest) || !str_cut(rest, ' ', &offset, &crc)) {
        return ERR_SYNTAX;
    }
    if (num_parse_u64(segment, &s) != OK || num_parse_u64(offset, &o) != OK ||
        num_parse_u64(crc, &sum) != OK) {
        return ERR_SYNTAX;
    }
    struct str before = str_make(text.p, (size_t)(crc.p - text.p));
    if (s > UINT32_MAX || o > UINT32_MAX || sum != crc32c(0, before)) return ERR_SYNTAX;
    *place = s << 32 | o;
    return OK;
}

enum err place_read(struct str file, uint64_t *place)
{
    ARENA(a, 0);
    struct str text;
    struct diag d;
    TRY(file_read(&a, file, LINE_MAX_BYTES, &text, &d));
    return place_parse(text, place);
}

enum err place_write(struct str file, uint64_t place)
{
    ARENA(a, 0);
    BUF(b, 0);
    struct str path = arena_dup(&a, file), tmp = arena_fmt(&a, STR_FMT ".tmp", STR_ARG(file));
    buf_fmt(&b, HEAD "%llu %llu ", (unsigned long long)(place >> 32),
            (unsigned long long)(place & UINT32_MAX));
    buf_fmt(&b, "%u\n", crc32c(0, buf_str(&b)));
    CLEANUP(fd_close) int fd = open(tmp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return ERR_SYS;
    TRY(fd_write_all(fd, buf_str(&b)));
    return rename(tmp.p, path.p) == 0 ? OK : ERR_SYS;
}
