/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/frame.h"

#include "base/assert.h"
#include "base/bits.h"

static void put16(struct buf *b, int16_t v)
{
    char p[2];
    store_be16(p, (uint16_t)v);
    buf_put(b, str_make(p, 2));
}

static void put32(struct buf *b, int32_t v)
{
    char p[4];
    store_be32(p, (uint32_t)v);
    buf_put(b, str_make(p, 4));
}

void kafka_request_write(struct buf *b, enum kafka_api_id api, int16_t version, int32_t correlation,
                         struct str client_id, const void *req)
{
    const struct kafka_api *x = &KAFKA_APIS[api];
    ASSERT(version >= x->min && version <= x->max);
    size_t begin = b->n;
    put32(b, 0);
    put16(b, x->key);
    put16(b, version);
    put32(b, correlation);
    put16(b, (int16_t)client_id.n); /* never a compact string */
    buf_put(b, client_id);
    bool flexible = kafka_api_flexible(api, version);
    if (flexible) kafka_uvarint_write(b, 0);
    kafka_fields_write(x->request, version, flexible, req, b);
    if (b->over) return;
    store_be32(b->p + begin, (uint32_t)(b->n - begin - KAFKA_FRAME_HEAD));
}

enum err kafka_frame_peek(struct str in, size_t max, struct str *frame)
{
    if (in.n < KAFKA_FRAME_HEAD) return ERR_AGAIN;
    int32_t n = (int32_t)load_be32(in.p);
    if (n < 4) return ERR_SYNTAX;
    if ((size_t)n > max) return ERR_LIMIT;
    if (in.n - KAFKA_FRAME_HEAD < (size_t)n) return ERR_AGAIN;
    *frame = str_make(in.p + KAFKA_FRAME_HEAD, (size_t)n);
    return OK;
}

const char *kafka_frame_stranger(struct str in)
{
    if (str_starts(in, STR("HTTP/")) || str_starts(in, STR("<!DO")) ||
        str_starts(in, STR("<htm"))) {
        return "HTTP";
    }
    if (str_starts(in, STR("SSH-"))) return "SSH";
    if (in.n >= 3 && (in.p[0] == 0x15 || in.p[0] == 0x16) && in.p[1] == 0x03 && in.p[2] <= 0x04) {
        return "TLS";
    }
    return NULL;
}

static enum err skip_tags(struct str *in)
{
    static const struct kafka_fields NOTHING = { NULL, 0, 0 };
    char none[1];
    return kafka_fields_read(&NOTHING, 0, true, in, NULL, none);
}

static enum err read_correlation(struct str *in, int32_t *out)
{
    if (in->n < 4) return ERR_SHORT;
    *out = (int32_t)load_be32(in->p);
    *in = str_from(*in, 4);
    return OK;
}

static enum err read_body(enum kafka_api_id api, int16_t version, struct str in, struct arena *a,
                          void *res)
{
    TRY(kafka_fields_read(KAFKA_APIS[api].response, version, kafka_api_flexible(api, version), &in,
                          a, res));
    return in.n ? ERR_SYNTAX : OK;
}

enum err kafka_response_read(enum kafka_api_id api, int16_t version, struct str frame,
                             struct arena *a, int32_t *correlation, void *res)
{
    struct str in = frame;
    TRY(read_correlation(&in, correlation));
    if (kafka_api_flexible(api, version) && api != KAFKA_API_VERSIONS) TRY(skip_tags(&in));
    return read_body(api, version, in, a, res);
}

enum err kafka_api_versions_read(struct str frame, int16_t *version, struct arena *a,
                                 int32_t *correlation, struct kafka_api_versions_res *res)
{
    enum { UNSUPPORTED_VERSION = 35 };
    struct str in = frame;
    TRY(read_correlation(&in, correlation));
    if (in.n >= 2 && load_be16(in.p) == UNSUPPORTED_VERSION) *version = 0;
    return read_body(KAFKA_API_VERSIONS, *version, in, a, res);
}

void kafka_versions_pick(const struct kafka_api_versions_res *res, struct kafka_versions *out)
{
    for (size_t i = 0; i < KAFKA_API_MAX_; i++) {
        const struct kafka_api *x = &KAFKA_APIS[i];
        out->use[i] = out->their_min[i] = out->their_max[i] = -1;
        KARRAY_FOR(it, &res->api_keys)
        {
            if (it->api_key != x->key) continue;
            out->their_min[i] = it->min_version;
            out->their_max[i] = it->max_version;
            int16_t v = it->max_version < x->max ? it->max_version : x->max;
            out->use[i] = v >= x->min && v >= it->min_version ? v : -1;
        }
    }
}

enum err kafka_versions_need(const struct kafka_versions *v, enum kafka_api_id api, struct diag *d)
{
    const struct kafka_api *x = &KAFKA_APIS[api];
    if (v->use[api] >= 0) return OK;
    if (v->their_max[api] < 0) {
        return diag_set(d, ERR_UNSUPPORTED, "the broker does not offer %s", x->name);
    }
    return diag_set(d, ERR_UNSUPPORTED, "the broker speaks %s %d to %d, this program %d to %d",
                    x->name, v->their_min[api], v->their_max[api], x->min, x->max);
}
