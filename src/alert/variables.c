/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/variables.h"

#include "io/file.h"

#include <stdlib.h>

#define ENV_FILE_MAX ((size_t)1 << 20)

static struct str first_line(struct str s)
{
    struct str line, rest;
    (void)str_cut(s, '\n', &line, &rest);
    return str_trim(line);
}

static struct str from_file(struct arena *a, struct str path)
{
    struct str text = { NULL, 0 };
    if (file_read(a, path, ENV_FILE_MAX, &text, NULL) != OK) return (struct str){ NULL, 0 };
    return first_line(text);
}

/* `export NAME="value"` and `NAME=value`; a # begins a comment line. */
static struct str from_env_file(struct arena *a, struct str path, struct str name)
{
    struct str text, line, key, value;
    if (file_read(a, path, ENV_FILE_MAX, &text, NULL) != OK) return (struct str){ NULL, 0 };
    while (text.n) {
        (void)str_cut(text, '\n', &line, &text);
        line = str_trim(line);
        if (str_starts(line, STR("export "))) line = str_trim(str_from(line, 7));
        if (!line.n || line.p[0] == '#' || !str_cut(line, '=', &key, &value) ||
            !str_eq(str_trim(key), name)) {
            continue;
        }
        value = str_trim(value);
        bool quoted = value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'') &&
                      value.p[value.n - 1] == value.p[0];
        return quoted ? str_make(value.p + 1, value.n - 2) : value;
    }
    return (struct str){ NULL, 0 };
}

struct str alert_variable(void *ctx, struct arena *a, struct str name)
{
    const struct alert_variables *v = ctx;
    if (str_starts(name, STR("file:"))) return from_file(a, str_from(name, 5));
    /* Nobody changes the environment after the start. */
    if (str_starts(name, STR("cred:"))) {
        const char *dir = getenv("CREDENTIALS_DIRECTORY"); /* NOLINT(concurrency-mt-unsafe) */
        bool plain = str_find_char(name, '/') == STR_NONE;
        return dir && plain ? from_file(a, path_join(a, str_c(dir), str_from(name, 5)))
                            : (struct str){ NULL, 0 };
    }
    const char *value = getenv(arena_dup(a, name).p); /* NOLINT(concurrency-mt-unsafe) */
    if (value) return str_c(value);
    struct str file = v->env_file;
    if (!file.n) file = path_join(a, path_dir(a, v->config_file), STR(".env"));
    return from_env_file(a, file, name);
}
