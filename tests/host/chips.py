"""Small chips of each family behind a line, with a network that fits their memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hwgen.chip.boards import BOARDS
from hwgen.chip.line import PinFacts
from hwgen.chip.sim.simulator import SHORT
from hwgen.commands.architectures import LoadedArchitecture
from hwgen.commands.context import Context
from hwgen.commands.subject import Subject
from hwgen.commands.verilog import write_verilog
from hwgen.host import Host, simulated_line
from hwgen.network.file import save_network
from tests.small_runs import small_case
from verif.toolchain import BUILD_ROOT

QUIET = Context(console=None)
MEMORY_BYTES = 1 << 13
BIT_CYCLES = 4


@dataclass(frozen=True, kw_only=True)
class Board:
    """A chip behind a line in a folder of Verilog, and the file of a network for it."""

    folder: Path
    chip: LoadedArchitecture
    network: Path
    subject: Subject
    images: Any

    def line(self, bit_cycles: int | None = None) -> Any:
        """Return a line to a fresh simulation."""
        return simulated_line(self.folder, bit_cycles=bit_cycles, optimize=SHORT, builds=BUILD_ROOT)

    def host(self, line: Any) -> Host:
        """Return a host of the chip."""
        return Host(line, self.chip, context=Context(console=None, work=self.folder.parent))


def board(
    family: str,
    line: Literal["spi", "uart"],
    folder: Path,
    *,
    memory_bytes: int = MEMORY_BYTES,
    fpga: str = "",
) -> Board:
    """Write a small chip of a family and its network; fpga: the board that it stands on."""
    case = small_case(family)
    subject = case.subject
    arch = subject.arch
    pins = PinFacts(line=line, memory_bytes=memory_bytes, bit_cycles=BIT_CYCLES)
    on = BOARDS.get(fpga)
    write_verilog(QUIET, subject.family, arch, folder / "chip", pins=pins, board=on)
    save_network(subject.network, folder / "network.npz")
    chip = LoadedArchitecture(file=subject.arch_file, family=subject.family, parameters=arch)
    return Board(
        folder=folder / "chip",
        chip=chip,
        network=folder / "network.npz",
        subject=subject,
        images=case.images[:2],
    )
