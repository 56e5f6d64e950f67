"""A chip at power-on as silicon has it: nothing but its reset gives a register a value.

The emitted Verilog has no `initial` line for registers. One that no reset reaches is undefined
under Icarus, and has any value under Verilator.
"""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from hwgen.chip.sim.cache import build_once, write_sources
from hwgen.chip.sim.host import (
    EVENTS_FILE,
    HOST,
    STORES_FILE,
    TOP,
    ChipRun,
    HostedChip,
    Work,
    host_text,
    read_runs,
    told,
)
from hwgen.chip.sim.host_files import Writes
from hwgen.chip.sim.simulator import ASSERTIONS, MEMORY
from verif.toolchain import BUILD_ROOT

Kept = TypeVar("Kept", bound=Writes)

UNKNOWN = re.compile(r"[xXzZ]")
IMAGE = "sim.vvp"
KNOWN = Path(__file__).parent / "axi_known.v"
"""A second top beside the host; it ends a run at the first undefined AXI output."""


def run_under_icarus(work: Work, chip: HostedChip[Kept], folder: Path) -> None:
    """Run a chip whose registers and memories are undefined until something gives them a value.

    Writes what its host saw into files of `folder`. Raises CalledProcessError, also where an AXI
    output is undefined.
    """
    sources = {f"{name}.v": text for name, text in chip.modules.items()}
    sources[HOST.name] = host_text(chip, work.memory_bytes)
    for file in (MEMORY, KNOWN):
        sources[file.name] = file.read_text(encoding="utf-8")
    build = build_once(
        f"{chip.top}-power-on",
        [sources],
        lambda place: compile_image(sources, place),
        products=[IMAGE],
        builds=BUILD_ROOT,
    )
    command = ["vvp", str(build.folder / IMAGE), *told(work, chip, folder)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)


def compile_image(sources: Mapping[str, str], folder: Path) -> None:
    """Write sources into a folder and compile them for Icarus."""
    files = [str(file) for file in write_sources(folder, sources)]
    given = ["-g2012", *ASSERTIONS[1:], "-s", TOP, "-s", KNOWN.stem]
    command = ["iverilog", *given, "-o", str(folder / IMAGE), *files]
    subprocess.run(command, check=True, capture_output=True, text=True)


def read_as(digit: str, folder: Path, chip: HostedChip[Kept], into: Path) -> list[ChipRun[Kept]]:
    """Return what a host saw, each undefined digit read as the given one.

    into: folder for what is read. Raises ValueError where a count, a cycle or an answer is
    undefined: only words stored inside the chip may have digits that nobody needs.
    """
    for name in (EVENTS_FILE, STORES_FILE):
        lines = (folder / name).read_text(encoding="ascii").splitlines(keepends=True)
        for line in lines:
            if name == EVENTS_FILE and undefined(line):
                raise ValueError(f"{line.strip()} must be defined")
        known = [known_digits(line, digit) for line in lines]
        (into / name).write_text("".join(known), encoding="ascii")
    return read_runs(into, chip)


def undefined(line: str) -> bool:
    """Return whether a line of a host has an undefined digit behind its first word."""
    _, _, numbers = line.partition(" ")
    return UNKNOWN.search(numbers) is not None


def known_digits(line: str, digit: str) -> str:
    """Return a line with a digit for each undefined one; its first word is left alone."""
    word, space, numbers = line.rpartition(" ")
    return f"{word}{space}{UNKNOWN.sub(digit, numbers)}"
