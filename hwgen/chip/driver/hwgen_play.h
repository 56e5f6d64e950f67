/* SPDX-License-Identifier: Apache-2.0 */
/* Plays a plan: pieces of a network on a chip, and between them moves and functions of the host.
 *
 *     static struct hwgen_player player = {&chip, &hwgen_plan, memory, address, program};
 *     hwgen_rewind(&player);
 *     write the inputs of a call at memory + hwgen_plan.input[n].offset
 *     int code = hwgen_play(&player, limit);
 *     read its outputs there
 *
 * C99, freestanding, no globals, for processors whose lowest byte comes first. The functions of the
 * host that are no moves are yours: `hwgen_plan.h`, which `hwgen export --c` writes, declares them.
 */
#ifndef HWGEN_PLAY_H
#define HWGEN_PLAY_H

#include "hwgen.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HWGEN_NOTHING 0xffffffffu

/* Numbers in memory, from `offset` on; element n is channel n % channels of pixel n / channels.
 *
 * A tensor of the file is one pixel, without gaps; images and answers of a chip have gaps.
 */
struct hwgen_tensor {
    uint32_t offset, element_bytes, channels, pixel_bytes, block_pixels, block_bytes;
};

/* What becomes of a byte: element number byte of `values`, of so many bytes.
 *
 * scale: 0, or of float32 that become a byte first: real / scale, half to even, plus `zero`, from
 *     `least` to least + 255
 */
struct hwgen_table {
    const uint8_t *values;
    uint32_t bytes;
    float scale;
    int32_t zero, least;
};

/* `count` elements, from element `from` of a tensor on, each `step` behind the one before it.
 *
 * tensor: or HWGEN_NOTHING, which leaves what is there; table: or HWGEN_NOTHING, as they are
 */
struct hwgen_take {
    uint32_t tensor, table, from, count;
    int32_t step;
};

enum hwgen_kind { HWGEN_MOVE, HWGEN_START, HWGEN_CALL };

/* What is done next.
 *
 * number: MOVE: of the tensor that is written; START: of the network; CALL: of the function
 * first, takes: MOVE: of `take`, which fill the tensor in order
 * row: MOVE: 0, or of each so many elements (of 16 bits) the number of the first largest is written
 * image, answers: START: where they begin in memory
 */
struct hwgen_action {
    enum hwgen_kind kind;
    uint32_t number, first, takes, row, image, answers;
};

/* An input or an output of the file, in memory. */
struct hwgen_end {
    const char *name;
    uint32_t offset, bytes;
};

/* A plan: `hwgen export --c` writes one.
 *
 * bytes: of its memory; scratch: where the scratch space begins; programs: where each begins
 */
struct hwgen_plan {
    uint32_t bytes, scratch, actions;
    const struct hwgen_action *action;
    const struct hwgen_take *take;
    const struct hwgen_table *table;
    const struct hwgen_tensor *tensor;
    const struct hwgen_network *const *network;
    const uint32_t *programs;
    void (*const *function)(uint8_t *memory);
    uint32_t inputs, outputs;
    const struct hwgen_end *input, *output;
};

/* What plays a plan on an open chip.
 *
 * memory, address: of `plan->bytes` bytes, for the processor and for the chip; program: of
 *     `program.bin` for the chip; both multiples of 64
 * write_back: NULL, or called before each start where the processor caches writes
 * loaded: 0, or 1 and the number of the network that the chip holds
 */
struct hwgen_player {
    struct hwgen_chip *chip;
    const struct hwgen_plan *plan;
    uint8_t *memory;
    uint64_t address, program;
    void (*write_back)(void *context, uint64_t address, uint64_t bytes);
    uint32_t loaded;
};

/* Clear the memory of a plan, once before its first call. */
void hwgen_rewind(struct hwgen_player *player);

/* Play a call; return 0 or what the driver returned; limit: as that of hwgen_run, of each start. */
int hwgen_play(struct hwgen_player *player, uint64_t limit);

#ifdef __cplusplus
}
#endif

#endif
