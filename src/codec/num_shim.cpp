/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/num_shim.h"

#include <dragonbox/dragonbox.h>
#include <fast_float/fast_float.h>

extern "C" const char *num_shim_parse(const char *first, const char *last, double *out)
{
    auto r = fast_float::from_chars(first, last, *out);
    return r.ec == std::errc() ? r.ptr : nullptr;
}

extern "C" void num_shim_digits(double v, uint64_t *digits, int *exponent)
{
    auto d = jkj::dragonbox::to_decimal(v, jkj::dragonbox::policy::sign::ignore);
    *digits = d.significand;
    *exponent = d.exponent;
}
