/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_printer.h - a configuration back to YAML, key by key, as go-yaml v2 lays it out
 *
 * Shape:  one function a kind of value; those for optional values print nothing where there is none. A list's items
 *         stand at the depth of their key; the first key of a mapping in a list follows the dash.
 */
#ifndef CODEC_YAML_PRINTER_H
#define CODEC_YAML_PRINTER_H

#include "base/secret.h"
#include "codec/yaml.h"

struct yaml_printer {
    struct buf *b;
    unsigned depth; /* two blanks each */
    bool item;      /* the next line is the first of a list item */
};

void yp_key(struct yaml_printer *p, const char *name); /* "name:" without the line's end */
void yp_key_str(struct yaml_printer *p, struct str name);
void yp_open(struct yaml_printer *p,
             const char *name); /* a key whose value stands on the lines below */
void yp_in(struct yaml_printer *p, const char *name); /* yp_open, one level deeper from here ... */
void yp_out(struct yaml_printer *p);                  /* ... to here */
void yp_item(struct yaml_printer *p);                 /* a mapping in a list begins ... */
void yp_item_end(struct yaml_printer *p);

/* Always printed */
void yp_bool(struct yaml_printer *p, const char *name, bool v);
void yp_text(struct yaml_printer *p, const char *name, struct str s); /* "" where it is empty */

/* Nothing where the value is empty, false or 0 */
void yp_str(struct yaml_printer *p, const char *name, struct str s);
void yp_c(struct yaml_printer *p, const char *name, const char *s);
void yp_secret(struct yaml_printer *p, const char *name, struct secret s);
void yp_true(struct yaml_printer *p, const char *name, bool v);
void yp_int(struct yaml_printer *p, const char *name, int64_t v);
void yp_size(struct yaml_printer *p, const char *name, int64_t bytes);
void yp_float(struct yaml_printer *p, const char *name, double v);
void yp_duration(struct yaml_printer *p, const char *name, int64_t ms);
void yp_strs(struct yaml_printer *p, const char *name, struct yaml_strs list);
void yp_secrets(struct yaml_printer *p, const char *name, size_t n); /* n times <secret> */

void yp_list_item(struct yaml_printer *p, struct str s);

#endif
