/* SPDX-License-Identifier: Apache-2.0 */
/* What the host computes of the network of resize.py: 8 planes of 8 x 8, 1.5 times as large. */
#include "hwgen_plan.h"

#define PLANES 8
#define SIDE 8
#define LARGE 12

void hwgen_host1(const uint8_t *in0, uint8_t *out0)
{
    for (uint32_t plane = 0; plane < PLANES; plane++)
        for (uint32_t y = 0; y < LARGE; y++)
            for (uint32_t x = 0; x < LARGE; x++)
                out0[(plane * LARGE + y) * LARGE + x] =
                    in0[(plane * SIDE + y * 2 / 3) * SIDE + x * 2 / 3];
}
