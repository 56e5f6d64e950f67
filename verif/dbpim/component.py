"""The architecture under test of the component benches, and the helpers that all of them use."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from hwgen.dbpim.facts.arch import Arch, MacroSize, load_arch, with_sparsity
from hwgen.dbpim.facts.instructions import PRODUCTS, ROWS, Operation
from hwgen.files.load import validate_spec
from verif.common.packing import pack, unpack, unpack_signed

__all__ = [
    "arch_from_environment",
    "dense",
    "floats",
    "litert",
    "narrow",
    "of_four_bits",
    "operations",
    "pack",
    "paired",
    "rows",
    "settings",
    "short_words",
    "small",
    "unpack",
    "unpack_signed",
]

ARCH = "DBPIM_ARCH"
CONFIGS = Path(__file__).parents[2] / "configs" / "dbpim"


def small() -> Arch:
    """Return the architecture of the default tests, with all three sparsities."""
    return load_arch(CONFIGS / "small.yaml")


def floats() -> Arch:
    """Return the small architecture with requantizers that round as float32, too."""
    return replace(small(), rounding=("half_up", "float32"))


def dense(arch: Arch) -> Arch:
    """Return an architecture without the parts for sparsity."""
    return replace(with_sparsity(arch, "none"), sparse_parts=False, name=f"{arch.name}_dense")


def of_four_bits(arch: Arch) -> Arch:
    """Return an architecture of weights of four bits; it has no digits, so their switch is off."""
    sparsity = replace(arch.sparsity, weight_bits=False)
    macro = replace(arch.macro, weight_bits=4)
    return replace(arch, macro=macro, sparsity=sparsity, name=f"{arch.name}_4")


def short_words() -> Arch:
    """Return the small architecture with macros of twice as many compartments as its words."""
    base = small()
    macro = replace(base.macro, compartments=2 * base.word)
    return replace(base, macro=macro, word_channels=base.word, mask_bytes=2 * base.mask_bytes)


def paired() -> Arch:
    """Return the small architecture with pair tiles."""
    return replace(small(), one_digit="paired")


def narrow() -> Arch:
    """Return an architecture whose sizes are 1 wherever possible."""
    macro = MacroSize(compartments=4, columns=8, rows=2)
    return replace(
        small(),
        macro=macro,
        macros_per_core=1,
        bus_words=1,
        tile_rows=1,
        switch_rate=1,
        queue_depth=1,
        psum_entries=2,
        mask_bytes=4,
        simd_lanes=1,
    )


def rows() -> Arch:
    """Return the small architecture with a row unit, and so with products of two maps."""
    return load_arch(CONFIGS / "small_rows.yaml")


def litert() -> Arch:
    """Return that architecture with SIMD lanes that round as LiteRT, too."""
    return replace(rows(), simd_tflite=True, name="small_litert")


def operations(arch: Arch) -> list[Operation]:
    """Return the operations that the SIMD unit of a chip has."""
    products = () if arch.row_unit else PRODUCTS
    squares = () if arch.simd_tflite else (Operation.SQUARES,)
    return [each for each in Operation if each not in (*products, *squares, *ROWS)]


def settings(arch: Arch, **more: object) -> Mapping[str, str]:
    """Return the environment that gives a bench its architecture."""
    others = {name: str(value) for name, value in more.items()}
    return {ARCH: json.dumps(asdict(arch)), **others}


def arch_from_environment() -> Arch:
    """Return the architecture that the pytest side put into the settings of this simulation."""
    return validate_spec(Arch, json.loads(os.environ[ARCH]), source=ARCH)
