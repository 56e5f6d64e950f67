"""Yosys checks of emitted Verilog: no latch, no combinational loop; resources of each module."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import DesignError

CHECKS = "checks.txt"
STATISTICS = "statistics.json"

# Loops that run through several modules show only in the flattened design; the table of cells
# wants the hierarchy, and memories as they are, for a compiled macro will take their place.
SCRIPT = f"""
read_verilog {{files}}
hierarchy -check -top {{top}}
proc
design -save hierarchy
flatten
opt_clean
tee -q -o {CHECKS} check -nolatches
design -load hierarchy
synth -top {{top}} -run coarse:fine
opt -fast -full
techmap
opt -fast
abc
opt -fast
clean -purge
tee -q -o {STATISTICS} stat -json
"""

DRIVERS = f"""
read_verilog -sv {{files}}
hierarchy -check -top {{top}}
proc
tee -q -o {CHECKS} check
"""
WARNING = re.compile(r"^Warning: (.*(?:\n    .*)*)", re.M)

RUN = "import sys; from pyosys import libyosys as y; y.run_pass(sys.argv[1], y.Design())"

REGISTER = re.compile(r"\$_[A-Z]*DFF[A-Z]*_")
MEMORY = re.compile(r"\$mem")

Cells = Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What Yosys found.

    problems: a text for each latch, loop, conflict of drivers or missing driver, with its place
    cells: for each module, how many cells of each type it has, placed modules among them
    """

    problems: Sequence[str]
    cells: Mapping[str, Cells]

    def table(self) -> str:
        """Return a row for each module: gates, registers and memories of its own, and instances."""
        lines = [f"{'module':<32} {'gates':>8} {'registers':>9} {'memories':>8} {'instances':>9}"]
        for name, cells in sorted(self.cells.items()):
            kinds = dict.fromkeys(("gate", "register", "memory", "instance"), 0)
            for cell, count in cells.items():
                kinds[self.kind_of(cell)] += count
            gates, registers, memories, instances = kinds.values()
            lines.append(f"{name:<32} {gates:>8} {registers:>9} {memories:>8} {instances:>9}")
        return "\n".join(lines)

    def kind_of(self, cell: str) -> str:
        """Return which column of the table counts a cell type."""
        if cell in self.cells:
            return "instance"
        if MEMORY.match(cell):
            return "memory"
        return "register" if REGISTER.match(cell) else "gate"


def run_yosys(script: str, folder: Path, *, what: str = "its script") -> str:
    """Run commands of Yosys in a folder; return its log, raise DesignError with its first error."""
    file = folder / "run.ys"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RUN, f"script {file.name}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        errors = re.findall(r"ERROR: .*", done.stdout + done.stderr)
        reason = errors[0] if errors else f"it ended with {done.returncode}"
        raise DesignError(f"Yosys must accept {what}, got {reason}")
    return done.stdout


def drivers(modules: Mapping[str, str], *, top: str) -> list[str]:
    """Return what is wrong with the drivers of a design, Verilog by module name; nothing: all well.

    A text for each bit that is read and that nothing drives, such as a field of a register that no
    block writes, for each that two drive, and for each loop inside of a module.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, text in modules.items():
            (folder / f"{name}.v").write_text(text, encoding="utf-8")
        script = DRIVERS.format(files=" ".join(f"{name}.v" for name in modules), top=top)
        run_yosys(script, folder, what=f"the Verilog of {top}")
        return WARNING.findall((folder / CHECKS).read_text(encoding="utf-8"))


def synthesize(files: Sequence[Path], *, top: str) -> Synthesis:
    """Check the design in `files` and map it to generic gates, module by module."""
    names = " ".join(f'"{file.resolve()}"' for file in files)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run_yosys(SCRIPT.format(files=names, top=top), folder, what=f"the Verilog of {top}")
        problems = WARNING.findall((folder / CHECKS).read_text())
        statistics = json.loads((folder / STATISTICS).read_text())
    cells = {
        name.removeprefix("\\"): {
            cell.removeprefix("\\"): count for cell, count in module["num_cells_by_type"].items()
        }
        for name, module in statistics["modules"].items()
    }
    return Synthesis(problems=problems, cells=cells)
