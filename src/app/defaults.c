/* SPDX-License-Identifier: Apache-2.0 */
#include "app/defaults.h"

#include "base/embedded.h"
#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>

extern const struct embedded monitoring_files[];

static bool below(struct str file, struct str name)
{
    return str_eq(file, name) || (str_starts(file, name) && file.p[name.n] == '/');
}

static enum err write_defaults(struct arena *a, struct str to, struct str name, struct diag *d)
{
    bool any = false;
    for (const struct embedded *f = monitoring_files; f->name; f++) {
        if (!below(str_c(f->name), name)) continue;
        struct str path = path_join(a, to, str_c(f->name));
        TRY(dir_make(path_dir(a, path), d));
        TRY(file_write_atomic(path, embedded_bytes(f), d));
        any = true;
    }
    return any ? OK : diag_set(d, ERR_MISSING, "there is no built-in file " STR_FMT, STR_ARG(name));
}

enum err defaults_path(struct arena *a, struct str dir, struct str data, struct str name,
                       struct str *out, struct diag *d)
{
    struct str own = path_join(a, dir, name);
    if (file_exists(own)) {
        *out = own;
        return OK;
    }
    struct str to = path_join(a, data, STR("defaults"));
    TRY(write_defaults(a, to, name, d));
    *out = path_join(a, to, name);
    return OK;
}

int defaults_show(int argc, char **argv)
{
    if (argc < 2) {
        for (const struct embedded *f = monitoring_files; f->name; f++) {
            (void)printf("%s\n", f->name);
        }
        return EXIT_SUCCESS;
    }
    const struct embedded *f = embedded_find(monitoring_files, str_c(argv[1]));
    if (!f) {
        (void)fprintf(stderr,
                      "vigie: there is no built-in file %s; \"vigie config show\" lists them\n",
                      argv[1]);
        return EXIT_FAILURE;
    }
    struct str bytes = embedded_bytes(f);
    (void)fwrite(bytes.p, 1, bytes.n, stdout);
    return EXIT_SUCCESS;
}
