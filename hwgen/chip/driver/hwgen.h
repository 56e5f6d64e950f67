/* SPDX-License-Identifier: Apache-2.0 */
/* Driver of chips that hwgen writes: C99, freestanding, no globals, one for all families; C++ takes
 * this header, too.
 *
 *     struct hwgen_chip chip;
 *     int code = hwgen_open(&chip, 0x80000000, &hwgen_dbpim);
 *     if (!code) code = hwgen_check(&chip, &hwgen_network);
 *     if (!code) code = hwgen_load(&chip, program, limit);
 *     if (!code) code = hwgen_run(&chip, &hwgen_network, images, answers, scratch, count, limit);
 *
 * Program, images, answers and scratch space lie in memory that the chip reaches, at addresses as
 * the chip sees them. The driver copies nothing. Registers are read and written as words of 32
 * bits. Where the processor caches, write back program and images before a start, and let the hook
 * `invalidate` drop the lines of the answers.
 */
#ifndef HWGEN_H
#define HWGEN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HWGEN_ABSENT 0xffff

/* What functions return: 0, one of these, or a positive code of the chip's register `error`. */
enum {
    HWGEN_OK = 0,
    HWGEN_NO_CHIP = -1,    /* `id` reads 0 or all ones */
    HWGEN_WRONG_CHIP = -2, /* the program is for another architecture */
    HWGEN_MISALIGNED = -3, /* an address is no multiple of 64 */
    HWGEN_BUSY = -4,       /* a run is going on */
    HWGEN_TIMEOUT = -5,    /* the limit of the caller is over; the chip may still be busy */
    HWGEN_BAD_COUNT = -6,  /* images that one start of this program cannot take */
    HWGEN_BAD_POSITION = -7 /* a call behind the last position of the network */
};

/* Offsets of the registers of a family in bytes, of 64-bit values that of the lower half. */
struct hwgen_map {
    uint16_t id, version, control, status, error, interrupt, interrupt_enable;
    uint16_t command, mode, unlock, images, interval;
    uint16_t program_address, image_address, answer_address, scratch_address;
    uint16_t cycles, load_cycles;
    uint16_t position, position_bytes;
};

/* Where an output of a network lies.
 *
 * Channel c of pixel p (row after row) begins at bit
 *     8 * block_bytes * (p / block_pixels) + pixel_bits * (p % block_pixels) + element_bits * c
 *
 * bytes: of one image; offsets: of each image of a start, from its answer address
 */
struct hwgen_output {
    uint32_t height, width, channels;
    uint32_t element_bits, pixel_bits, block_pixels, block_bytes;
    uint32_t bytes;
    const uint32_t *offsets;
};

/* What one call leaves for the next: `bytes` of the scratch space, from `offset` on.
 *
 * first: what it holds before the first call; NULL: every byte is `fill`
 */
struct hwgen_state {
    uint32_t offset, bytes;
    const uint8_t *first;
    uint8_t fill;
};

/* A compiled network: `hwgen export --c` writes one.
 *
 * id: of the chip it is for; mode: of its modes, 0 where there are none
 * program_bytes, scratch_bytes: sizes in memory
 * images: that one start takes: exactly so many, at most so many with a register `images`
 * interval: steps from one image of a start to the next, 0 without a register `interval`
 * image_bytes: of one image; answer_bytes: of its first output
 * image_stride, answer_stride: from one start to the next; with a register `images` from one image
 *     to the next
 * answer_offsets: of the first output of each image of a start, from its answer address
 * outputs: number of `output`, all outputs in the order of the network's file
 * states: number of `state`; 0: no call depends on another
 * positions: calls of a stream at most, 0: any number; position_bytes: that each adds to a state
 */
struct hwgen_network {
    uint32_t id;
    uint32_t mode;
    uint32_t program_bytes;
    uint32_t scratch_bytes;
    uint32_t images;
    uint32_t interval;
    uint32_t image_bytes;
    uint32_t image_stride;
    uint32_t answer_bytes;
    uint32_t answer_stride;
    const uint32_t *answer_offsets;
    uint32_t outputs;
    const struct hwgen_output *output;
    uint32_t states;
    const struct hwgen_state *state;
    uint32_t positions, position_bytes;
};

/* Calls of a network with states, one after the other; streams of one program are independent.
 *
 * scratch, memory: address of its scratch space for the chip, and for the processor
 * position: of the next call; begun: 0 before the first call, which begins with first values
 */
struct hwgen_stream {
    uint64_t scratch;
    uint8_t *memory;
    uint32_t position, begun;
};

/* A chip. Set the hooks after `hwgen_open`; each may be NULL.
 *
 * wait: called while a run goes on, and may sleep until an interrupt or a timer wakes it
 * invalidate: called after a run that ended without an error, before the driver returns
 */
struct hwgen_chip {
    volatile uint32_t *registers;
    const struct hwgen_map *map;
    void (*wait)(void *context);
    void (*invalidate)(void *context, uint64_t address, uint64_t bytes);
    void *context;
};

/* Find a chip whose registers begin at an address of the processor. */
int hwgen_open(struct hwgen_chip *chip, uintptr_t registers, const struct hwgen_map *map);

/* Compare the architecture of a program with that of the chip. */
int hwgen_check(const struct hwgen_chip *chip, const struct hwgen_network *network);

/* Tell a chip where its program lies; a chip that keeps weights loads them.
 *
 * limit: how often `wait` may return (without it: how often the driver looks) before HWGEN_TIMEOUT
 */
int hwgen_load(struct hwgen_chip *chip, uint64_t program, uint64_t limit);

/* Start with some images, and enable the interrupt. */
int hwgen_start(struct hwgen_chip *chip, const struct hwgen_network *network, uint64_t images,
                uint64_t answers, uint64_t scratch, uint32_t count);

/* Wait until a run ends and clear its interrupt; return how it ended. */
int hwgen_wait(struct hwgen_chip *chip, uint64_t limit);

/* Start, wait, and make the answers visible. */
int hwgen_run(struct hwgen_chip *chip, const struct hwgen_network *network, uint64_t images,
              uint64_t answers, uint64_t scratch, uint32_t count, uint64_t limit);

/* Let a stream begin again; where the processor caches, write its scratch space back behind it. */
void hwgen_reset(const struct hwgen_network *network, struct hwgen_stream *stream);

/* Run the next call of a stream with one image; a call before a reset starts from first values. */
int hwgen_step(struct hwgen_chip *chip, const struct hwgen_network *network,
               struct hwgen_stream *stream, uint64_t image, uint64_t answer, uint64_t limit);

/* Disable the interrupt: for a handler, which must leave `interrupt` to `hwgen_wait`. */
void hwgen_mask(const struct hwgen_chip *chip);

/* Clock cycles of the last run. */
uint64_t hwgen_cycles(const struct hwgen_chip *chip);

#ifdef __cplusplus
}
#endif

#endif
