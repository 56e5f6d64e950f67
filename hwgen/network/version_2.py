"""Version 2 of the quantized network file: one rounding, multipliers of 16 bits, fewer kinds."""

from typing import Any

import numpy as np

from hwgen.errors import FormatError
from hwgen.network.graph import VERSION
from hwgen.network.layer import Arrays
from hwgen.network.quantization import HALF_UP

VERSION_2 = 2

Plain = dict[str, Any]

ROUNDED: Plain = {"rounding": HALF_UP}
NEW_KEYS: dict[str, Plain] = {
    "conv": ROUNDED,
    "linear": ROUNDED,
    "max_pool": {},
    "average_pool": {**ROUNDED, "divisor": "window", "center": None},
    "add": {**ROUNDED, "operand_shifts": []},
    "multiply": ROUNDED,
    "rescale": ROUNDED,
    "concatenate": {},
    "table": {},
    "shortcut": {},
}
"""The kinds of version 2, and what keys of version 3 say of them."""


def from_version_2(plain: Plain, arrays: Arrays, *, source: str) -> tuple[Plain, Arrays]:
    """Return graph and arrays of version 3, which compute the same.

    Raises FormatError for what only version 3 has; what is wrong in both is found behind this.
    """
    fresh = {**plain, "version": VERSION}
    if isinstance(layers := plain.get("layers"), list):
        fresh["layers"] = [layer_of(layer, number, source) for number, layer in enumerate(layers)]
    return fresh, {key: wider(key, array, source) for key, array in arrays.items()}


def layer_of(layer: Any, number: int, source: str) -> Any:
    """Return a layer with the keys of version 3; what is no layer stays as it is."""
    kind = layer.get("op") if isinstance(layer, dict) else None
    if not isinstance(kind, str):
        return layer
    if kind not in NEW_KEYS:
        allowed = f"{', '.join(NEW_KEYS)} in a file of version {VERSION_2}"
        raise FormatError(field=f"layers.{number}.op", allowed=allowed, given=kind, source=source)
    for key in NEW_KEYS[kind]:
        if key in layer:
            allowed = f"absent from a file of version {VERSION_2}"
            raise FormatError(
                field=f"layers.{number}.{key}", allowed=allowed, given=layer[key], source=source
            )
    return {**layer, **NEW_KEYS[kind]}


def wider(key: str, array: np.ndarray[Any, Any], source: str) -> np.ndarray[Any, Any]:
    """Return multipliers as uint32, other arrays as they are."""
    if not key.endswith(".multiplier"):
        return array
    if array.dtype != np.uint16:
        raise FormatError(field=key, allowed="uint16", given=array.dtype, source=source)
    return array.astype(np.uint32)
