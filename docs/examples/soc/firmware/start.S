# SPDX-License-Identifier: Apache-2.0
# Where the processor begins; a trap ends the simulation. Then the bytes that hwgen wrote.
    .section .start, "ax"
    .globl _start
_start:
    la sp, _stack_top
    la t0, trap
    csrw mtvec, t0
    la t0, _bss_begin
    la t1, _bss_end
1:  bgeu t0, t1, 2f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 1b
2:  call main
    .balign 4
trap:
    li t0, 0xf000a008
    li t1, 1
    sw t1, 0(t0)
    j trap

    .section .rodata
    .macro file name, path
    .balign 64
    .globl \name
\name:
    .incbin "\path"
    .endm
    file program_bytes, program.bin
    file image_bytes, images.bin
    file expected_bytes, expected.bin
