"""Files that put a chip into a system: wrapper, register map, driver, core, constraints.

Tests: `tests/soc/test_files.py`.
"""

from collections.abc import Sequence
from pathlib import Path

from hwgen import __version__, chip
from hwgen.chip.interface import ChipInterface
from hwgen.report.system.bench import bench
from hwgen.report.system.c_header import c_header
from hwgen.report.system.constraints import sdc, xdc
from hwgen.report.system.core_file import core_file
from hwgen.report.system.rdl import rdl
from hwgen.report.system.wrapper import wrapper

DRIVER = Path(chip.__file__).parent / "driver"
"""Folder of the driver in C, the same for every chip."""
DRIVER_FILES = ("hwgen.h", "hwgen.c", "hwgen_play.h", "hwgen_play.c")
WAIVERS = "waivers.vlt"


def register_files(of: ChipInterface) -> dict[str, str]:
    """Return the register map in SystemRDL and in C, by the names of the files."""
    written = f"{of.what}, written by hwgen {__version__}"
    return {f"{of.prefix}.rdl": rdl(of, written), f"hwgen_{of.prefix}.h": c_header(of, written)}


def system_files(of: ChipInterface, modules: Sequence[str]) -> dict[str, str]:
    """Return the text of each file by its name; that of the waivers needs the Verilog itself.

    modules: file names of the chip's Verilog
    """
    written = f"{of.what}, written by hwgen {__version__}"
    constraints = {f"{of.prefix}.sdc": sdc(of, written), f"{of.prefix}.xdc": xdc(of, written)}
    top, test = f"{of.prefix}_axi.v", f"{of.prefix}_tb.sv"
    return {
        top: wrapper(of, written),
        **register_files(of),
        **{name: (DRIVER / name).read_text(encoding="utf-8") for name in DRIVER_FILES},
        f"{of.identifier}.core": core_file(
            of,
            [*modules, top],
            bench=test,
            waivers=WAIVERS,
            constraints=constraints,
            version=__version__,
        ),
        test: bench(of, written),
        **constraints,
    }
