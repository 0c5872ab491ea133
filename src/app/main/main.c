/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

int main(void)
{
    LOG(INFO, "vigie");
    return 0;
}
