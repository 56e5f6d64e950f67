"""Macros with small networks at every point of crossbars, bits and rates that a table may hold."""

from typing import Any

CONV: dict[str, Any] = {"kind": "conv", "kernel": 3, "stride": 1, "padding": 1, "groups": 1}
CONV |= {"in_side": 4, "out_side": 4, "activation": "relu"}
POOL: dict[str, Any] = {"kind": "pool", "stride": 1, "padding": 0, "groups": 1}
POOL |= {"in_side": 4, "activation": "none"}
HEAD: dict[str, Any] = {"kind": "fc", "kernel": 1, "stride": 1, "padding": 0, "groups": 1}
HEAD |= {"in_side": 1, "out_side": 1, "activation": "none"}
THREE = {"in_side": 3, "out_side": 3}


def three(channels: tuple[int, int], outputs: int, *, copies: int, **more: Any) -> dict[str, Any]:
    """Return a convolution, a convolution with a stride and a table, and a head of raw sums."""
    first, second = channels
    layers = [
        CONV | {"name": "one", "in_channels": 2, "out_channels": first},
        CONV
        | {"name": "two", "in_channels": first, "out_channels": second, "providers": [0]}
        | {"stride": 2, "out_side": 2, "activation": "sigmoid"},
        HEAD
        | {"name": "head", "in_channels": 4 * second, "out_channels": outputs}
        | {"providers": [1]},
    ]
    return {"layers": layers, "copies": [copies, 3, 1], "raw": True, **more}


def point(side: int, cell_bits: int, dac_bits: int) -> dict[str, int]:
    """Return the sizes of crossbars."""
    return {"side": side, "cell_bits": cell_bits, "dac_bits": dac_bits}


FOUR, SIXTEEN = {"bits": 4, "weight_bits": 4}, {"bits": 16, "weight_bits": 16}
GRID: dict[str, dict[str, Any]] = {
    "16 rows, cells of 2 bits, DACs of 2, words wider than units": three(
        (4, 3), 5, copies=7, adcs=5, word_bits=256, **point(16, 2, 2)
    ),
    "32 rows, cells of 1 bit, DACs of 1, data of 4 bits, a slow head": three(
        (5, 4), 6, copies=4, adcs=6, clocks=3, **point(32, 1, 1), **FOUR
    ),
    "64 rows, cells of 4 bits, DACs of 4, 4 samples a clock": three(
        (5, 4), 6, copies=5, adcs=2, samples=[4, 1], **point(64, 4, 4)
    ),
    "128 rows, cells of 2 bits, DACs of 1, data of 16 bits": three(
        (3, 2), 4, copies=3, adcs=8, **point(128, 2, 1), **SIXTEEN
    ),
    "128 rows, cells of 1 bit, DACs of 4, a sample in 4 clocks": three(
        (3, 3), 4, copies=2, adcs=16, samples=[1, 4], **point(128, 1, 4)
    ),
    "256 rows, cells of 4 bits, DACs of 2, 2 samples a clock": three(
        (6, 4), 7, copies=16, adcs=4, samples=[2, 1], access_clocks=2, **point(256, 4, 2)
    ),
    "mean of a depthwise convolution": {
        "layers": [
            CONV | {"name": "depthwise", "in_channels": 6, "out_channels": 6, "groups": 6},
            CONV
            | {"name": "groups", "in_channels": 6, "out_channels": 8, "groups": 2}
            | {"providers": [0]},
            POOL
            | {"name": "mean", "in_channels": 8, "out_channels": 8, "kernel": 4}
            | {"out_side": 1, "average": True, "activation": "sigmoid", "providers": [1]},
        ],
        "copies": [3, 4, 1],
        "adcs": 5,
        **point(32, 2, 2),
    },
    "concatenations": {
        "layers": [
            CONV | THREE | {"name": "one", "in_channels": 3, "out_channels": 2},
            CONV | THREE | {"name": "two", "in_channels": 2, "out_channels": 3, "providers": [0]},
            CONV
            | THREE
            | {"name": "both", "in_channels": 5, "out_channels": 2, "providers": [0, 1]}
            | {"activation": "sigmoid"},
            HEAD
            | {"name": "head", "in_channels": 7 * 9, "out_channels": 4}
            | {"providers": [1, 2, 0]},
        ],
        "copies": [5, 4, 3, 1],
        "adcs": 6,
        "raw": True,
        **point(16, 2, 2),
    },
}
