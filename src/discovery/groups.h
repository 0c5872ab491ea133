/* SPDX-License-Identifier: Apache-2.0 */
/*
 * groups.h - lists of target groups as files and HTTP servers give them: [{"targets": [...], "labels": {...}}]
 *
 * Shape:  pure; everything is in the arena given.
 * Limits: 16 MiB of text; labels and targets no more than the text holds.
 * Source: discovery/targetgroup/targetgroup.go UnmarshalJSON, UnmarshalYAML.
 */
#ifndef DISCOVERY_GROUPS_H
#define DISCOVERY_GROUPS_H

#include "model/discovery.h"

#define GROUPS_TEXT_MAX ((size_t)16 << 20)

/*
 * extra: a label that every group gets (its name absent: none). The groups' sources are source:0, source:1...
 * Errors: ERR_SYNTAX, ERR_LIMIT
 */
enum err groups_from_json(struct arena *a, struct str text, struct str source, struct label extra,
                          struct sd_groups *out, struct diag *d);
enum err groups_from_yaml(struct arena *a, struct str text, struct str source, struct label extra,
                          struct sd_groups *out, struct diag *d);

#endif
