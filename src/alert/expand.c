/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/expand.h"

#include "base/buf.h"

/* What stands between ${ and }. */
struct reference {
    struct str name, otherwise, message;
    bool has_default, has_message;
    size_t size; /* with ${ and } */
};

static bool name_ok(struct str s)
{
    if (!s.n || (s.p[0] >= '0' && s.p[0] <= '9')) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c != '_' && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) return false;
    }
    return true;
}

/* At ${: false where it is none of ours, and stays as it is. */
static bool read_reference(struct str s, struct reference *out)
{
    size_t end = str_find_char(s, '}');
    if (!str_starts(s, STR("${")) || end == STR_NONE) return false;
    struct str in = str_make(s.p + 2, end - 2);
    *out = (struct reference){ .name = in, .size = end + 1 };
    if (str_starts(in, STR("file:")) || str_starts(in, STR("cred:"))) return in.n > 5;
    size_t colon = str_find_char(in, ':');
    if (colon != STR_NONE && colon + 1 < in.n) {
        out->name = str_first(in, colon);
        out->has_default = in.p[colon + 1] == '-';
        out->has_message = in.p[colon + 1] == '?';
        if (!out->has_default && !out->has_message) return false;
        out->otherwise = out->message = str_from(in, colon + 2);
    }
    return name_ok(out->name);
}

static bool whole_url(struct str s)
{
    return str_starts(s, STR("http://")) || str_starts(s, STR("https://"));
}

void expand(struct arena *a, struct str text, enum expand_where where, expand_fn *lookup, void *ctx,
            struct expanded *out)
{
    BUF(b, 1 << 20);
    *out = (struct expanded){ .text = text };
    for (struct str s = text; s.n;) {
        struct reference ref;
        if (str_starts(s, STR("$${"))) {
            buf_putc(&b, "${");
            s = str_from(s, 3);
            out->changed = true;
            continue;
        }
        if (!read_reference(s, &ref) || (where == EXPAND_WHOLE && ref.size != text.n)) {
            buf_char(&b, s.p[0]);
            s = str_from(s, 1);
            continue;
        }
        struct str value = lookup ? lookup(ctx, a, ref.name) : (struct str){ NULL, 0 };
        if (!value.n && ref.has_default) value = ref.otherwise;
        out->changed = true;
        if (!value.p && !out->unset.n) {
            out->unset = ref.has_message ? arena_fmt(a, STR_FMT ": " STR_FMT, STR_ARG(ref.name),
                                                     STR_ARG(ref.message))
                                         : arena_fmt(a, STR_FMT " is not set", STR_ARG(ref.name));
        }
        if (where == EXPAND_URL && whole_url(value)) {
            out->text = value;
            return;
        }
        buf_put(&b, value);
        s = str_from(s, ref.size);
    }
    if (out->changed) out->text = arena_dup(a, buf_str(&b));
}
