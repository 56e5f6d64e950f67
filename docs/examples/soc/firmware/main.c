/* SPDX-License-Identifier: Apache-2.0 */
/* Copies a network into RAM, tries what a driver must refuse, runs all images, one by one and in
 * one start, compares. */
#include "hwgen.h"
#include CHIP_HEADER
#include "hwgen_network.h"
#include "soc.h"

#define ALIGN(size) (((size) + 63u) & ~63u)
#define PROGRAM RAM_BASE
#define IMAGES (PROGRAM + ALIGN(HWGEN_NETWORK_PROGRAM_BYTES))
#define ANSWERS (IMAGES + ALIGN(HWGEN_NETWORK_IMAGES_BYTES))
#define SCRATCH (ANSWERS + ALIGN(HWGEN_NETWORK_ANSWERS_BYTES))
#define NOTHING (SCRATCH + ALIGN(HWGEN_NETWORK_SCRATCH_BYTES))
#define LIMIT 1000
#define UNWRITTEN 0xa5a5a5a5u
#define EXPECTED (HWGEN_NETWORK_EXPECTED_BYTES / HWGEN_NETWORK_IMAGES)

extern const uint8_t program_bytes[], image_bytes[], expected_bytes[];

typedef char enough_memory[NOTHING + 4096 <= RAM_BASE + RAM_BYTES ? 1 : -1];

static void expect(const char *what, int got, int wanted)
{
    if (got == wanted) {
        print(what);
        print("\n");
        return;
    }
    print("FAIL: ");
    print(what);
    print(", got ");
    if (got < 0)
        print("-");
    print_number((uint32_t)(got < 0 ? -got : got));
    finish("\nFAIL");
}

/* Turn a bit of the architecture in the program, which says for which chip it is. */
static void spoil_program(void)
{
    volatile uint8_t *program = (volatile uint8_t *)(uintptr_t)PROGRAM;

    for (uint32_t at = 0; at < 64; at++) {
        uint32_t word = 0;

        for (uint32_t byte = 0; byte < 4; byte++)
            word |= (uint32_t)program[at + byte] << 8 * byte;
        if (word == HWGEN_NETWORK_ID) {
            program[at] ^= 1;
            return;
        }
    }
    finish("FAIL: the program does not name its chip");
}

/* An element of an answer; one of more than 57 bits begins with a byte. */
static uint64_t element(const volatile uint8_t *from, uint32_t bit, uint32_t bits)
{
    uint64_t word = 0;

    for (uint32_t byte = 0; byte < (bit % 8 + bits + 7) / 8; byte++)
        word |= (uint64_t)from[bit / 8 + byte] << 8 * byte;
    return word >> bit % 8 & UINT64_MAX >> (64 - bits);
}

/* How many elements of an output of an image differ; expected: moves behind it. */
static uint32_t output_differs(const struct hwgen_output *output, const volatile uint8_t *found,
                               const uint8_t **expected)
{
    const uint32_t bits = output->element_bits;
    uint32_t count = 0;

    for (uint32_t pixel = 0; pixel < output->height * output->width; pixel++) {
        uint32_t bit = pixel / output->block_pixels * 8 * output->block_bytes +
                       pixel % output->block_pixels * output->pixel_bits;

        for (uint32_t n = 0; n < output->channels; n++, *expected += (bits + 7) / 8)
            count += element(found, bit + n * bits, bits) != element(*expected, 0, bits);
    }
    return count;
}

/* image: of all; number: of the start whose answers begin there */
static uint32_t differing(uint32_t image, uintptr_t answers, uint32_t number)
{
    const uint8_t *expected = expected_bytes + image * EXPECTED;
    uint32_t count = 0;

    for (uint32_t n = 0; n < hwgen_network.outputs; n++) {
        const struct hwgen_output *output = &hwgen_network.output[n];

        count += output_differs(
            output, (const volatile uint8_t *)(answers + output->offsets[number]), &expected);
    }
    return count;
}

static void print_cycles(const struct hwgen_chip *chip, uint32_t wrong, uint32_t taken)
{
    print(wrong ? ": differs, " : ": equal, ");
    print_number((uint32_t)hwgen_cycles(chip));
    print(" cycles of the chip, ");
    print_number(taken);
    print(" of the host\n");
}

