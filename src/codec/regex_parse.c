/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RE2's grammar as Go's regexp/syntax reads it with its Perl flags. One pass from left to right, so that the
 * first error is the one Go reports. Recursion is one level a parenthesis, limited as Go limits height.
 */
#include "base/utf8.h"
#include "codec/regex_priv.h"

enum { HEIGHT_MAX = 1000, REPEAT_MAX = 1000 };

enum flag { FOLD = 1, DOT_NL = 2, ONE_LINE = 4, LAZY = 8 };

struct parser {
    struct arena *a;
    struct str whole, t; /* t: what is left */
    unsigned flags;
    unsigned depth;
    struct re_names *names;
    struct diag *d;
};

/* A list of siblings under construction. */
struct items {
    struct re_node *first, *last;
    struct re_node **last_link; /* where last hangs, so that a repeat can take its place */
};

static enum err fail_at(struct parser *p, const char *code, struct str expr)
{
    return diag_set(p->d, ERR_SYNTAX, "error parsing regexp: %s: `" STR_FMT "`", code,
                    STR_ARG(expr));
}

/* From `from` (a tail of the pattern) up to where the parser stands. */
static struct str since(const struct parser *p, struct str from)
{
    return str_first(from, from.n - p->t.n);
}

static enum err check_utf8(struct parser *p, struct str s)
{
    return utf8_valid(s) ? OK : fail_at(p, "invalid UTF-8", s);
}

static enum err take_rune(struct parser *p, uint32_t *out)
{
    struct str rest = p->t;
    *out = rest.n ? utf8_next(&rest) : UTF8_BAD;
    if (*out == UTF8_BAD && p->t.n - rest.n == 1) return fail_at(p, "invalid UTF-8", p->t);
    p->t = rest;
    return OK;
}

static char at(const struct parser *p, size_t i) { return i < p->t.n ? p->t.p[i] : '\0'; }
static void skip(struct parser *p, size_t n) { p->t = str_from(p->t, n); }

static struct re_node *node(struct parser *p, enum re_op op)
{
    struct re_node *re = arena_new(p->a, struct re_node);
    re->op = op;
    re->height = 1;
    return re;
}

static void push(struct items *it, struct re_node *re)
{
    struct re_node **link = it->last ? &it->last->next : &it->first;
    *link = re;
    it->last_link = link;
    it->last = re;
}

static struct re_node *put(struct parser *p, struct items *it, enum re_op op)
{
    struct re_node *re = node(p, op);
    push(it, re);
    return re;
}

static void put_literal(struct parser *p, struct items *it, uint32_t rune)
{
    struct re_node *re = put(p, it, RE_LITERAL);
    re->rune = rune;
    re->fold = p->flags & FOLD;
}

/* --- escapes --- */

static int hex(uint32_t c)
{
    if (c >= '0' && c <= '9') return (int)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (int)(c - 'a' + 10) : -1;
}

static bool octal(const struct parser *p) { return at(p, 0) >= '0' && at(p, 0) <= '7'; }

/* p stands behind \x. False: not well formed (p->t stays where the reading stopped). */
static enum err take_hex(struct parser *p, uint32_t *out, bool *ok)
{
    uint32_t c;
    *ok = false;
    if (!p->t.n) return OK;
    TRY(take_rune(p, &c));
    if (c != '{') {
        int x = hex(c);
        TRY(take_rune(p, &c));
        int y = hex(c);
        *ok = x >= 0 && y >= 0;
        *out = *ok ? (uint32_t)(x * 16 + y) : 0;
        return OK;
    }
    uint32_t r = 0;
    for (unsigned n = 0; p->t.n; n++) {
        TRY(take_rune(p, &c));
        if (c == '}') {
            *ok = n > 0;
            *out = r;
            return OK;
        }
        if (hex(c) < 0) return OK;
        r = r * 16 + (uint32_t)hex(c);
        if (r > RUNE_MAX) return OK;
    }
    return OK;
}

