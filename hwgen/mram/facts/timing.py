"""Published latencies of the MRAM components: the model adds them, the benches measure them.

docs/mram-microarchitecture.md defines when each applies. A latency counts clock edges: what a stage
does in cycle t is visible to the next stage in cycle t + latency.
"""

TREE_CYCLES = 1
"""Input tree: from the ring's send, go or weight row to the octets."""

SENSE_CYCLES = 1
"""Computing sub-array: from the AND to its registered bit counts."""

ACCUMULATE_CYCLES = 1
"""Computing sub-array: from the bit counts to the accumulators."""

DRAIN_CYCLES = 2
"""Ring: from the issue of a sum to the cycle in which the octet shows it to the output tree."""

SUM_CYCLES = 1
"""Output tree: from the octets to the first stage of the DPU."""

DPU_CYCLES = 5
"""DPU: from the first stage (bias) to the cycle in which the result is written."""

POOL_CYCLES = 2
"""Pool unit: from reading the last tap of a window to the first stage of the DPU."""

RETIRE_CYCLES = 1
"""Control: from the last write of a record to its retirement."""

CONV_TAIL_CYCLES = DRAIN_CYCLES + SUM_CYCLES + DPU_CYCLES + RETIRE_CYCLES
"""From the ring's last issue of a sum to the retirement of the record."""

POOL_TAIL_CYCLES = POOL_CYCLES + DPU_CYCLES + RETIRE_CYCLES
"""From reading the last tap to the retirement of the record."""

IMAGE_CYCLES = 1
"""Control: the cycle before an image in which it takes the requested mode."""

DISPATCH_CYCLES = 2
"""Control: from the fetch of a record to the first cycle in which its unit works."""

ADD_CYCLES_PER_BIT = 3
"""In-memory adder: sense three rows, write the sum, write the carry."""

WRITE_BACK_CYCLES = 3
"""Of an AND that is written back: sense two rows, write what was sensed, read and count it."""

ADDED_CYCLES = 2
"""Of a count that is added in rows: zeros (ones, to subtract) to the carry row before the first
bit, and the cycle in which the adder is idle again."""

LOADED_CYCLES = 4
"""Loader: from the last beat of a program to the end of the command."""

CHECK_CYCLE = 2
"""Cycle after the accepted start (cycle 0) in which control checks the command."""

FIRST_COMMAND_CYCLE = 3
"""Cycle of the loader's first request after the start of LOAD, and of IMAGE in a run."""

END_CYCLES = 1
"""From the retirement of the last record of a run to its end."""

LINES = 3
"""Reads of a bank, one a cycle, that bring one row of each line of the window."""

READ_FIFO_BEATS = 64
"""Beats that the memory reader may hold or have requested."""

BURST_BEATS = 16
"""Beats of one AXI burst at most; a burst never crosses 4 KiB."""

WATCHDOG_CYCLES = 4096
"""Cycles without any progress after which the chip stops with the error STALLED."""