static void refusals(struct hwgen_chip *chip)
{
    struct hwgen_chip none;
    struct hwgen_network other = hwgen_network;
    int code;

    *(volatile uint32_t *)(uintptr_t)NOTHING = 0;
    expect("NO_CHIP", hwgen_open(&none, NOTHING, &CHIP_MAP), HWGEN_NO_CHIP);
    *(volatile uint32_t *)(uintptr_t)NOTHING = UINT32_MAX;
    expect("NO_CHIP", hwgen_open(&none, NOTHING, &CHIP_MAP), HWGEN_NO_CHIP);
    other.id ^= 1;
    expect("WRONG_CHIP", hwgen_check(chip, &other), HWGEN_WRONG_CHIP);
    expect("MISALIGNED", hwgen_load(chip, PROGRAM + 4, LIMIT), HWGEN_MISALIGNED);
    spoil_program();
    code = hwgen_load(chip, PROGRAM, LIMIT);
    if (code == HWGEN_OK)
        code = hwgen_run(chip, &hwgen_network, IMAGES, ANSWERS, SCRATCH,
                         HWGEN_NETWORK_START_IMAGES, LIMIT);
    expect("WRONG_ARCHITECTURE", code, (int)WRONG_ARCHITECTURE);
    copy(PROGRAM, program_bytes, 64);
}

/* All images, `at_once` of them a start; return how many elements of their answers differ. */
static uint32_t run(struct hwgen_chip *chip, uint32_t starts, uint32_t at_once)
{
    uint32_t wrong = 0;

    for (uint32_t byte = 0; byte < HWGEN_NETWORK_ANSWERS_BYTES; byte += 4)
        *(volatile uint32_t *)(uintptr_t)(ANSWERS + byte) = UNWRITTEN;
    for (uint32_t start = 0; start < starts; start++) {
        uint32_t begin = BENCH_CYCLES, differ = 0;
        uintptr_t answers = ANSWERS + start * HWGEN_NETWORK_ANSWER_STRIDE;
        int code = hwgen_run(chip, &hwgen_network,
                             IMAGES + start * HWGEN_NETWORK_IMAGE_STRIDE, answers, SCRATCH,
                             at_once, LIMIT);
        uint32_t taken = BENCH_CYCLES - begin, first = start * at_once, count = 0;

        if (code != HWGEN_OK)
            expect("run", code, HWGEN_OK);
        for (; count < at_once && first + count < HWGEN_NETWORK_IMAGES; count++)
            differ += differing(first + count, answers, count);
        print(count > 1 ? "images " : "image ");
        print_number(first);
        if (count > 1) {
            print(" to ");
            print_number(first + count - 1);
        }
        print_cycles(chip, differ, taken);
        wrong += differ;
    }
    return wrong;
}

int main(void)
{
    struct hwgen_chip chip;
    /* Without a register `images` a start takes what its program was made for. */
    const int counts = CHIP_MAP.images != HWGEN_ABSENT;
    const uint32_t at_once = counts ? 1 : HWGEN_NETWORK_START_IMAGES;
    uint32_t wrong;

    irq_mask(CHIP_IRQ);
    copy(PROGRAM, program_bytes, HWGEN_NETWORK_PROGRAM_BYTES);
    copy(IMAGES, image_bytes, HWGEN_NETWORK_IMAGES_BYTES);
    expect("chip", hwgen_open(&chip, CHIP_BASE, &CHIP_MAP), HWGEN_OK);
    chip.wait = wait;
    chip.invalidate = invalidate;
    refusals(&chip);
    expect("program", hwgen_check(&chip, &hwgen_network), HWGEN_OK);
    expect("loaded", hwgen_load(&chip, PROGRAM, LIMIT), HWGEN_OK);
    expect("started", hwgen_start(&chip, &hwgen_network, IMAGES, ANSWERS, SCRATCH, at_once),
           HWGEN_OK);
    expect("BUSY", hwgen_start(&chip, &hwgen_network, IMAGES, ANSWERS, SCRATCH, at_once),
           HWGEN_BUSY);
    expect("ended", hwgen_wait(&chip, LIMIT), HWGEN_OK);
    wrong = run(&chip, HWGEN_NETWORK_STARTS, at_once);
    if (counts && HWGEN_NETWORK_IMAGES > 1 && HWGEN_NETWORK_IMAGES <= HWGEN_NETWORK_START_IMAGES)
        wrong += run(&chip, 1, HWGEN_NETWORK_IMAGES);
    finish(wrong ? "FAIL" : "PASS");
    return 0;
}