static bool alnum(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* p stands at a backslash that begins neither a class nor an assertion. */
static enum err take_escape(struct parser *p, uint32_t *out)
{
    static const char FROM[] = "afnrtv", TO[] = "\a\f\n\r\t\v";
    struct str from = p->t;
    uint32_t c;
    bool ok = false;
    skip(p, 1);
    if (!p->t.n) return fail_at(p, "trailing backslash at end of expression", STR(""));
    TRY(take_rune(p, &c));
    const char *letter = c < 0x80 && c ? strchr(FROM, (int)c) : NULL;
    if (letter) {
        *out = (unsigned char)TO[letter - FROM];
        return OK;
    }
    if (c == '0' || (c >= '1' && c <= '7' && octal(p))) {
        *out = c - '0';
        for (int i = 1; i < 3 && octal(p); i++, skip(p, 1)) {
            *out = *out * 8 + (uint32_t)(at(p, 0) - '0');
        }
        return OK;
    }
    if (c == 'x') {
        TRY(take_hex(p, out, &ok));
    } else if (c < 0x80 && !alnum(c)) {
        *out = c;
        ok = true;
    }
    return ok ? OK : fail_at(p, "invalid escape sequence", since(p, from));
}

/* --- classes --- */

static void add_range(struct parser *p, struct re_node *re, uint32_t lo, uint32_t hi)
{
    struct re_range *r = arena_new(p->a, struct re_range);
    *r = (struct re_range){ lo, hi, { NULL, 0 }, re->ranges };
    re->ranges = r;
}

static void add_text(struct parser *p, struct re_node *re, struct str text)
{
    struct re_range *r = arena_new(p->a, struct re_range);
    *r = (struct re_range){ 0, 0, text, re->ranges };
    re->ranges = r;
}

/*
 * \d \s \w and their opposites: ASCII, and \s without \v, unlike PCRE2's. Alone, an opposite is a negated class, so
 * that folding comes before the negation; beside others it has to be text. True when one was taken.
 */
static bool take_perl_class(struct parser *p, struct re_node *re, bool alone)
{
    if (at(p, 0) != '\\' || p->t.n < 2) return false;
    char c = at(p, 1);
    if (alone && (c == 'D' || c == 'S' || c == 'W')) {
        re->negated = true;
        c = (char)(c + ('a' - 'A'));
    }
    switch (c) {
    case 'd': add_range(p, re, '0', '9'); break;
    case 'D': add_text(p, re, STR("\\D")); break;
    case 's':
        add_range(p, re, '\t', '\n');
        add_range(p, re, '\f', '\r');
        add_range(p, re, ' ', ' ');
        break;
    case 'S': add_text(p, re, STR("\\S\\x0b")); break;
    case 'w':
        add_range(p, re, '0', '9');
        add_range(p, re, 'A', 'Z');
        add_range(p, re, '_', '_');
        add_range(p, re, 'a', 'z');
        break;
    case 'W': add_text(p, re, STR("\\W")); break;
    default: return false;
    }
    skip(p, 2);
    return true;
}

static bool category(struct str name)
{
    static const char ALL[] =
        " Any C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps"
        " S Sc Sk Sm So Z Zl Zp Zs ";
    char wanted[6] = " ";
    if (!name.n || name.n > 3) return false;
    memcpy(wanted + 1, name.p, name.n);
    wanted[name.n + 1] = ' ';
    return strstr(ALL, wanted) != NULL;
}

/* Script names are words with a capital (Greek, Old_Italic); PCRE2 knows which exist. */
static bool script(struct str name)
{
    if (name.n < 2 || name.n > 32 || name.p[0] < 'A' || name.p[0] > 'Z') return false;
    bool lower = false;
    for (size_t i = 0; i < name.n; i++) {
        uint32_t c = (unsigned char)name.p[i];
        if (!(alnum(c) && (c > '9')) && c != '_') return false;
        lower |= c >= 'a';
    }
    return lower && name.n > 3; /* NKo, Lao, Vai and Yi are added below */
}

static bool short_script(struct str name)
{
    return str_eq(name, STR("Lao")) || str_eq(name, STR("Nko")) || str_eq(name, STR("Vai")) ||
           str_eq(name, STR("Yi"));
}

/* \pL \p{Greek} \P{^Lu}. *taken is false when p does not stand at one. */
static enum err take_unicode_class(struct parser *p, struct re_node *re, bool *taken)
{
    struct str from = p->t, name;
    uint32_t c;
    *taken = at(p, 0) == '\\' && (at(p, 1) == 'p' || at(p, 1) == 'P');
    if (!*taken) return OK;
    bool positive = at(p, 1) == 'p';
    skip(p, 2);
    TRY(take_rune(p, &c));
    if (c == '{') {
        size_t end = str_find_char(from, '}');
        if (end == STR_NONE) {
            TRY(check_utf8(p, from));
            return fail_at(p, "invalid character class range", from);
        }
        name = str_make(from.p + 3, end - 3);
        p->t = str_from(from, end + 1);
        TRY(check_utf8(p, name));
    } else {
        name = str_from(since(p, from), 2);
    }
    if (name.n && name.p[0] == '^') {
        positive = !positive;
        name = str_from(name, 1);
    }
    if (!category(name) && !script(name) && !short_script(name)) {
        return fail_at(p, "invalid character class range", since(p, from));
    }
    add_text(p, re, arena_fmt(p->a, "\\%c{" STR_FMT "}", positive ? 'p' : 'P', STR_ARG(name)));
    return OK;
}

/* As pairs of first and last character: in ranges, folding reaches \u017f and \u212a as it does in Go. */
static const struct posix {
    const char *name, *pairs;
} POSIX[] = {
    { "alnum", "09AZaz" },  { "alpha", "AZaz" },     { "ascii", "" },       { "blank", "\t\t  " },
    { "cntrl", "" },        { "digit", "09" },       { "graph", "!~" },     { "lower", "az" },
    { "print", " ~" },      { "punct", "!/:@[`{~" }, { "space", "\t\r  " }, { "upper", "AZ" },
    { "word", "09AZ__az" }, { "xdigit", "09AFaf" },
};

/* [:alpha:] or [:^alpha:] inside a class. */
static enum err take_posix_class(struct parser *p, struct re_node *re, bool *taken)
{
    *taken = false;
    if (p->t.n <= 2 || at(p, 0) != '[' || at(p, 1) != ':') return OK;
    size_t end = str_find(str_from(p->t, 2), STR(":]"));
    if (end == STR_NONE) return OK;
    struct str text = str_first(p->t, end + 4);
    struct str name = str_make(text.p + 2, end);
    bool negative = name.n && name.p[0] == '^';
    if (negative) name = str_from(name, 1);
    size_t i = 0;
    while (i < ARRAY_LEN(POSIX) && !str_eqc(name, POSIX[i].name)) i++;
    if (i == ARRAY_LEN(POSIX)) return fail_at(p, "invalid character class range", text);
    if (negative || !POSIX[i].pairs[0]) add_text(p, re, text);
    for (const char *pair = POSIX[i].pairs; !negative && *pair; pair += 2) {
        add_range(p, re, (unsigned char)pair[0], (unsigned char)pair[1]);
    }
    *taken = true;
    skip(p, text.n);
    return OK;
}

static enum err take_class_char(struct parser *p, struct str class, uint32_t *out)
{
    if (!p->t.n) return fail_at(p, "missing closing ]", class);
    return at(p, 0) == '\\' ? take_escape(p, out) : take_rune(p, out);
}

static enum err take_class_range(struct parser *p, struct str class, struct re_node *re)
{
    struct str from = p->t;
    uint32_t lo, hi;
    TRY(take_class_char(p, class, &lo));
    hi = lo;
    if (p->t.n >= 2 && at(p, 0) == '-' && at(p, 1) != ']') {
        skip(p, 1);
        TRY(take_class_char(p, class, &hi));
        if (hi < lo) return fail_at(p, "invalid character class range", since(p, from));
    }
    add_range(p, re, lo, hi);
    return OK;
}

static enum err take_class(struct parser *p, struct items *it)
{
    struct str class = p->t;
    struct re_node *re = put(p, it, RE_CLASS);
    re->fold = p->flags & FOLD;
    skip(p, 1);
    if (at(p, 0) == '^' && p->t.n) {
        re->negated = true;
        skip(p, 1);
    }
    for (bool first = true; !p->t.n || at(p, 0) != ']' || first; first = false) {
        bool taken;
        TRY(take_posix_class(p, re, &taken));
        if (!taken) TRY(take_unicode_class(p, re, &taken));
        if (!taken && !take_perl_class(p, re, false)) TRY(take_class_range(p, class, re));
    }
    skip(p, 1);
    return OK;
}

/* --- repetition --- */

/* Go's rule against a{1000}{1000}: the product along any path stays below the limit. */
static bool repeat_fits(const struct re_node *re, int n)
{
    if (re->op == RE_REPEAT && (re->min >= 2 || re->max >= 2)) {
        int m = re->max < 0 ? re->min : re->max;
        if (m > n) return false;
        if (m > 0) n /= m;
    }
    for (const struct re_node *s = re->sub; s; s = s->next) {
        if (!repeat_fits(s, n)) return false;
    }
    return true;
}

struct counts {
    int min, max;
    bool braces;
};

/* before: the text at the operator; last: the text at the one directly in front, or empty. */
static enum err put_repeat(struct parser *p, struct items *it, struct counts c, struct str before,
                           struct str last)
{
    bool lazy = p->flags & LAZY;
    if (at(p, 0) == '?' && p->t.n) {
        lazy = !lazy;
        skip(p, 1);
    }
    if (last.n) return fail_at(p, "invalid nested repetition operator", since(p, last));
    if (!it->last) return fail_at(p, "missing argument to repetition operator", since(p, before));
    struct re_node *re = node(p, RE_REPEAT);
    re->min = c.min;
    re->max = c.max;
    re->lazy = lazy;
    re->sub = it->last;
    re->height = it->last->height + 1;
    *it->last_link = re;
    it->last = re;
    if (c.braces && !repeat_fits(re, REPEAT_MAX)) {
        return fail_at(p, "invalid repeat count", since(p, before));
    }
    if (re->height > HEIGHT_MAX) return fail_at(p, "expression nests too deeply", p->whole);
    return OK;
}

/* Digits without leading zero; false: none, -1 too large. */
static bool take_count(struct parser *p, int *out)
{
    char c = at(p, 0);
    if (c < '0' || c > '9' || (c == '0' && at(p, 1) >= '0' && at(p, 1) <= '9')) return false;
    int v = 0;
    for (; at(p, 0) >= '0' && at(p, 0) <= '9'; skip(p, 1)) {
        if (v >= 0) v = v >= 100000000 ? -1 : v * 10 + (at(p, 0) - '0');
    }
    *out = v;
    return true;
}

/* {n} {n,} {n,m}; false, and nothing taken, where the braces are only characters. */
static bool take_counts(struct parser *p, struct counts *c)
{
    struct str from = p->t;
    skip(p, 1);
    c->braces = true;
    if (!take_count(p, &c->min)) goto literal;
    c->max = c->min;
    if (at(p, 0) == ',') {
        skip(p, 1);
        c->max = -1;
        if (at(p, 0) != '}') {
            if (!take_count(p, &c->max)) goto literal;
            if (c->max < 0) c->min = -1; /* too large: the caller refuses */
        }
    }
    if (at(p, 0) != '}' || !p->t.n) goto literal;
    skip(p, 1);
    return true;
literal:
    p->t = from;
    return false;
}

static enum err take_repeat(struct parser *p, struct items *it, struct str last, bool *repeated)
{
    struct str before = p->t;
    struct counts c = { 0, -1, false };
    *repeated = true;
    switch (at(p, 0)) {
    case '*': skip(p, 1); break;
    case '+':
        c.min = 1;
        skip(p, 1);
        break;
    case '?':
        c.max = 1;
        skip(p, 1);
        break;
    default:
        if (!take_counts(p, &c)) {
            *repeated = false;
            put_literal(p, it, '{');
            skip(p, 1);
            return OK;
        }
        if (c.min < 0 || c.min > REPEAT_MAX || c.max > REPEAT_MAX ||
            (c.max >= 0 && c.min > c.max)) {
            return fail_at(p, "invalid repeat count", since(p, before));
        }
    }
    return put_repeat(p, it, c, before, last);
}

/* --- groups --- */

static enum err take_alternates(struct parser *p, struct re_node **out);

static enum err add_capture(struct parser *p, struct str name, struct re_node **out)
{
    struct re_names *n = p->names;
    if (n->n == n->cap) {
        size_t cap = n->cap ? n->cap * 2 : 8;
        struct str *v = arena_array(p->a, cap, sizeof(*v));
        if (n->n) memcpy(v, n->v, n->n * sizeof(*v));
        n->v = v;
        n->cap = cap;
    }
    n->v[n->n++] = name;
    *out = node(p, RE_CAPTURE);
    return OK;
}

static bool name_ok(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (!alnum((unsigned char)name.p[i]) && name.p[i] != '_') return false;
    }
    return name.n > 0;
}

