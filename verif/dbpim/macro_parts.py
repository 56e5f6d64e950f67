"""The parts of a macro, whose benches share one executable, and the sizes they are tested at."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hwgen.dbpim.facts.arch import Arch, MacroSize, with_sparsity
from hwgen.dbpim.rtl.adder_tree import AdderTree
from hwgen.dbpim.rtl.cell_array import CellArray
from hwgen.dbpim.rtl.compartment import Compartment
from hwgen.dbpim.rtl.dbmu import Dbmu
from hwgen.dbpim.rtl.dots import Dots
from hwgen.dbpim.rtl.ipu import Ipu
from hwgen.dbpim.rtl.meta_array import MetaArray
from hwgen.dbpim.rtl.plane_counter import PlaneCounter
from hwgen.dbpim.rtl.ppu import Ppu
from hwgen.dbpim.rtl.psum_array import PsumArray
from verif.common.side_by_side import SideBySide
from verif.dbpim.component import dense, narrow, of_four_bits, paired, settings, small
from verif.runner import Waves, build, run

PARTS = (
    CellArray,
    MetaArray,
    PsumArray,
    Dbmu,
    Compartment,
    Dots,
    AdderTree,
    Ipu,
    Ppu,
)
OF_SPARSITY = (MetaArray, Ipu)
"""Parts of a macro that a chip without `sparse_parts` lacks."""


class NamedAdders(AdderTree):
    """The adder tree in its body of named adders, under another name."""

    def __init__(self, *, arch: Arch) -> None:
        super().__init__(arch=arch, adders=True)


LONG_SIZES = ("wide", "wide dense", "narrow")


def macro_parts(arch: Arch) -> SideBySide:
    """Return the parts of a macro."""
    parts = [part for part in PARTS if arch.sparse_parts or part not in OF_SPARSITY]
    if not arch.sparse_parts:
        parts.append(PlaneCounter)
    return SideBySide(parts=[*(part(arch=arch) for part in parts), NamedAdders(arch=arch)])


def arch_of(size: str) -> Arch:
    """Return an architecture by the name that tests use."""
    wide = MacroSize(compartments=16, columns=16, rows=32)
    sizes = {
        "small": small(),
        "synchronous": replace(small(), cells="synchronous"),
        "two cycles": replace(small(), array_cycles=2),
        "pairs": paired(),
        "pairs of two cycles": replace(paired(), array_cycles=2, cells="synchronous"),
        "narrow": narrow(),
        "without parts": dense(small()),
        "four bits": of_four_bits(small()),
        "four bits without parts": of_four_bits(dense(small())),
        "narrow dense": with_sparsity(narrow(), "none"),
        "wide": replace(small(), macro=wide, psum_entries=64),
        "wide dense": with_sparsity(replace(small(), macro=wide), "none"),
    }
    return sizes[size]


def run_part(
    bench: str,
    size: str,
    folder: Path,
    *,
    simulator: str = "verilator",
    waves: Waves | None = None,
    beside: Sequence[str] = (),
) -> None:
    """Run the bench of one part of a macro, in the executable that all of them share."""
    arch = arch_of(size)
    executable = build(macro_parts(arch), simulator=simulator, waves=waves)
    run(
        executable,
        module=f"verif.dbpim.bench_{bench}",
        folder=folder,
        settings=settings(arch),
        beside=beside,
    )
