/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor reads of foreign peers: HTTP heads, SMTP replies, SASL mechanisms, dashboards' queries. */
#include "commands/doctor/dead.h"
#include "commands/doctor/peers.h"
#include "commands/doctor/web.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good) abort();
}

static bool within(struct str part, struct str whole)
{
    return !part.n || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA(a, 0);
    struct str in = str_make((const char *)data, size), rest = in, names;
    struct web_reply reply;
    struct smtp_reply mail;
    struct url u;
    if (web_reply_parse(in, &reply) == OK) {
        check(within(reply.body, in) && within(reply.content_type, in));
    }
    (void)looks_like_metrics(in);
    while (smtp_reply_take(&rest, &mail) == OK) check(within(mail.text, in) && mail.code >= 200);
    check(within(rest, in));
    if (sasl_mechanisms_read(in, &a, &names) == OK) check(names.n <= 2 * size);
    if (url_split(&a, in, &u)) check(u.port && u.host.n && u.path.p[0] == '/');
    (void)query_of_template(&a, in);
    return 0;
}