static enum err take_named(struct parser *p, size_t name_at, struct re_node **out)
{
    struct str from = p->t;
    size_t end = str_find_char(from, '>');
    if (end == STR_NONE) {
        TRY(check_utf8(p, from));
        return fail_at(p, "invalid named capture", from);
    }
    struct str name = str_make(from.p + name_at, end - name_at);
    TRY(check_utf8(p, name));
    if (!name_ok(name)) return fail_at(p, "invalid named capture", str_first(from, end + 1));
    skip(p, end + 1);
    return add_capture(p, name, out);
}

static unsigned flag_of(uint32_t c)
{
    switch (c) {
    case 'i': return FOLD;
    case 'm': return ONE_LINE;
    case 's': return DOT_NL;
    case 'U': return LAZY;
    default: return 0;
    }
}

/* (?i-s) and (?i-s:. p stands at the parenthesis. *opened: a group begins. */
static enum err take_flags(struct parser *p, bool *opened)
{
    struct str from = p->t;
    unsigned flags = p->flags;
    bool minus = false, saw = false;
    skip(p, 2);
    while (p->t.n) {
        uint32_t c;
        TRY(take_rune(p, &c));
        unsigned f = flag_of(c);
        if (f) {
            bool set = (c == 'm') == minus; /* m clears ONE_LINE */
            flags = set ? flags | f : flags & ~f;
            saw = true;
        } else if (c == '-' && !minus) {
            minus = true;
            saw = false;
        } else if ((c == ':' || c == ')') && (!minus || saw)) {
            *opened = c == ':';
            p->flags = flags;
            return OK;
        } else {
            break;
        }
    }
    return fail_at(p, "invalid or unsupported Perl syntax", since(p, from));
}

