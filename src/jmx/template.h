/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template.h - replacements in Java's spelling: $1, ${name}, \c
 *
 * Source:  java.util.regex.Matcher.appendReplacement.
 * Differs: $hostName, which people write though Java refuses it, is the host of the JVM.
 */
#ifndef JMX_TEMPLATE_H
#define JMX_TEMPLATE_H

#include "codec/regex.h"

/*
 * Appends the template filled from the groups; re NULL: there are none. `$10` is group 1 and a '0' where there are fewer
 * than ten; a group that took no part is empty. host: for $hostName.
 * Errors: ERR_SYNTAX  a group that does not exist, '$' before anything else, a '\' or '$' at the end
 */
enum err jmx_template(struct str text, const struct regex *re, const struct regex_groups *groups,
                      struct str host, struct buf *out);

/* What a person should know of a template, before anything matched: NULL, or a sentence. re NULL: there are no groups. */
const char *jmx_template_doubt(struct str text, const struct regex *re);

#endif
