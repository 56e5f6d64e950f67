"""Areas of the table beside netlists of chips of unlike sizes."""

from dataclasses import replace
from typing import Any

import pytest

from hwgen.dbpim.facts.arch import Arch, MacroSize, Sparsity, load_arch
from hwgen.dbpim.model import area_um2
from verif.dbpim.component import CONFIGS, dense

MASKS = Sparsity(weight_bits=False, weight_values=True, input_bits=True)


def chip(columns: Any, **keys: Any) -> Arch:
    """Return a chip of 4 cores of 8 macros of 16 x `columns` x 4."""
    macro = MacroSize(compartments=16, columns=columns, rows=4)
    sizes: dict[str, Any] = {"macros_per_core": 8, "tile_rows": 2, "queue_depth": 4}
    sizes |= {"buffer_bytes": 16384, "psum_entries": 64, "mask_bytes": 128, "port_bits": 128}
    sizes |= {"simd_lanes": 8, "lanes_per_requantizer": 2, "bus_words": 8, "cores": 4}
    sizes |= {"packed_weights": False, "macro": macro}
    return replace(load_arch(CONFIGS / "paper.yaml"), **sizes | keys)


def without_parts(columns: Any, **keys: Any) -> Arch:
    """Return the same with 16 macros a core, without the parts for sparsity."""
    none = Sparsity(weight_bits=False, weight_values=False, input_bits=False)
    sizes: dict[str, Any] = {
        "sparsity": none,
        "macros_per_core": 16,
        "psum_entries": 32,
        "bus_words": 8,
    }
    sizes |= {"lanes_per_requantizer": 4}
    return dense(chip(columns, **sizes | keys))


def four(columns: Any) -> MacroSize:
    """Return macros of weights of four bits."""
    return MacroSize(compartments=16, columns=columns, rows=4, weight_bits=4)


LITTLE = {
    "cores": 1,
    "macros_per_core": 2,
    "macro": MacroSize(compartments=8, columns=32, rows=8, weight_bits=4),
    "tile_rows": 4,
    "buffer_bytes": 4096,
    "mask_bytes": 64,
    "simd_lanes": 4,
    "lanes_per_requantizer": 2,
    "bus_words": 2,
    "port_bits": 64,
}
NETLISTS: dict[str, tuple[Arch, float]] = {
    "dense": (without_parts(32), 2.173),
    "dense, 8 filters": (without_parts(64), 3.015),
    "digits": (chip(16), 2.274),
    "masks": (chip(64, sparsity=MASKS), 2.019),
    "masks, four bits": (chip(64, sparsity=MASKS, macro=four(32)), 1.745),
    "dense, four bits": (without_parts(32, macro=four(32)), 2.554),
    "little, four bits": (without_parts(32, **LITTLE), 0.204),
}
"""Chips, and mm2 of `hwgen cost` with the 45 nm cells of NanGate."""


@pytest.mark.promise("the area table is within 8 % of the netlists of seven chips of unlike sizes")
@pytest.mark.parametrize("name", NETLISTS)
def test_the_table_is_near_the_netlist(name: str) -> None:
    arch, netlist = NETLISTS[name]
    assert sum(area_um2(arch).values()) / 1e6 == pytest.approx(netlist, rel=0.08)
