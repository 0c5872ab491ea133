/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotmpl_html.c - escaping by place: where in the HTML written so far does a value stand?
 *
 * html/template works this out when a template is parsed; here the state follows the literal text while it is written, which
 * gives the same output for every template whose branches end in the same place, and needs no copies of templates that are
 * called from two places. Values never move the state except where they begin an attribute's value.
 *
 * Differs: no error where branches end in different places; a value inside a script is always written as JSON.
 */
#include "base/utf8.h"
#include "codec/gotmpl_priv.h"

enum place {
    HTML_TEXT,
    HTML_TAG_OPEN, /* behind < */
    HTML_TAG_NAME,
    HTML_TAG, /* between attributes */
    HTML_ATTR_NAME,
    HTML_AFTER_NAME,
    HTML_BEFORE_VALUE,
    HTML_VALUE,
    HTML_RAW, /* content of script, style, title, textarea */
    HTML_COMMENT,
};
enum meaning { MEANS_TEXT, MEANS_URL, MEANS_CSS, MEANS_JS };
enum url_part { URL_START, URL_PATH, URL_QUERY };

struct html_state {
    enum place place;
    enum meaning meaning; /* of the attribute's value or the raw element */
    enum url_part part;
    char quote; /* of the value; 0: none */
    bool closing;
    char name[32]; /* of tag or attribute, lower case, cut */
    size_t name_n;
    char raw[16]; /* the raw element's name */
};

struct html_state *tmpl_html_new(struct arena *a) { return arena_new(a, struct html_state); }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static bool letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void name_add(struct html_state *h, char c)
{
    if (h->name_n + 1 < sizeof(h->name)) h->name[h->name_n++] = lower(c);
    h->name[h->name_n] = 0;
}
static bool name_is(const struct html_state *h, const char *z) { return strcmp(h->name, z) == 0; }

static const char *const url_attrs[] = { "href",     "src",      "action",   "formaction",
                                         "cite",     "data",     "poster",   "background",
                                         "codebase", "longdesc", "manifest", "usemap",
                                         "profile",  "icon",     "archive",  "classid" };

static enum meaning attr_meaning(const struct html_state *h)
{
    for (size_t i = 0; i < ARRAY_LEN(url_attrs); i++) {
        if (name_is(h, url_attrs[i])) return MEANS_URL;
    }
    if (name_is(h, "style")) return MEANS_CSS;
    if (h->name[0] == 'o' && h->name[1] == 'n') return MEANS_JS;
    return MEANS_TEXT;
}

/* > was read. */
static void tag_done(struct html_state *h)
{
    h->place = HTML_TEXT;
    h->meaning = MEANS_TEXT;
    if (h->closing || !h->raw[0]) return;
    h->place = HTML_RAW;
    if (strcmp(h->raw, "script") == 0) h->meaning = MEANS_JS;
    if (strcmp(h->raw, "style") == 0) h->meaning = MEANS_CSS;
}

static void tag_named(struct html_state *h)
{
    static const char *const raw[] = { "script", "style", "title", "textarea" };
    h->raw[0] = 0;
    for (size_t i = 0; i < ARRAY_LEN(raw); i++) {
        if (!h->closing && name_is(h, raw[i])) memcpy(h->raw, raw[i], strlen(raw[i]) + 1);
    }
    h->place = HTML_TAG;
}

static void value_begins(struct html_state *h, char quote)
{
    h->place = HTML_VALUE;
    h->quote = quote;
    h->part = URL_START;
}

