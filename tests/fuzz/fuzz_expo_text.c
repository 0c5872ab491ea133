/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_expo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) { return fuzz_expo(data, n, EXPO_TEXT); }
