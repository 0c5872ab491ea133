/* SPDX-License-Identifier: Apache-2.0 */
#include "model/relabel.h"

#include "base/bits.h"
#include "base/utf8.h"
#include "codec/num.h"

#include <openssl/evp.h>

/* The values of the rule's source labels, joined. */
static struct str source(const struct relabel_rule *r, const struct labels_builder *b)
{
    if (r->source_n == 1) return labels_builder_get(b, r->source_labels[0]);
    BUF(joined, 0);
    for (size_t i = 0; i < r->source_n; i++) {
        if (i) buf_put(&joined, r->separator);
        buf_put(&joined, labels_builder_get(b, r->source_labels[i]));
    }
    return arena_dup(b->a, buf_str(&joined));
}

static struct str expand(const struct relabel_rule *r, struct arena *a, struct str template,
                         const struct regex_groups *g)
{
    if (str_find_char(template, '$') == STR_NONE) return template;
    BUF(out, 0);
    regex_expand(r->regex, template, g, &out);
    return arena_dup(a, buf_str(&out));
}

static void replace(const struct relabel_rule *r, struct labels_builder *b, struct str value)
{
    struct regex_groups g;
    if (!regex_find(r->regex, value, 0, b->a, &g)) return;
    struct str target = expand(r, b->a, r->target_label, &g);
    if (target.n && utf8_valid(target)) labels_set(b, target, expand(r, b->a, r->replacement, &g));
}

/* The low half of the MD5, as the original has it for the sake of old hashes. */
static void hashmod(const struct relabel_rule *r, struct labels_builder *b, struct str value)
{
    unsigned char md5[16];
    BUF(out, 0);
    if (EVP_Digest(value.p ? value.p : "", value.n, md5, NULL, EVP_md5(), NULL) != 1) return;
    num_write_u64(&out, load_be64(md5 + 8) % r->modulus);
    labels_set(b, r->target_label, arena_dup(b->a, buf_str(&out)));
}

/* Differs: only ASCII letters change case; the original follows Unicode. */
static void change_case(const struct relabel_rule *r, struct labels_builder *b, struct str value)
{
    char first = r->action == RELABEL_LOWERCASE ? 'A' : 'a';
    struct str copy = arena_dup(b->a, value);
    char *p = arena_raw(b->a, copy.n);
    for (size_t i = 0; i < copy.n; i++) {
        char c = copy.p[i];
        p[i] = c >= first && c < first + 26 ? (char)(c ^ 0x20) : c;
    }
    labels_set(b, r->target_label, str_make(p, copy.n));
}

/* Over the labels as they were: what a rule adds is not mapped again. */
static void each_name(const struct relabel_rule *r, struct labels_builder *b)
{
    size_t n = b->n;
    struct label *was = arena_array(b->a, n, sizeof(*was));
    if (n) memcpy(was, b->v, n * sizeof(*was));
    for (size_t i = 0; i < n; i++) {
        bool match = regex_match(r->regex, was[i].name);
        if (r->action == RELABEL_LABELMAP && match) {
            BUF(name, 0);
            regex_replace_all(r->regex, was[i].name, r->replacement, &name);
            labels_set(b, arena_dup(b->a, buf_str(&name)), was[i].value);
        } else if (r->action != RELABEL_LABELMAP && match == (r->action == RELABEL_LABELDROP)) {
            labels_del(b, was[i].name);
        }
    }
}

static bool apply_one(const struct relabel_rule *r, struct labels_builder *b)
{
    struct str value = source(r, b);
    switch (r->action) {
    case RELABEL_DROP: return !regex_match(r->regex, value);
    case RELABEL_KEEP: return regex_match(r->regex, value);
    case RELABEL_DROPEQUAL: return !str_eq(labels_builder_get(b, r->target_label), value);
    case RELABEL_KEEPEQUAL: return str_eq(labels_builder_get(b, r->target_label), value);
    case RELABEL_REPLACE: replace(r, b, value); break;
    case RELABEL_HASHMOD: hashmod(r, b, value); break;
    case RELABEL_LOWERCASE:
    case RELABEL_UPPERCASE: change_case(r, b, value); break;
    case RELABEL_LABELMAP:
    case RELABEL_LABELDROP:
    case RELABEL_LABELKEEP: each_name(r, b); break;
    }
    return true;
}

bool relabel_apply(struct labels_builder *b, const struct relabel_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!apply_one(&rules[i], b)) return false;
    }
    return true;
}
