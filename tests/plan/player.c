/* Plays the calls of a plan on a chip that knows the images of each piece and their answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hwgen_plan.h"

static uint8_t memory[HWGEN_PLAN_BYTES], program[HWGEN_PLAN_PROGRAM_BYTES];
static uint32_t images[16];

static uint8_t *read_all(const char *name)
{
    FILE *file = fopen(name, "rb");
    static uint8_t *bytes;
    long size;

    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    bytes = malloc((size_t)size + 1);
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size)
        exit(3);
    fclose(file);
    return bytes;
}

int hwgen_check(const struct hwgen_chip *chip, const struct hwgen_network *network)
{
    (void)chip;
    return network->id ? HWGEN_OK : HWGEN_WRONG_CHIP;
}

int hwgen_load(struct hwgen_chip *chip, uint64_t at, uint64_t limit)
{
    (void)chip;
    printf("load %u, limit %u\n", (unsigned)(at - (uintptr_t)program), (unsigned)limit);
    return HWGEN_OK;
}

int hwgen_run(struct hwgen_chip *chip, const struct hwgen_network *network, uint64_t image,
              uint64_t answers, uint64_t scratch, uint32_t count, uint64_t limit)
{
    uint32_t piece = 0, used = 0, wrong = 0;
    uint8_t *given, *expected;
    char name[64];

    (void)chip;
    (void)limit;
    while (hwgen_plan.network[piece] != network)
        piece++;
    snprintf(name, sizeof name, "chip%u/images.bin", piece);
    given = read_all(name) + images[piece] * network->image_stride;
    snprintf(name, sizeof name, "chip%u/expected.bin", piece);
    expected = read_all(name);
    for (uint32_t n = 0; n < network->outputs; n++) {
        const struct hwgen_output *output = &network->output[n];

        used += output->height * output->width * output->channels * output->element_bits / 8;
    }
    expected += images[piece]++ * used;
    wrong = memcmp((void *)(uintptr_t)image, given, network->image_bytes) != 0;
    printf("run %u: %s, %u at once, scratch %d\n", piece, wrong ? "another image" : "its image",
           count, scratch % 64 == 0);
    for (uint32_t n = 0; n < network->outputs; n++) {
        const struct hwgen_output *output = &network->output[n];
        const uint32_t bytes = output->element_bits / 8;

        for (uint32_t p = 0; p < output->height * output->width; p++)
            for (uint32_t c = 0; c < output->channels; c++, expected += bytes)
                memcpy((uint8_t *)(uintptr_t)answers + output->offsets[0] +
                           p / output->block_pixels * output->block_bytes +
                           p % output->block_pixels * output->pixel_bits / 8 + c * bytes,
                       expected, bytes);
    }
    return HWGEN_OK;
}

int main(void)
{
    struct hwgen_chip chip = {0};
    struct hwgen_player player = {
        &chip, &hwgen_plan, memory, (uintptr_t)memory, (uintptr_t)program, NULL, 9};
    const uint8_t *inputs = read_all("images.bin"), *expected = read_all("expected.bin");

    hwgen_rewind(&player);
    for (uint32_t call = 0; call < HWGEN_PLAN_CALLS; call++) {
        for (uint32_t n = 0; n < hwgen_plan.inputs; inputs += hwgen_plan.input[n++].bytes)
            memcpy(memory + hwgen_plan.input[n].offset, inputs, hwgen_plan.input[n].bytes);
        printf("code %d\n", hwgen_play(&player, 7));
        for (uint32_t n = 0; n < hwgen_plan.outputs; expected += hwgen_plan.output[n++].bytes)
            printf("%s: %s\n", hwgen_plan.output[n].name,
                   memcmp(memory + hwgen_plan.output[n].offset, expected, hwgen_plan.output[n].bytes)
                       ? "differs" : "equal");
    }
    return 0;
}
