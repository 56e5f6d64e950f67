"""The parts of the chip side, whose benches share one executable, and their sizes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hwgen.mram.facts.arch import Arch, ArraySize
from hwgen.mram.rtl.answer_buffer import AnswerBuffer
from hwgen.mram.rtl.banks import Banks
from hwgen.mram.rtl.control import Control
from hwgen.mram.rtl.counters import Counters
from hwgen.mram.rtl.dpu import Dpu
from hwgen.mram.rtl.loader import Loader
from hwgen.mram.rtl.pool import Pool
from hwgen.mram.rtl.table import RecordTable
from verif.common.side_by_side import SideBySide
from verif.mram.component import settings, single, tiny
from verif.runner import Waves, build, run

PARTS = (RecordTable, Banks, Pool, Dpu, AnswerBuffer, Counters, Loader, Control)
SIZES = {
    "tiny": tiny(),
    "single": single(),
    "floats": replace(tiny(), rounding=("half_up", "float32")),
    "wide answers": replace(tiny(), element_bits=16, accumulator_bits=48, port_bits=64),
    "wide rows": replace(tiny(), array=ArraySize(rows=64, columns=128)),
    "wide port": replace(tiny(), port_bits=256, array=ArraySize(rows=64, columns=256)),
}


def chip_parts(arch: Arch) -> SideBySide:
    """Return the parts of the chip side."""
    return SideBySide(parts=[part(arch=arch) for part in PARTS])


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
    executable = build(chip_parts(arch), simulator=simulator, waves=waves)
    run(
        executable,
        module=f"verif.mram.bench_{bench}",
        folder=folder,
        settings=settings(arch),
        beside=beside,
    )
