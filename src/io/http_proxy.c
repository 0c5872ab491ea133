/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_proxy.h"

#include "base/bits.h"
#include "codec/num.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>

/* An address of either family as 16 bytes, IPv4 behind ::ffff: */
static bool address_of(struct str s, unsigned char out[16])
{
    char text[64];
    if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']') s = str_make(s.p + 1, s.n - 2);
    if (!s.n || s.n >= sizeof(text)) return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    if (inet_pton(AF_INET6, text, out) == 1) return true;
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    return inet_pton(AF_INET, text, out + 12) == 1;
}

static bool same_prefix(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0) return false;
    return !rest || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool in_network(struct str entry, struct str host)
{
    unsigned char net[16], addr[16];
    struct str base, bits_text;
    uint64_t bits = 0;
    if (!str_cut(entry, '/', &base, &bits_text) || num_parse_u64(bits_text, &bits) != OK) {
        return false;
    }
    if (str_find_char(base, ':') == STR_NONE) bits += 96;
    return bits <= 128 && address_of(base, net) && address_of(host, addr) &&
           same_prefix(net, addr, (unsigned)bits);
}

static bool is_loopback(struct str host)
{
    unsigned char a[16];
    static const unsigned char V6[16] = { [15] = 1 };
    if (str_ieq(host, STR("localhost"))) return true;
    if (!address_of(host, a)) return false;
    return memcmp(a, V6, 16) == 0 ||
           (memcmp(a, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0 && a[12] == 127);
}

static bool domain_matches(struct str entry, struct str host)
{
    bool below_only = str_starts(entry, STR("."));
    if (str_starts(entry, STR("*."))) {
        entry = str_from(entry, 1);
        below_only = true;
    }
    if (!below_only && str_ieq(entry, host)) return true;
    struct str suffix = below_only ? str_from(entry, 1) : entry;
    return suffix.n && host.n > suffix.n && host.p[host.n - suffix.n - 1] == '.' &&
           str_ieq(str_from(host, host.n - suffix.n), suffix);
}

/* Takes ":port" off the entry; 0: there is none. An IPv6 address needs brackets for one. */
static uint64_t port_of_entry(struct str *entry)
{
    size_t colon = STR_NONE;
    uint64_t port = 0;
    for (size_t i = 0; i < entry->n; i++) {
        if (entry->p[i] == ':') colon = i;
    }
    if (colon == STR_NONE) return 0;
    struct str head = str_first(*entry, colon);
    bool bare_v6 = str_find_char(head, ':') != STR_NONE && !str_starts(head, STR("["));
    if (bare_v6 || num_parse_u64(str_from(*entry, colon + 1), &port) != OK) return 0;
    *entry = head;
    return port;
}

static bool entry_matches(struct str entry, struct str host, uint16_t port)
{
    unsigned char a[16], b[16];
    if (str_eqc(entry, "*")) return true;
    if (str_find_char(entry, '/') != STR_NONE) return in_network(entry, host);
    uint64_t only = port_of_entry(&entry);
    if (!entry.n || (only && only != port)) return false;
    if (address_of(entry, a)) return address_of(host, b) && memcmp(a, b, 16) == 0;
    return domain_matches(entry, host);
}

bool no_proxy_matches(struct str list, struct str host, uint16_t port)
{
    if (is_loopback(host)) return true;
    while (list.n) {
        struct str entry;
        (void)str_cut(list, ',', &entry, &list);
        entry = str_trim(entry);
        if (entry.n && entry_matches(entry, host, port)) return true;
    }
    return false;
}

static struct str environment(const char *name, const char *small)
{
    /* Nothing of ours changes the environment. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    const char *v = getenv(name);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
    if (!v || !*v) v = getenv(small);
    return v ? str_c(v) : STR("");
}

static bool excepted(struct arena *a, struct str no_proxy, struct str url)
{
    CURLU *u = curl_url();
    char *host = NULL, *port = NULL;
    uint64_t n = 0;
    bool yes = false;
    if (u && curl_url_set(u, CURLUPART_URL, arena_dup(a, url).p, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        num_parse_u64(str_c(port), &n) == OK) {
        yes = no_proxy_matches(no_proxy, str_c(host), (uint16_t)n);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return yes;
}

struct str http_proxy_for(struct arena *a, const struct proxy_config *c, struct str url)
{
    if (c->url.n) {
        /* Without exceptions even this machine's own addresses go by the proxy, as in the original. */
        return c->no_proxy.n && excepted(a, c->no_proxy, url) ? STR("") : c->url;
    }
    if (!c->from_environment) return STR("");
    struct str proxy = str_starts(url, STR("https://")) ? environment("HTTPS_PROXY", "https_proxy")
                                                        : environment("HTTP_PROXY", "http_proxy");
    if (!proxy.n || excepted(a, environment("NO_PROXY", "no_proxy"), url)) return STR("");
    return proxy;
}
