/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/assignment.h"

#include "base/bits.h"
#include "base/utf8.h"

enum { TOPIC_LEAST = 2 + 4 /* bytes of a topic without name and partitions */ };

static enum err read_count(struct str *in, size_t least, size_t *out)
{
    if (in->n < 4) return ERR_SHORT;
    int32_t n = (int32_t)load_be32(in->p);
    if (n < 0) return ERR_SYNTAX;
    *in = str_from(*in, 4);
    if ((size_t)n > in->n / least) return ERR_LIMIT;
    *out = (size_t)n;
    return OK;
}

static enum err read_topic(struct str *in, struct arena *a, struct kafka_assigned *out)
{
    if (in->n < 2) return ERR_SHORT;
    int16_t n = (int16_t)load_be16(in->p);
    if (n < 0) return ERR_SYNTAX;
    *in = str_from(*in, 2);
    if (in->n < (size_t)n) return ERR_SHORT;
    out->topic = str_first(*in, (size_t)n);
    *in = str_from(*in, (size_t)n);
    size_t count;
    TRY(read_count(in, 4, &count));
    out->partitions.n = count;
    out->partitions.v = arena_array(a, count, sizeof(int32_t));
    for (size_t i = 0; i < count; i++) out->partitions.v[i] = (int32_t)load_be32(in->p + 4 * i);
    *in = str_from(*in, 4 * count);
    return OK;
}

enum err kafka_assignment_read(struct str bytes, struct arena *a, kafka_assigned_list *out)
{
    struct str in = bytes;
    kafka_assigned_list list = { NULL, 0 };
    if (in.n) {
        if (in.n < 2) return ERR_SHORT;
        if ((int16_t)load_be16(in.p) < 0) return ERR_SYNTAX;
        in = str_from(in, 2);
        TRY(read_count(&in, TOPIC_LEAST, &list.n));
        list.v = arena_array(a, list.n, sizeof(*list.v));
        KARRAY_FOR(it, &list) TRY(read_topic(&in, a, it));
    }
    *out = list;
    return OK;
}

int32_t kafka_group_partition(struct str group_id, int32_t partitions)
{
    uint32_t h = 0;
    while (group_id.n) {
        uint32_t rune = utf8_next(&group_id);
        if (rune >= 0x10000) { /* two units, the high surrogate first */
            rune -= 0x10000;
            h = 31 * h + (0xd800 | rune >> 10);
            rune = 0xdc00 | (rune & 0x3ff);
        }
        h = 31 * h + rune;
    }
    if (partitions <= 0) return -1;
    int32_t hash = (int32_t)h;
    return hash == INT32_MIN ? 0 : (hash < 0 ? -hash : hash) % partitions;
}
