/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/base64.h"

#include <limits.h>
#include <openssl/evp.h>

enum err base64_decode(struct arena *a, struct str s, struct str *out)
{
    if (s.n % 4 || s.n > INT_MAX) return ERR_SYNTAX;
    char *p = arena_raw(a, s.n + 1);
    int n = s.n ? EVP_DecodeBlock((unsigned char *)p, (const unsigned char *)s.p, (int)s.n) : 0;
    if (n < 0) return ERR_SYNTAX;
    for (size_t i = s.n; i && s.p[i - 1] == '=' && n > 0; i--) {
        n--; /* padding decodes to zero bytes */
    }
    p[n] = '\0';
    *out = str_make(p, (size_t)n);
    return OK;
}

void base64_write(struct buf *b, struct str s)
{
    char *to = buf_room(b, (s.n + 2) / 3 * 4 + 1); /* and the NUL that OpenSSL writes */
    if (!to || s.n > INT_MAX) return;
    buf_add(b, (size_t)EVP_EncodeBlock((unsigned char *)to, (const unsigned char *)s.p, (int)s.n));
}
