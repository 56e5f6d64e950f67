/* The driver against registers in plain memory: what it returns, writes, and waits for. */
#include "hwgen.h"
#include CHIP_HEADER

#include <stdio.h>
#include <string.h>

static uint32_t registers[1024];
static const uint32_t offsets[] = {0, 64}, further[] = {128, 192};
static const struct hwgen_output outputs[] = {{.bytes = 8, .offsets = offsets},
                                              {.bytes = 9, .offsets = further}};
static const struct hwgen_network network = {.id = 7,
                                             .images = 1,
                                             .interval = 48,
                                             .answer_bytes = 8,
                                             .answer_offsets = offsets,
                                             .outputs = 2,
                                             .output = outputs};
static int waits, fails;
static uint64_t invalidated;

#define REGISTER(name) registers[CHIP_MAP.name / 4]
#define EXPECT(got, wanted) \
    do { \
        if ((got) != (wanted)) { \
            printf("line %d: got %d\n", __LINE__, (int)(got)); \
            fails++; \
        } \
    } while (0)

/* The chip: it ends in the third wait, with the error that the context names. */
static void wait(void *context)
{
    if (++waits == 3) {
        REGISTER(interrupt) = 1;
        REGISTER(error) = *(uint32_t *)context;
        REGISTER(status) = *(uint32_t *)context ? 4 : 2;
    }
}

static void invalidate(void *context, uint64_t address, uint64_t bytes)
{
    (void)context;
    invalidated = address + bytes;
}

int main(void)
{
    struct hwgen_chip chip;
    uint32_t error = 0;
    const uint32_t loads = CHIP_MAP.command != HWGEN_ABSENT;

    EXPECT(hwgen_open(&chip, (uintptr_t)registers, &CHIP_MAP), HWGEN_NO_CHIP);
    REGISTER(id) = UINT32_MAX;
    EXPECT(hwgen_open(&chip, (uintptr_t)registers, &CHIP_MAP), HWGEN_NO_CHIP);
    REGISTER(id) = 7;
    EXPECT(hwgen_open(&chip, (uintptr_t)registers, &CHIP_MAP), HWGEN_OK);
    EXPECT(hwgen_check(&chip, &network), HWGEN_OK);
    REGISTER(id) = 8;
    EXPECT(hwgen_check(&chip, &network), HWGEN_WRONG_CHIP);

    EXPECT(hwgen_load(&chip, 32, 1), HWGEN_MISALIGNED);
    EXPECT(hwgen_start(&chip, &network, 1, 0, 0, 1), HWGEN_MISALIGNED);
    EXPECT(hwgen_start(&chip, &network, 0, 63, 0, 1), HWGEN_MISALIGNED);
    EXPECT(hwgen_start(&chip, &network, 0, 0, 32, 1), HWGEN_MISALIGNED);
    EXPECT(hwgen_start(&chip, &network, 0, 0, 0, 0), HWGEN_BAD_COUNT);
    EXPECT(hwgen_start(&chip, &network, 0, 0, 0, 2), HWGEN_BAD_COUNT);
    REGISTER(status) = 1;
    EXPECT(hwgen_load(&chip, 64, 1), HWGEN_BUSY);
    EXPECT(hwgen_start(&chip, &network, 0, 0, 0, 1), HWGEN_BUSY);
    EXPECT(REGISTER(control), 0);
    REGISTER(status) = 0;

    chip.wait = wait;
    chip.context = &error;
    /* Memory keeps the 1 that clears a register: a load ends at once. */
    EXPECT(hwgen_load(&chip, 0x1234567840u, 5), HWGEN_OK);
    EXPECT(waits, 0);
    EXPECT(REGISTER(control), loads);
    EXPECT(REGISTER(program_address), 0x34567840);
    EXPECT((&REGISTER(program_address))[1], 0x12);

    REGISTER(interrupt) = 0;
    waits = 0;
    EXPECT(hwgen_start(&chip, &network, 64, 128, 192, 1), HWGEN_OK);
    EXPECT(REGISTER(image_address), 64);
    EXPECT(REGISTER(answer_address), 128);
    if (CHIP_MAP.interval != HWGEN_ABSENT)
        EXPECT(REGISTER(interval), 48);
    EXPECT(REGISTER(control), 1);
    EXPECT(REGISTER(interrupt_enable), 1);
    REGISTER(interrupt) = 0;
    EXPECT(hwgen_wait(&chip, 2), HWGEN_TIMEOUT);
    EXPECT(waits, 2);
    EXPECT(hwgen_wait(&chip, 2), HWGEN_OK);
    chip.invalidate = invalidate;
    waits = 0;
    REGISTER(interrupt) = 0;
    REGISTER(status) = 0;
    EXPECT(hwgen_run(&chip, &network, 64, 128, 192, 1, 9), HWGEN_OK);
    EXPECT(invalidated == 128 + 128 + 9, 1);
    error = 4;
    waits = 0;
    REGISTER(interrupt) = 0;
    EXPECT(hwgen_wait(&chip, 9), 4);
    hwgen_mask(&chip);
    EXPECT(REGISTER(interrupt_enable), 0);
    REGISTER(cycles) = 5;
    (&REGISTER(cycles))[1] = 1;
    EXPECT(hwgen_cycles(&chip) == 0x100000005u, 1);
    return fails;
}