/* A byte inside a tag. */
static void tag_byte(struct html_state *h, char c)
{
    switch (h->place) {
    case HTML_TAG_OPEN:
        h->closing = c == '/';
        h->name_n = 0;
        if (h->closing) {
            h->place = HTML_TAG_NAME;
        } else if (letter(c)) {
            name_add(h, c);
            h->place = HTML_TAG_NAME;
        } else {
            h->place = HTML_TEXT;
        }
        return;
    case HTML_TAG_NAME:
        if (letter(c) || digit(c) || c == '-' || c == ':') {
            name_add(h, c);
            return;
        }
        tag_named(h);
        if (c == '>') tag_done(h);
        return;
    case HTML_TAG:
        if (c == '>') {
            tag_done(h);
        } else if (!space(c) && c != '/') {
            h->name_n = 0;
            name_add(h, c);
            h->place = HTML_ATTR_NAME;
        }
        return;
    case HTML_ATTR_NAME:
    case HTML_AFTER_NAME:
        if (c == '=') {
            h->meaning = attr_meaning(h);
            h->place = HTML_BEFORE_VALUE;
        } else if (c == '>') {
            tag_done(h);
        } else if (space(c)) {
            h->place = HTML_AFTER_NAME;
        } else {
            if (h->place == HTML_AFTER_NAME) h->name_n = 0;
            name_add(h, c);
            h->place = HTML_ATTR_NAME;
        }
        return;
    default: return;
    }
}

static void value_byte(struct html_state *h, char c)
{
    if (h->place == HTML_BEFORE_VALUE) {
        if (space(c)) return;
        if (c == '>') {
            tag_done(h);
            return;
        }
        value_begins(h, c == '"' || c == '\'' ? c : 0);
        if (h->quote) return;
    }
    if (h->quote ? c == h->quote : space(c) || c == '>') {
        h->place = HTML_TAG;
        h->meaning = MEANS_TEXT;
        if (!h->quote && c == '>') tag_done(h);
        return;
    }
    if (c == '?' || c == '#') {
        h->part = URL_QUERY;
    } else if (h->part == URL_START && !space(c)) {
        h->part = URL_PATH;
    }
}

static bool raw_ends(const struct html_state *h, struct str text)
{
    size_t n = strlen(h->raw);
    return text.n >= n + 2 && text.p[0] == '<' && text.p[1] == '/' &&
           str_ieq(str_make(text.p + 2, n), str_make(h->raw, n));
}

void tmpl_html_text(struct html_state *h, struct buf *out, struct str text)
{
    for (; text.n; text = str_from(text, 1)) {
        char c = text.p[0];
        if (h->place == HTML_COMMENT) {
            if (!str_starts(text, STR("-->"))) continue;
            text = str_from(text, 2);
            h->place = HTML_TEXT;
            continue;
        }
        if (h->place == HTML_TEXT && str_starts(text, STR("<!--"))) {
            text = str_from(text, 3);
            h->place = HTML_COMMENT;
            continue;
        }
        buf_char(out, c);
        if (h->place == HTML_TEXT) {
            if (c == '<') h->place = HTML_TAG_OPEN;
        } else if (h->place == HTML_RAW) {
            if (raw_ends(h, text)) h->place = HTML_TAG_OPEN;
        } else if (h->place == HTML_VALUE || h->place == HTML_BEFORE_VALUE) {
            value_byte(h, c);
        } else {
            tag_byte(h, c);
        }
    }
}

/* ---- escapers ---- */
static void replace(struct buf *b, struct str s, bool plus, bool bare)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool code = c == '"' || c == '\'' || (plus && c == '+') ||
                    (bare && (space(c) || c == '=' || c == '`'));
        if (code) {
            buf_fmt(b, "&#%d;", c);
        } else if (c == '&') {
            buf_putc(b, "&amp;");
        } else if (c == '<') {
            buf_putc(b, "&lt;");
        } else if (c == '>') {
            buf_putc(b, "&gt;");
        } else if (c == 0) {
            buf_putc(b, "\xef\xbf\xbd");
        } else {
            buf_char(b, c);
        }
    }
}

void tmpl_html_escape(struct buf *b, struct str s) { replace(b, s, false, false); }

void tmpl_js_escape(struct buf *b, struct str s)
{
    while (s.n) {
        struct str at = s;
        uint32_t rune = utf8_next(&s);
        if (rune == '\\' || rune == '\'' || rune == '"') {
            buf_char(b, '\\');
            buf_char(b, (char)rune);
        } else if (rune < 0x20 || rune == '<' || rune == '>' || rune == '&' || rune == '=' ||
                   rune == 0x2028 || rune == 0x2029) {
            buf_fmt(b, "\\u%04X", (unsigned)rune);
        } else {
            buf_put(b, str_make(at.p, at.n - s.n));
        }
    }
}

