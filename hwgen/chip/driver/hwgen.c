/* SPDX-License-Identifier: Apache-2.0 */
#include "hwgen.h"

#define BUSY 1u
#define DONE 2u
#define START 1u
#define ENDED 1u
#define RUN 0u
#define LOAD 1u
#define ALIGNMENT 64u

static uint32_t get(const struct hwgen_chip *chip, uint16_t offset)
{
    return chip->registers[offset / 4];
}

static void put(const struct hwgen_chip *chip, uint16_t offset, uint32_t value)
{
    if (offset != HWGEN_ABSENT)
        chip->registers[offset / 4] = value;
}

static void put_address(const struct hwgen_chip *chip, uint16_t offset, uint64_t address)
{
    if (offset != HWGEN_ABSENT) {
        put(chip, offset, (uint32_t)address);
        put(chip, (uint16_t)(offset + 4), (uint32_t)(address >> 32));
    }
}

static int misaligned(uint64_t address)
{
    return address % ALIGNMENT != 0;
}

int hwgen_open(struct hwgen_chip *chip, uintptr_t registers, const struct hwgen_map *map)
{
    uint32_t id;

    chip->registers = (volatile uint32_t *)registers;
    chip->map = map;
    chip->wait = NULL;
    chip->invalidate = NULL;
    chip->context = NULL;
    id = get(chip, map->id);
    return id == 0 || id == UINT32_MAX ? HWGEN_NO_CHIP : HWGEN_OK;
}

int hwgen_check(const struct hwgen_chip *chip, const struct hwgen_network *network)
{
    return get(chip, chip->map->id) == network->id ? HWGEN_OK : HWGEN_WRONG_CHIP;
}

/* Clear what an earlier run left, then start; reading back waits until the write has arrived. */
static void start(struct hwgen_chip *chip, uint32_t command)
{
    put(chip, chip->map->command, command);
    put(chip, chip->map->interrupt, ENDED);
    put(chip, chip->map->interrupt_enable, ENDED);
    put(chip, chip->map->control, START);
    (void)get(chip, chip->map->status);
}

int hwgen_load(struct hwgen_chip *chip, uint64_t program, uint64_t limit)
{
    if (misaligned(program))
        return HWGEN_MISALIGNED;
    if (get(chip, chip->map->status) & BUSY)
        return HWGEN_BUSY;
    put_address(chip, chip->map->program_address, program);
    if (chip->map->command == HWGEN_ABSENT)
        return HWGEN_OK;
    put(chip, chip->map->unlock, 1);
    start(chip, LOAD);
    return hwgen_wait(chip, limit);
}

int hwgen_start(struct hwgen_chip *chip, const struct hwgen_network *network, uint64_t images,
                uint64_t answers, uint64_t scratch, uint32_t count)
{
    const struct hwgen_map *map = chip->map;

    if (misaligned(images) || misaligned(answers) || misaligned(scratch))
        return HWGEN_MISALIGNED;
    if (map->images == HWGEN_ABSENT ? count != network->images
                                    : count == 0 || count > network->images)
        return HWGEN_BAD_COUNT;
    if (get(chip, map->status) & BUSY)
        return HWGEN_BUSY;
    put(chip, map->unlock, 0);
    put(chip, map->mode, network->mode);
    put(chip, map->images, count);
    put(chip, map->interval, network->interval);
    put_address(chip, map->image_address, images);
    put_address(chip, map->answer_address, answers);
    put_address(chip, map->scratch_address, scratch);
    start(chip, RUN);
    return HWGEN_OK;
}

int hwgen_wait(struct hwgen_chip *chip, uint64_t limit)
{
    while (!(get(chip, chip->map->interrupt) & ENDED)) {
        if (limit-- == 0)
            return HWGEN_TIMEOUT;
        if (chip->wait)
            chip->wait(chip->context);
    }
    put(chip, chip->map->interrupt, ENDED);
    if (get(chip, chip->map->status) & DONE)
        return HWGEN_OK;
    return (int)get(chip, chip->map->error);
}

/* Bytes from the answer address to the end of the last output of some images. */
static uint64_t answers_end(const struct hwgen_network *network, uint32_t count)
{
    uint64_t end = (uint64_t)network->answer_offsets[count - 1] + network->answer_bytes;

    for (uint32_t n = 0; n < network->outputs; n++) {
        const struct hwgen_output *output = &network->output[n];
        uint64_t last = (uint64_t)output->offsets[count - 1] + output->bytes;

        if (last > end)
            end = last;
    }
    return end;
}

int hwgen_run(struct hwgen_chip *chip, const struct hwgen_network *network, uint64_t images,
              uint64_t answers, uint64_t scratch, uint32_t count, uint64_t limit)
{
    int code = hwgen_start(chip, network, images, answers, scratch, count);

    if (code == HWGEN_OK)
        code = hwgen_wait(chip, limit);
    if (code == HWGEN_OK && chip->invalidate)
        chip->invalidate(chip->context, answers, answers_end(network, count));
    return code;
}

void hwgen_reset(const struct hwgen_network *network, struct hwgen_stream *stream)
{
    for (uint32_t n = 0; n < network->states; n++) {
        const struct hwgen_state *state = &network->state[n];

        for (uint32_t byte = 0; byte < state->bytes; byte++)
            stream->memory[state->offset + byte] = state->first ? state->first[byte] : state->fill;
    }
    stream->position = 0;
    stream->begun = 1;
}

int hwgen_step(struct hwgen_chip *chip, const struct hwgen_network *network,
               struct hwgen_stream *stream, uint64_t image, uint64_t answer, uint64_t limit)
{
    int code;

    if (!stream->begun)
        hwgen_reset(network, stream);
    if (network->positions && stream->position >= network->positions)
        return HWGEN_BAD_POSITION;
    if (get(chip, chip->map->status) & BUSY)
        return HWGEN_BUSY;
    put(chip, chip->map->position, stream->position);
    put(chip, chip->map->position_bytes, stream->position * network->position_bytes);
    code = hwgen_run(chip, network, image, answer, stream->scratch, 1, limit);
    if (code == HWGEN_OK)
        stream->position++;
    return code;
}

void hwgen_mask(const struct hwgen_chip *chip)
{
    put(chip, chip->map->interrupt_enable, 0);
}

uint64_t hwgen_cycles(const struct hwgen_chip *chip)
{
    uint32_t low = get(chip, chip->map->cycles);

    return (uint64_t)get(chip, (uint16_t)(chip->map->cycles + 4)) << 32 | low;
}
