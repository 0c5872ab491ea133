/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/assignment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Property: what is read lies inside the bytes, and its counts are covered by them; a group finds a partition that there is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = str_make((const char *)data, n);
    ARENA(a, 0);
    kafka_assigned_list list;
    if (kafka_assignment_read(in, &a, &list) == OK) {
        size_t bytes = 0;
        KARRAY_FOR(it, &list)
        {
            if (it->topic.p < in.p || it->topic.p + it->topic.n > in.p + in.n) __builtin_trap();
            bytes += 6 + it->topic.n + 4 * it->partitions.n;
        }
        if (bytes > n) __builtin_trap();
    }
    int32_t p = kafka_group_partition(in, 50);
    if (p < 0 || p >= 50) __builtin_trap();
    return 0;
}
