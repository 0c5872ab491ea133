/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64.h - standard alphabet with padding (RFC 4648), by OpenSSL
 */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Errors: ERR_SYNTAX */
enum err base64_decode(struct arena *a, struct str s, struct str *out);
void base64_write(struct buf *b, struct str s);

#endif
