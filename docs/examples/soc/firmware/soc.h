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

#endif