void tmpl_query_escape(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (letter(c) || digit(c) || strchr("-_.~", c)) {
            if (c) {
                buf_char(b, c);
                continue;
            }
        }
        if (c == ' ') {
            buf_char(b, '+');
        } else {
            buf_fmt(b, "%%%02X", (unsigned)(unsigned char)c);
        }
    }
}

static bool hex(char c) { return digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }

/* normalize: what is already escaped or has a meaning in a URL stays. */
static void url_escape(struct buf *b, struct str s, bool normalize)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool keep = letter(c) || digit(c) || (c && strchr("-._~", c));
        if (normalize && c && strchr("!#$&*+,/:;=?@[]", c)) keep = true;
        if (normalize && c == '%' && i + 2 < s.n && hex(s.p[i + 1]) && hex(s.p[i + 2])) keep = true;
        if (keep) {
            buf_char(b, c);
        } else {
            buf_fmt(b, "%%%02x", (unsigned)(unsigned char)c);
        }
    }
}

static bool url_safe(struct str s)
{
    size_t colon = str_find_char(s, ':');
    if (colon == STR_NONE) return true;
    struct str scheme = str_first(s, colon);
    return str_find_char(scheme, '/') != STR_NONE || str_ieq(scheme, STR("http")) ||
           str_ieq(scheme, STR("https")) || str_ieq(scheme, STR("mailto"));
}

static void put_url(struct html_state *h, struct buf *b, struct str s, bool trusted)
{
    if (h->part == URL_START && !trusted && !url_safe(s)) s = STR("#ZgotmplZ");
    url_escape(b, s, trusted || h->part != URL_QUERY);
    if (str_find_char(s, '?') != STR_NONE || str_find_char(s, '#') != STR_NONE) h->part = URL_QUERY;
    if (h->part == URL_START && s.n) h->part = URL_PATH;
}

static struct str css_filtered(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!s.p[i] || strchr("\"'()/;@[\\]`{}<>", s.p[i])) return STR("ZgotmplZ");
        if (s.p[i] == '-' && i && s.p[i - 1] == '-') return STR("ZgotmplZ");
    }
    bool bad = str_find(s, STR("expression")) != STR_NONE ||
               str_find(s, STR("mozbinding")) != STR_NONE;
    return bad ? STR("ZgotmplZ") : s;
}

static void put_name(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!letter(s.p[i]) && !digit(s.p[i])) s = STR("ZgotmplZ");
    }
    buf_put(b, s.n ? s : STR("ZgotmplZ"));
}

static void put_meaning(struct html_state *h, struct buf *b, const struct tmpl_value *v,
                        struct str text)
{
    switch (h->meaning) {
    case MEANS_URL: put_url(h, b, text, v->type == &tmpl_type_url); return;
    case MEANS_CSS: buf_put(b, css_filtered(text)); return;
    case MEANS_JS: tmpl_json(b, v); return;
    case MEANS_TEXT: buf_put(b, text); return;
    }
}

void tmpl_html_value(struct html_state *h, struct buf *out, const struct tmpl_value *v)
{
    BUF(text, 0);
    BUF(meant, 0);
    if (v->kind != TV_NIL) tmpl_print(&text, v);
    struct str s = buf_str(&text);
    switch (h->place) {
    case HTML_COMMENT: return;
    case HTML_TAG_OPEN: h->place = HTML_TEXT; FALLTHROUGH;
    case HTML_TEXT:
        if (v->type == &tmpl_type_html) {
            buf_put(out, s);
        } else {
            replace(out, s, true, false);
        }
        return;
    case HTML_RAW:
        if (h->meaning == MEANS_TEXT) {
            replace(out, s, true, false);
        } else {
            put_meaning(h, out, v, s);
        }
        return;
    case HTML_TAG_NAME:
    case HTML_TAG:
    case HTML_ATTR_NAME:
    case HTML_AFTER_NAME: put_name(out, s); return;
    case HTML_BEFORE_VALUE: value_begins(h, 0); FALLTHROUGH;
    case HTML_VALUE:
        put_meaning(h, &meant, v, s);
        s = buf_str(&meant);
        if (!s.n && !h->quote) s = STR("ZgotmplZ");
        replace(out, s, true, !h->quote);
        return;
    }
}