/* p stands behind what opened the group. */
static enum err take_group_body(struct parser *p, struct items *it, struct re_node *capture,
                                unsigned flags_outside)
{
    struct re_node *body;
    if (++p->depth > HEIGHT_MAX) return fail_at(p, "expression nests too deeply", p->whole);
    TRY(take_alternates(p, &body));
    p->depth--;
    if (!p->t.n) return fail_at(p, "missing closing )", p->whole);
    skip(p, 1);
    p->flags = flags_outside;
    if (capture) {
        capture->sub = body;
        capture->height = body->height + 1;
        body = capture;
    }
    push(it, body);
    return OK;
}

static enum err take_group(struct parser *p, struct items *it)
{
    unsigned outside = p->flags;
    struct re_node *capture = NULL;
    if (at(p, 1) != '?') {
        skip(p, 1);
        TRY(add_capture(p, STR(""), &capture));
    } else if (p->t.n > 4 && at(p, 2) == 'P' && at(p, 3) == '<') {
        TRY(take_named(p, 4, &capture));
    } else if (p->t.n > 3 && at(p, 2) == '<') {
        TRY(take_named(p, 3, &capture));
    } else {
        bool opened;
        TRY(take_flags(p, &opened));
        if (!opened) return OK;
    }
    return take_group_body(p, it, capture, outside);
}

