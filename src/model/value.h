/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h - what an expression evaluates to
 *
 * Shape: everything lives in the arena given to the evaluation.
 */
#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

#include "model/labels.h"
#include "model/sample.h"

enum value_kind { VALUE_NONE, VALUE_SCALAR, VALUE_STRING, VALUE_VECTOR, VALUE_MATRIX };

struct vector_sample {
    struct labels lb;
    int64_t t;
    double v;
    const struct histogram *h; /* NULL: v is the value */
};

struct matrix_series {
    struct labels lb;
    const int64_t *t;
    const double *v;
    const struct histogram *const *h; /* NULL, or as long as v: NULL where the sample is a float */
    size_t n;
};

struct value {
    enum value_kind kind;
    union {
        struct sample scalar;
        struct {
            int64_t t;
            struct str s;
        } string;
        struct {
            struct vector_sample *v;
            size_t n;
        } vector;
        struct {
            struct matrix_series *v;
            size_t n;
        } matrix;
    };
    struct str *warnings, *infos; /* annotations, each one sentence as the original words it */
    size_t warnings_n, infos_n;
};

#endif
