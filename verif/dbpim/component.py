"""Helpers of the component benches: the architecture under test, and packing of small fields."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from hwgen.spec.dbpim.arch import Arch, MacroSize, load_arch
from hwgen.spec.load import validate_spec

ARCH = "DBPIM_ARCH"
CONFIGS = Path(__file__).parents[2] / "configs" / "dbpim"


def small() -> Arch:
    """Return the architecture of the default tests, with all three sparsities."""
    return load_arch(CONFIGS / "small.yaml")


def narrow() -> Arch:
    """Return an architecture whose sizes are 1 wherever possible."""
    macro = MacroSize(compartments=4, columns=8, rows=2)
    return replace(
        small(),
        macro=macro,
        macros_per_core=1,
        tile_rows=1,
        switch_rate=1,
        queue_depth=1,
        psum_entries=2,
        mask_bytes=4,
        simd_lanes=1,
    )


def settings(arch: Arch, **more: object) -> Mapping[str, str]:
    """Return the environment that gives a bench its architecture."""
    others = {name: str(value) for name, value in more.items()}
    return {ARCH: json.dumps(asdict(arch)), **others}


def arch_from_environment() -> Arch:
    """Return the architecture that the pytest side put into the settings of this simulation."""
    return validate_spec(Arch, json.loads(os.environ[ARCH]), source=ARCH)


def pack(values: Iterable[int], *, bits: int) -> int:
    """Return the values side by side, each in two's complement, the first one lowest."""
    word = 0
    for place, value in enumerate(values):
        word |= (int(value) & ((1 << bits) - 1)) << (place * bits)
    return word


def unpack(word: int, *, bits: int, count: int) -> list[int]:
    """Return `count` unsigned fields of a word, the lowest one first."""
    return [word >> (place * bits) & ((1 << bits) - 1) for place in range(count)]


def unpack_signed(word: int, *, bits: int, count: int) -> list[int]:
    """Return the same fields in two's complement."""
    half = 1 << (bits - 1)
    return [(value ^ half) - half for value in unpack(word, bits=bits, count=count)]