/* --- sequences --- */

/* A backslash outside a class. */
static enum err take_backslash(struct parser *p, struct items *it)
{
    static const struct {
        char letter;
        enum re_op op;
    } ASSERTIONS[] = {
        { 'A', RE_BEGIN_TEXT }, { 'b', RE_WORD }, { 'B', RE_NOT_WORD }, { 'z', RE_END_TEXT }
    };
    for (size_t i = 0; i < ARRAY_LEN(ASSERTIONS); i++) {
        if (p->t.n > 1 && at(p, 1) == ASSERTIONS[i].letter) {
            skip(p, 2);
            (void)put(p, it, ASSERTIONS[i].op);
            return OK;
        }
    }
    if (p->t.n > 1 && at(p, 1) == 'C') return fail_at(p, "invalid escape sequence", STR("\\C"));
    uint32_t c;
    if (p->t.n > 1 && at(p, 1) == 'Q') {
        skip(p, 2);
        while (p->t.n && !str_starts(p->t, STR("\\E"))) {
            TRY(take_rune(p, &c));
            put_literal(p, it, c);
        }
        skip(p, 2);
        return OK;
    }
    struct re_node *re = node(p, RE_CLASS);
    re->fold = p->flags & FOLD;
    bool taken;
    TRY(take_unicode_class(p, re, &taken));
    if (taken || take_perl_class(p, re, true)) {
        push(it, re);
        return OK;
    }
    TRY(take_escape(p, &c));
    put_literal(p, it, c);
    return OK;
}

