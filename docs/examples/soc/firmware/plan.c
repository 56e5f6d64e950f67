/* SPDX-License-Identifier: Apache-2.0 */
/* Plays all calls of a plan, and compares: the pieces on the chip, the rest on the processor. */
#include "hwgen_plan.h"
#include CHIP_HEADER
#include "soc.h"

#define PROGRAM RAM_BASE
#define MEMORY (PROGRAM + HWGEN_PLAN_PROGRAM_BYTES)
#define LIMIT 1000

extern const uint8_t program_bytes[], image_bytes[], expected_bytes[];

typedef char enough_memory[MEMORY + HWGEN_PLAN_BYTES <= RAM_BASE + RAM_BYTES ? 1 : -1];

static uint32_t differing(const uint8_t *found, const uint8_t *expected, uint32_t bytes)
{
    uint32_t count = 0;

    for (uint32_t n = 0; n < bytes; n++)
        count += found[n] != expected[n];
    return count;
}

int main(void)
{
    struct hwgen_chip chip;
    struct hwgen_player player = {
        &chip, &hwgen_plan, (uint8_t *)(uintptr_t)MEMORY, MEMORY, PROGRAM, NULL, 0};
    const uint8_t *inputs = image_bytes, *expected = expected_bytes;
    uint32_t wrong = 0;

    irq_mask(CHIP_IRQ);
    copy(PROGRAM, program_bytes, HWGEN_PLAN_PROGRAM_BYTES);
    if (hwgen_open(&chip, CHIP_BASE, &CHIP_MAP) != HWGEN_OK)
        finish("no chip\nFAIL");
    chip.wait = wait;
    chip.invalidate = invalidate;
    hwgen_rewind(&player);
    for (uint32_t call = 0; call < HWGEN_PLAN_CALLS; call++) {
        uint32_t begin = BENCH_CYCLES, differ = 0, taken;
        int code;

        for (uint32_t n = 0; n < hwgen_plan.inputs; inputs += hwgen_plan.input[n++].bytes)
            copy(MEMORY + hwgen_plan.input[n].offset, inputs, hwgen_plan.input[n].bytes);
        code = hwgen_play(&player, LIMIT);
        taken = BENCH_CYCLES - begin;
        for (uint32_t n = 0; n < hwgen_plan.outputs; expected += hwgen_plan.output[n++].bytes)
            differ += differing(player.memory + hwgen_plan.output[n].offset, expected,
                                hwgen_plan.output[n].bytes);
        print("call ");
        print_number(call);
        print(code ? ": refused, " : differ ? ": differs, " : ": equal, ");
        print_number(taken);
        print(" cycles of the host\n");
        wrong += differ + (code != HWGEN_OK);
    }
    finish(wrong ? "FAIL" : "PASS");
    return 0;
}
