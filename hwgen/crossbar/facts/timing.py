"""When, within a step, the engines of each operation begin: lags, the same in all layers."""

LAGS: dict[str, int] = {
    "transfer": 0,
    "load": 4,
    "mvm": 8,
    "adc": 8,
    "shift_add": 8,
    "addition": 9,
    "pool": 9,
    "eltwise": 9,
    "chain": 10,
    "activation": 10,
    "gather": 17,
    "store": 17,
    "send": 18,
    "result": 18,
}
"""Clocks from the tick to the strobe of an operation: it begins behind the last work of all
operations before it, each of which has its whole steps from its own strobe on."""

MOST_LAG = 24
"""Clocks that the last operation of a layer pays for all of them."""

SETTLE_CLOCKS = 64
"""Clocks from the last packet of a program to the end of its load: across the mesh, and written."""

WATCHDOG_CYCLES = 1 << 16

MEMORY_LATENCY_CYCLES = 8
"""Of the memory that the cycle model assumes: from a command to its first beat."""

FIRST_COMMAND_CYCLE = 3
"""Cycle after the accepted start in which the front asks for a program or an image."""

HEADER_COMMAND_CYCLES = 1
"""From the last beat of a program's header to the command for the rest."""

FIRST_STEP_CYCLES = 1
"""From the last beat of the first image to the tick before the first step."""

STORED_CYCLES = 1
"""From the last response of the memory to the end of the run."""
