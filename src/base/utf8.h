/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.h - checking and walking UTF-8 (RFC 3629: no surrogates, nothing above U+10FFFF)
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"
#include "base/str.h"

#define UTF8_BAD 0xfffdU /* U+FFFD, what Go yields for a byte that is no UTF-8 */

bool utf8_valid(struct str s);

/* Takes one code point off the front (s->n > 0); a bad byte yields UTF8_BAD and takes one byte. */
uint32_t utf8_next(struct str *s);
size_t utf8_count(struct str s);
void utf8_put(struct buf *b, uint32_t rune);

#endif
