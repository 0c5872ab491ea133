/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_priv.h - what yaml.c, yaml_scalar.c and yaml_decode.c share; nobody else includes it. */
#ifndef CODEC_YAML_PRIV_H
#define CODEC_YAML_PRIV_H

#include "codec/yaml.h"

/* Standard alphabet, padding required, white space between ignored. False: not base64. */
bool yaml_base64(struct arena *a, struct str in, struct str *out);

#endif