static enum err take_one(struct parser *p, struct items *it, struct str last, bool *repeated)
{
    uint32_t c;
    *repeated = false;
    switch (at(p, 0)) {
    case '(': return take_group(p, it);
    case '[': return take_class(p, it);
    case '\\': return take_backslash(p, it);
    case '*':
    case '+':
    case '?':
    case '{': return take_repeat(p, it, last, repeated);
    case '^':
        (void)put(p, it, p->flags & ONE_LINE ? RE_BEGIN_TEXT : RE_BEGIN_LINE);
        skip(p, 1);
        return OK;
    case '$':
        (void)put(p, it, p->flags & ONE_LINE ? RE_END_TEXT : RE_END_LINE);
        skip(p, 1);
        return OK;
    case '.':
        (void)put(p, it, p->flags & DOT_NL ? RE_ANY : RE_ANY_NOT_NL);
        skip(p, 1);
        return OK;
    default:
        TRY(take_rune(p, &c));
        put_literal(p, it, c);
        return OK;
    }
}

static struct re_node *wrap(struct parser *p, enum re_op op, struct re_node *first)
{
    if (!first) return node(p, RE_EMPTY);
    if (!first->next) return first;
    struct re_node *re = node(p, op);
    re->sub = first;
    for (struct re_node *s = first; s; s = s->next) {
        if (s->height >= re->height) re->height = s->height + 1;
    }
    return re;
}

static enum err take_sequence(struct parser *p, struct re_node **out)
{
    struct items it = { 0 };
    struct str last = { "", 0 };
    while (p->t.n && at(p, 0) != '|' && at(p, 0) != ')') {
        struct str from = p->t;
        bool repeated;
        TRY(take_one(p, &it, last, &repeated));
        last = repeated ? from : STR("");
    }
    *out = wrap(p, RE_CONCAT, it.first);
    return OK;
}

static enum err take_alternates(struct parser *p, struct re_node **out)
{
    struct items it = { 0 };
    for (;;) {
        struct re_node *branch;
        TRY(take_sequence(p, &branch));
        push(&it, branch);
        if (at(p, 0) != '|' || !p->t.n) break;
        skip(p, 1);
    }
    *out = wrap(p, RE_ALTERNATE, it.first);
    return OK;
}

enum err re_parse(struct arena *a, struct str pattern, struct re_node **out, struct re_names *names,
                  struct diag *d)
{
    struct parser p = { a, pattern, pattern, ONE_LINE, 0, names, d };
    struct re_node *re;
    TRY(take_alternates(&p, &re));
    if (p.t.n) return fail_at(&p, "unexpected )", p.whole);
    *out = re;
    return OK;
}
