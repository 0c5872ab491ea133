/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - whole requests and answers: length, header, body
 *
 * Shape:   length (4 bytes, without itself) | header | body. Request header 1: api key, version, correlation id, client id;
 *          header 2 (flexible versions): the same and tagged fields. Answer header 0: correlation id; header 1: and tagged
 *          fields. ApiVersions' answer has header 0 in every version, so that an old broker can be understood.
 * Source:  Kafka protocol guide; RequestHeader.json, ResponseHeader.json; KIP-511 for ApiVersions.
 */
#ifndef KAFKA_FRAME_H
#define KAFKA_FRAME_H

#include "kafka/api.h"
#include "kafka/messages.h"

enum { KAFKA_FRAME_HEAD = 4 }; /* bytes of the length */

static inline bool kafka_api_flexible(enum kafka_api_id api, int16_t version)
{
    return version >= KAFKA_APIS[api].flexible_from;
}

/* Appends one frame. version is one that KAFKA_APIS has. */
void kafka_request_write(struct buf *b, enum kafka_api_id api, int16_t version, int32_t correlation,
                         struct str client_id, const void *req);

/*
 * Looks at the front of a stream of bytes: *frame is the next one without its length.
 * Errors: ERR_AGAIN  not all there yet
 *         ERR_SYNTAX the length is negative or below a header's
 *         ERR_LIMIT  the length is above max
 */
enum err kafka_frame_peek(struct str in, size_t max, struct str *frame);

/* What speaks when it is not Kafka ("HTTP", "TLS", "SSH"), or NULL. Looks at the first bytes of a stream. */
const char *kafka_frame_stranger(struct str in);

/*
 * Reads an answer (frame without length) to a request of that version. Bytes behind the body are an error.
 * Errors: as kafka_fields_read(); ERR_SYNTAX for bytes left over
 */
enum err kafka_response_read(enum kafka_api_id api, int16_t version, struct str frame,
                             struct arena *a, int32_t *correlation, void *res);

/* ApiVersions alone: an answer of a broker that is too old for `version` comes in version 0; *version says which it was. */
enum err kafka_api_versions_read(struct str frame, int16_t *version, struct arena *a,
                                 int32_t *correlation, struct kafka_api_versions_res *res);

/* The version to use of each API: the highest that both sides speak, or -1. */
struct kafka_versions {
    int16_t use[KAFKA_API_MAX_];
    int16_t their_min[KAFKA_API_MAX_], their_max[KAFKA_API_MAX_]; /* -1, -1: not offered */
};
void kafka_versions_pick(const struct kafka_api_versions_res *res, struct kafka_versions *out);

/* "broker speaks ListOffsets 12 to 13, this program 2 to 11". */
enum err kafka_versions_need(const struct kafka_versions *v, enum kafka_api_id api, struct diag *d);

#endif
