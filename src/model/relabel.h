/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relabel.h - rewriting label sets by a list of rules
 *
 * Shape:  rules are made by the configuration reader, immutable afterwards.
 * Source: docs/configuration: relabel_config; model/relabel.
 */
#ifndef MODEL_RELABEL_H
#define MODEL_RELABEL_H

#include "base/err.h"
#include "codec/regex.h"
#include "model/labels.h"

enum relabel_action {
    RELABEL_REPLACE,
    RELABEL_KEEP,
    RELABEL_DROP,
    RELABEL_KEEPEQUAL,
    RELABEL_DROPEQUAL,
    RELABEL_HASHMOD,
    RELABEL_LABELMAP,
    RELABEL_LABELDROP,
    RELABEL_LABELKEEP,
    RELABEL_LOWERCASE,
    RELABEL_UPPERCASE,
};

struct relabel_rule {
    enum relabel_action action;
    const struct str *source_labels;
    size_t source_n;
    struct str separator, target_label, replacement;
    struct regex *regex; /* anchored; never NULL */
    struct str regex_text;
    uint64_t modulus;
};

/* Applies the rules in order; false: the set is dropped. The result is in the builder. */
bool relabel_apply(struct labels_builder *b, const struct relabel_rule *rules, size_t n);

#endif
