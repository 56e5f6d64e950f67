"""When, within a step, the engines of each operation begin: lags, the same in all layers."""

LAGS: dict[str, int] = {
    "transfer": 0,
    "load": 1,
    "mvm": 6,
    "adc": 8,
    "shift_add": 8,
    "addition": 12,
    "pool": 12,
    "eltwise": 12,
    "chain": 15,
    "activation": 18,
    "gather": 21,
    "store": 22,
    "send": 23,
    "result": 23,
}
"""Clocks from the tick to the strobe of an operation: it begins behind the last work of all
operations before it, each of which has its whole steps from its own strobe on."""

MOST_LAG = 24
"""Clocks that the last operation of a layer pays for all of them."""
