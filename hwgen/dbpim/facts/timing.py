"""Published latencies of the DB-PIM components: the model adds them, the benches measure them.

docs/dbpim-microarchitecture.md defines when each applies. A latency counts clock edges: a word that
a stage takes in cycle t is visible to the next stage in cycle t + latency.
"""

BANK_READ_CYCLES = 1
"""Activation buffer: from read address to data."""

REQUEST_CYCLES = 1
"""Walker: from the cycle in which it knows a word to the first one in which banks are read."""

FETCH_CYCLES = 2
"""Fetcher: from the last grant of a word to the cycle in which the switch sees it."""

FETCH_SLOTS = 4
"""Words that a core's fetcher holds between the banks and the switch."""

PAIR_WORDS = 4
"""Words of a LOAD that wait for their bank, of odd columns and of even ones each."""

SWITCH_CYCLES = 1
"""Switch: from moving the last input of a group to the cycle in which macros see the group."""

AROUND_ARRAY_CYCLES = 2
"""Macro: of issuing a bit plane and of the PPU, before and behind the array."""


def macro_cycles(array_cycles: int) -> int:
    """Return the latency of a macro whose array takes so many cycles.

    From issuing the last bit plane of a result to its entry in the result queue.
    """
    return AROUND_ARRAY_CYCLES + array_cycles


FLOAT32_CYCLES = 2
"""Output stage, residual adder, SIMD unit: cycles more on a chip that rounds as float32."""

RESULT_SLOTS = 2
"""Results that a macro may have between its last bit plane and the output stage."""

REQUANTIZE_CYCLES = 3
"""Output stage: from taking a result to requesting the write bus."""

SUM_CYCLES = 3
"""Residual adder: from a result of the output stage to the request of its sum."""

BUS_CYCLES = 1
"""Write bus: from the grant to the cycle in which the banks write."""

SIMD_CYCLES = 4
"""SIMD unit: from the last part of the last tap of a word-vector to the request of its result."""

ROW_WRITE_CYCLES = 1
"""Cycles in which the macros of a core issue nothing because a row is being written."""

TILE_SLOTS = 4
"""Tiles that a core tracks: computing, loaded or loading."""

INSTRUCTION_SLOTS = 4
"""Layer instructions that wait for the sequencer."""

DISPATCH_CYCLES = 2
"""Sequencer: from taking an instruction to the first cycle in which its units are active."""

BURST_BEATS = 16
"""Beats of one AXI burst at most; a burst never crosses 4 KiB."""

RESPONSE_CYCLES = 1
"""Memory: from the last beat of a burst of writes to its response."""

TAP_SLOTS = 2
"""Channel words of depthwise weights that a core holds: computing and loading."""

TAP_WORDS = 32
"""Window positions of a depthwise convolution at most, unless `simd_taps` says more."""

TABLE_LOOKUPS = 8
"""Table lookups of a core in a cycle, where it has as many SIMD lanes."""

FLOAT_CYCLES = 4
"""Row unit: stages of an addition, a multiplication or both with one rounding."""

DIVISION_BITS = 26
"""Row unit: bits of a quotient: 24 that stay, a half, and one more where the first is zero."""

DIVISION_CYCLES = DIVISION_BITS // 2 + 2
"""Row unit: from the start of a division, of two bits in each cycle, to its quotient."""

ROOT_STEPS = 25
"""Row unit: bits of a square root: 24 that stay and a half."""

ROOT_CYCLES = ROOT_STEPS + 1
"""Row unit: from the start of a square root to its result."""

BYTE_DIVIDER_CYCLES = 7
"""Row unit: stages of a division whose quotient is a byte."""

NORM_CHANNELS = 256
"""Row unit: channels of a layer norm at most."""

SUM_SPAN = 8
"""Row unit: exponents of the values of a norm, which it sums without rounding, lie so near."""

SQUARE_SUMS = 8
"""Row unit: sums of squares that run beside each other."""

SHARE_READY = 2
"""Row unit: from the last byte of the sum of a softmax to the first cycle with its sum."""

MEAN_READY = SHARE_READY + DIVISION_CYCLES
"""Row unit: from the last byte of the sum of a layer norm to the first cycle with its mean."""

SQUARES_READY = 2 + 2 * FLOAT_CYCLES
"""Row unit: from the last byte of the squares to the first cycle with all eight sums."""

PAIRS_READY = SQUARES_READY + FLOAT_CYCLES + 3
"""Row unit: to the first cycle with the third of four sums; the last one follows."""

HALVES_READY = PAIRS_READY + FLOAT_CYCLES + 2
"""Row unit: to the first cycle with two sums."""

SQUARE_READY = HALVES_READY + FLOAT_CYCLES
"""Row unit: to the sum of all squares."""

VARIANCE_READY = SQUARE_READY + DIVISION_CYCLES
"""Row unit: to the variance."""

RADICAND_READY = VARIANCE_READY + FLOAT_CYCLES
"""Row unit: to the variance and eps."""

DEVIATION_READY = RADICAND_READY + ROOT_CYCLES
"""Row unit: to the deviation."""

INVERSE_READY = DEVIATION_READY + DIVISION_CYCLES
"""Row unit: to its inverse."""

SCALED_READY = 1 + 2 * FLOAT_CYCLES
"""Row unit: from the last byte of a norm without a mean until the fma may take squares again."""

SHARE_CYCLES = 1 + FLOAT_CYCLES + BYTE_DIVIDER_CYCLES
"""Row unit: from a byte of a softmax to its result."""

NORM_CYCLES = 1 + 3 * FLOAT_CYCLES + BYTE_DIVIDER_CYCLES
"""Row unit: from a byte of a layer norm to its result."""

FIRST_COMMAND_CYCLE = 2
"""Loader: the cycle in which it requests BEGIN, as counted by the chip."""

WATCHDOG_CYCLES = 4096
"""Cycles without any progress after which the chip stops with the error STALLED."""
