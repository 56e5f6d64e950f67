"""The parts of the array side, whose benches share one executable, and their sizes."""

from collections.abc import Sequence
from pathlib import Path

from hwgen.chip.rtl.part import Part
from hwgen.mram.facts.arch import Arch
from hwgen.mram.rtl.adder import Adder
from hwgen.mram.rtl.bit_counter import BitCounter
from hwgen.mram.rtl.cell_array import CellArray
from hwgen.mram.rtl.compute_array import ComputeArray
from hwgen.mram.rtl.former import Former
from hwgen.mram.rtl.input_tree import InputTree
from hwgen.mram.rtl.octet import Octet
from hwgen.mram.rtl.octet_control import OctetControl
from hwgen.mram.rtl.output_tree import OutputTree
from hwgen.mram.rtl.ring import Ring
from hwgen.mram.rtl.sense_amplifier import SenseAmplifier
from hwgen.mram.rtl.sub_array import SubArray
from verif.common.side_by_side import SideBySide
from verif.mram.component import any_kernel, overlapped, settings, single, tiny, with_twins
from verif.runner import Waves, build, run

PARTS = (
    SenseAmplifier,
    BitCounter,
    ComputeArray,
    OctetControl,
    Adder,
    Octet,
    InputTree,
    OutputTree,
    Former,
    Ring,
)
SIZES = {
    "tiny": tiny(),
    "single": single(),
    "overlap": overlapped(),
    "twins": with_twins(),
    "any": any_kernel(),
}


def array_parts(arch: Arch) -> SideBySide:
    """Return the parts of the array side; sub-arrays with a slice for each element."""
    slices = bank_slices(arch)
    arrays: list[Part] = [CellArray(arch=arch, slices=slices), SubArray(arch=arch, slices=slices)]
    return SideBySide(parts=[*arrays, *(part(arch=arch) for part in PARTS)])


def bank_slices(arch: Arch) -> int:
    """Return the slices of an image bank."""
    return arch.array.columns // arch.element_bits


def run_part(
    bench: str,
    size: str,
    folder: Path,
    *,
    simulator: str = "verilator",
    waves: Waves | None = None,
    beside: Sequence[str] = (),
) -> None:
    """Run the bench of one part, in the executable that all of them share."""
    arch = SIZES[size]
    executable = build(array_parts(arch), simulator=simulator, waves=waves)
    run(
        executable,
        module=f"verif.mram.bench_{bench}",
        folder=folder,
        settings=settings(arch),
        beside=beside,
    )
