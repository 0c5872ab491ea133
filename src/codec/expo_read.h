/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expo_read.h - reading /metrics pages: Prometheus text 0.0.4/1.0.0 and OpenMetrics 1.0, entry by entry
 *
 * Shape:   the caller owns the bytes and may hand them over in pieces: an entry that touches the end of what is there
 *          gives ERR_SHORT and consumes nothing, until `final` says that no more comes.
 * Errors:  the original's parser text, letter for letter ("expected value after metric, got ..."); line of the place.
 * Owns:    a growing array of label spans, kept between entries and pages; expo_reader_done() frees it.
 * Source:  Prometheus model/textparse (grammars, texts, leniencies), OpenMetrics 1.0; errors.json and the verdicts of
 *          ../shared/data/expfmt.
 */
#ifndef CODEC_EXPO_READ_H
#define CODEC_EXPO_READ_H

#include "base/arena.h"
#include "base/err.h"
#include "codec/expowrite.h"

enum expo_format { EXPO_TEXT, EXPO_OPENMETRICS, EXPO_PROTOBUF /* expo_proto.h */ };

enum expo_kind { EXPO_HELP, EXPO_TYPE, EXPO_UNIT, EXPO_COMMENT, EXPO_SERIES };

enum expo_type {
    EXPO_UNKNOWN,
    EXPO_COUNTER,
    EXPO_GAUGE,
    EXPO_HISTOGRAM,
    EXPO_GAUGEHISTOGRAM,
    EXPO_SUMMARY,
    EXPO_INFO,
    EXPO_STATESET,
    EXPO_TYPE_MAX_,
};
const char *expo_type_name(enum expo_type t); /* "counter", "unknown" ... */

struct histogram;

/* As on the wire: between quotes, escapes not resolved. */
struct expo_span {
    struct str name, value;
};

/* Strings point into the page; label spans into the reader, until the next expo_next(). */
struct expo_entry {
    enum expo_kind kind;
    enum expo_type type; /* of EXPO_TYPE; of a series: what the last TYPE line said */
    struct str name;     /* metric, escapes not resolved */
    struct str text;     /* of HELP, UNIT, COMMENT, escapes not resolved */
    struct str series;   /* of a series: its bytes without value */
    const struct expo_span *labels;
    size_t labels_n;
    double value;
    bool has_t;
    int64_t t; /* ms */
    bool has_exemplar, exemplar_has_t;
    const struct expo_span *exemplar_labels;
    size_t exemplar_labels_n;
    double exemplar_value;
    int64_t exemplar_t; /* ms */
    bool plain;         /* of protocol buffers: there are no escapes in name, text and labels */
    const struct histogram *histogram; /* the sample, where it is a native one; value is its sum */
};

struct expo_reader {
    enum expo_format format;
    struct str in; /* what is there of the page, from the first byte not yet consumed */
    size_t at;     /* where the next entry begins in it */
    bool final;    /* in ends where the page ends */
    enum expo_type type;
    unsigned line; /* of `at`, from 1 */

    /* Private: lexer and spans. */
    unsigned state;
    size_t i, start, entry;
    bool touched_end;
    struct expo_span *spans;
    size_t spans_n, spans_cap;
};

void expo_reader_init(struct expo_reader *r, enum expo_format format);
void expo_reader_done(struct expo_reader *r);
void expo_reader_reset(struct expo_reader *r,
                       enum expo_format format); /* for the next page; keeps memory */

/*
 * Errors: ERR_EOF the page ended as it may; ERR_SHORT more bytes are needed; ERR_SYNTAX
 * A page in text format ends with a line feed: a caller appends one to the last piece, as the original does.
 */
enum err expo_next(struct expo_reader *r, struct expo_entry *out, struct diag *d);

/* Escapes resolved; the same bytes where there are none. quotes: \" counts (label values; names; all of OpenMetrics). */
struct str expo_unescape(struct arena *a, struct str s, bool quotes);

/*
 * The label's value as it is stored: escapes resolved, `le` and `quantile` in OpenMetrics' float form ("1" is "1.0")
 * where the type says that they are bounds.
 */
struct str expo_label_value(struct arena *a, enum expo_type type, struct str name, struct str raw);

#endif
