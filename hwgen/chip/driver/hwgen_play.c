/* SPDX-License-Identifier: Apache-2.0 */
#include "hwgen_play.h"

#define INDEX_BYTES 4

static uint8_t *element(uint8_t *memory, const struct hwgen_tensor *tensor, uint32_t n)
{
    const uint32_t pixel = n / tensor->channels;

    return memory + tensor->offset + pixel / tensor->block_pixels * tensor->block_bytes +
           pixel % tensor->block_pixels * tensor->pixel_bytes +
           n % tensor->channels * tensor->element_bytes;
}

static void copy(uint8_t *to, const uint8_t *from, uint32_t bytes)
{
    for (uint32_t n = 0; n < bytes; n++)
        to[n] = from[n];
}

/* The byte of a real number, rounded half to even. */
static uint8_t quantized(const uint8_t *from, const struct hwgen_table *table)
{
    float real, rest;
    int32_t whole;

    copy((uint8_t *)&real, from, sizeof real);
    real /= table->scale;
    if (!(real > (float)(table->least - table->zero)))
        return (uint8_t)table->least;
    if (real > (float)(table->least + 255 - table->zero))
        return (uint8_t)(table->least + 255);
    whole = (int32_t)real;
    rest = real - (float)whole;
    if (rest > 0.5f || (rest == 0.5f && whole % 2))
        whole++;
    if (rest < -0.5f || (rest == -0.5f && whole % 2))
        whole--;
    return (uint8_t)(whole + table->zero);
}

static void move(const struct hwgen_player *player, const struct hwgen_action *action)
{
    const struct hwgen_plan *plan = player->plan;
    const struct hwgen_tensor *target = &plan->tensor[action->number];
    uint32_t written = 0, place = 0, best = 0, most = 0;

    for (uint32_t t = action->first; t < action->first + action->takes; t++) {
        const struct hwgen_take *take = &plan->take[t];

        if (take->tensor == HWGEN_NOTHING) {
            written += take->count;
            continue;
        }
        for (uint32_t n = 0, at = take->from; n < take->count; n++, at += (uint32_t)take->step) {
            const uint8_t *from = element(player->memory, &plan->tensor[take->tensor], at);
            uint32_t value;

            if (take->table != HWGEN_NOTHING) {
                const struct hwgen_table *table = &plan->table[take->table];
                const uint8_t byte = table->scale != 0.0f ? quantized(from, table) : *from;

                from = table->values + byte * table->bytes;
            }
            if (!action->row) {
                copy(element(player->memory, target, written++), from, target->element_bytes);
                continue;
            }
            value = from[0] | (uint32_t)from[1] << 8;
            if (place == 0 || value > most) {
                most = value;
                best = place;
            }
            if (++place == action->row) {
                copy(element(player->memory, target, written++), (const uint8_t *)&best,
                     INDEX_BYTES);
                place = 0;
            }
        }
    }
}

/* Load a program where the chip has another, and run one image. */
static int run(struct hwgen_player *player, const struct hwgen_action *action, uint64_t limit)
{
    const struct hwgen_plan *plan = player->plan;
    const struct hwgen_network *network = plan->network[action->number];
    int code;

    if (player->loaded != action->number + 1) {
        player->loaded = 0;
        code = hwgen_check(player->chip, network);
        if (code == HWGEN_OK)
            code = hwgen_load(player->chip, player->program + plan->programs[action->number],
                              limit);
        if (code != HWGEN_OK)
            return code;
        player->loaded = action->number + 1;
    }
    if (player->write_back)
        player->write_back(player->chip->context, player->address, plan->bytes);
    return hwgen_run(player->chip, network, player->address + action->image,
                     player->address + action->answers, player->address + plan->scratch, 1, limit);
}

void hwgen_rewind(struct hwgen_player *player)
{
    for (uint32_t n = 0; n < player->plan->bytes; n++)
        player->memory[n] = 0;
    player->loaded = 0;
}

int hwgen_play(struct hwgen_player *player, uint64_t limit)
{
    const struct hwgen_plan *plan = player->plan;

    for (uint32_t n = 0; n < plan->actions; n++) {
        const struct hwgen_action *action = &plan->action[n];

        if (action->kind == HWGEN_MOVE) {
            move(player, action);
        } else if (action->kind == HWGEN_CALL) {
            plan->function[action->number](player->memory);
        } else {
            const int code = run(player, action, limit);

            if (code != HWGEN_OK)
                return code;
        }
    }
    return HWGEN_OK;
}
