/* SPDX-License-Identifier: Apache-2.0 */
/* The system of soc.py, as firmware sees it. */
#ifndef SOC_H
#define SOC_H

#include <stdint.h>

#define CHIP_BASE 0x80000000u
#define CHIP_IRQ (1u << 5)
#define RAM_BASE 0x40000000u
#ifndef RAM_BYTES
#define RAM_BYTES 0x100000u
#endif
#define BENCH_CHAR (*(volatile uint32_t *)0xf000a000u)
#define BENCH_CYCLES (*(volatile uint32_t *)0xf000a004u)
#define BENCH_FINISH (*(volatile uint32_t *)0xf000a008u)

/* VexRiscv: which interrupts count, and which of them are pending. */
static inline void irq_mask(uint32_t mask)
{
    __asm__ volatile("csrw 0xbc0, %0" ::"r"(mask));
}

static inline uint32_t irq_pending(void)
{
    uint32_t pending;

    __asm__ volatile("csrr %0, 0xfc0" : "=r"(pending));
    return pending;
}

/* Drop the data cache; it writes through, so nothing is lost. */
static inline void drop_cache(void)
{
    __asm__ volatile(".word 0x500f\nnop\nnop\nnop\nnop\nnop" ::: "memory");
}

static inline void print(const char *text)
{
    while (*text)
        BENCH_CHAR = (uint8_t)*text++;
}

static inline void print_number(uint32_t number)
{
    char digits[11];
    char *at = digits + sizeof digits - 1;

    *at = 0;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    print(at);
}

static inline void finish(const char *how)
{
    print(how);
    print("\n");
    BENCH_FINISH = 1;
    for (;;)
        ;
}

/* Words of 32 bits: picolibc's memcpy takes ten cycles a byte here. */
static inline void copy(uintptr_t to, const uint8_t *from, uint32_t bytes)
{
    volatile uint32_t *target = (volatile uint32_t *)to;
    const uint32_t *source = (const uint32_t *)(uintptr_t)from;

    for (uint32_t word = 0; word < (bytes + 3) / 4; word++)
        target[word] = source[word];
}

/* Sleep until the chip raises its interrupt; the processor's own register says so. */
static inline void wait(void *context)
{
    (void)context;
    for (uint32_t turn = 0; turn < 1000000 && !(irq_pending() & CHIP_IRQ); turn++)
        __asm__ volatile("wfi");
}

static inline void invalidate(void *context, uint64_t address, uint64_t bytes)
{
    (void)context;
    (void)address;
    (void)bytes;
    drop_cache();
}

#endif
