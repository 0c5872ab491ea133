/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of DNS servers: no more records than the bytes can hold, whatever type was asked for. */
#include "base/assert.h"
#include "io/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const enum dns_type TYPES[] = { DNS_A, DNS_NS, DNS_MX, DNS_AAAA, DNS_SRV };
    if (n > 65535) return 0;
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        struct dns_answer r;
        ARENA(a, 0);
        if (dns_parse(&a, TYPES[i], data, (int)n, &r) == OK) ASSERT(r.n <= n);
    }
    return 0;
}
