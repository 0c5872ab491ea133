/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/yaml_printer.h"

#include "codec/gotime.h"
#include "codec/num.h"

/* A "- " takes the place of the last two blanks before the first key of an item. */
static void indent(struct yaml_printer *p)
{
    for (unsigned i = 0; i + (p->item ? 1 : 0) < p->depth; i++) {
        buf_putc(p->b, "  ");
    }
    if (p->item) buf_putc(p->b, "- ");
    p->item = false;
}

void yp_key(struct yaml_printer *p, const char *name)
{
    indent(p);
    buf_putc(p->b, name);
    buf_char(p->b, ':');
}

void yp_key_str(struct yaml_printer *p, struct str name)
{
    indent(p);
    yaml_write_str(p->b, name, false);
    buf_char(p->b, ':');
}

void yp_open(struct yaml_printer *p, const char *name)
{
    yp_key(p, name);
    buf_char(p->b, '\n');
}

void yp_in(struct yaml_printer *p, const char *name)
{
    yp_open(p, name);
    p->depth++;
}

void yp_out(struct yaml_printer *p) { p->depth--; }

void yp_item(struct yaml_printer *p)
{
    p->depth++;
    p->item = true;
}

void yp_item_end(struct yaml_printer *p)
{
    p->depth--;
    p->item = false;
}

void yp_text(struct yaml_printer *p, const char *name, struct str s)
{
    yp_key(p, name);
    buf_char(p->b, ' ');
    yaml_write_str(p->b, s, false);
    buf_char(p->b, '\n');
}

void yp_str(struct yaml_printer *p, const char *name, struct str s)
{
    if (s.n) yp_text(p, name, s);
}

void yp_c(struct yaml_printer *p, const char *name, const char *s)
{
    if (s) yp_str(p, name, str_c(s));
}

void yp_secret(struct yaml_printer *p, const char *name, struct secret s)
{
    if (secret_set(s)) yp_str(p, name, SECRET_SHOWN);
}

void yp_bool(struct yaml_printer *p, const char *name, bool v)
{
    yp_key(p, name);
    buf_putc(p->b, v ? " true\n" : " false\n");
}

void yp_true(struct yaml_printer *p, const char *name, bool v)
{
    if (v) yp_bool(p, name, v);
}

void yp_int(struct yaml_printer *p, const char *name, int64_t v)
{
    if (!v) return;
    yp_key(p, name);
    buf_char(p->b, ' ');
    num_write_i64(p->b, v);
    buf_char(p->b, '\n');
}

void yp_size(struct yaml_printer *p, const char *name, int64_t bytes)
{
    if (!bytes) return;
    yp_key(p, name);
    buf_char(p->b, ' ');
    size_write(p->b, bytes);
    buf_char(p->b, '\n');
}

void yp_float(struct yaml_printer *p, const char *name, double v)
{
    if (v == 0.0) return;
    yp_key(p, name);
    buf_char(p->b, ' ');
    num_write_g(p->b, v);
    buf_char(p->b, '\n');
}

void yp_duration(struct yaml_printer *p, const char *name, int64_t ms)
{
    if (!ms) return;
    yp_key(p, name);
    buf_char(p->b, ' ');
    duration_write(p->b, ms);
    buf_char(p->b, '\n');
}

void yp_list_item(struct yaml_printer *p, struct str s)
{
    for (unsigned i = 0; i < p->depth; i++) {
        buf_putc(p->b, "  ");
    }
    buf_putc(p->b, "- ");
    yaml_write_str(p->b, s, false);
    buf_char(p->b, '\n');
}

void yp_strs(struct yaml_printer *p, const char *name, struct yaml_strs list)
{
    if (!list.n) return;
    yp_open(p, name);
    for (size_t i = 0; i < list.n; i++) {
        yp_list_item(p, list.v[i]);
    }
}

void yp_secrets(struct yaml_printer *p, const char *name, size_t n)
{
    if (!n) return;
    yp_open(p, name);
    for (size_t i = 0; i < n; i++) {
        yp_list_item(p, SECRET_SHOWN);
    }
}
