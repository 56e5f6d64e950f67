"""Builds the simulator of a system and runs it: python simulate.py CHIP SYSTEM.

CHIP: folder that `hwgen build` wrote; SYSTEM: folder that soc.py wrote. Ends with 0 if the firmware
says PASS, with 1 if it does not, or if Verilator warns of the Verilog of the chip.
"""

import subprocess
import sys
from pathlib import Path

from hwgen.chip.sim.simulator import FAST
from hwgen.chip.sim.toolchain import find_verilator

HERE = Path(__file__).parent


def run(*command: object, cwd: Path | None = None) -> str:
    """Run a command; return what it said, or raise with it."""
    done = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env=find_verilator().environment(OPT_FAST=FAST),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def simulate(chip: Path, system: Path) -> int:
    """Build and run; return the exit code."""
    # UNOPTFLAT is of the speed of a simulation: bits of a vector that are made of others.
    flags = ("-Wall", "-Wno-fatal", "-Wno-UNOPTFLAT")
    said = run(
        *("verilator", "--binary", "--timing", "-j", 2, *flags),
        *("--top-module", "tb", "-Mdir", "obj", "-o", "tb"),
        *(chip / "waivers.vlt", "-F", chip / "files.f", "-f", "sources.f", HERE / "tb.v"),
        cwd=system,
    )
    warnings = [line for line in said.splitlines() if "%Warning" in line]
    own = [line for line in warnings if str(chip) in line]
    print(*own, sep="\n", end="\n" if own else "")
    print(f"warnings: {len(own)} of the chip, {len(warnings) - len(own)} of others", flush=True)
    lines = run(system / "obj/tb", cwd=system).splitlines()
    lines = [line for line in lines if not line.startswith("- ")]
    print("\n".join(lines))
    return 0 if not own and lines[-1:] == ["PASS"] else 1


if __name__ == "__main__":
    sys.exit(simulate(*(Path(each).resolve() for each in sys.argv[1:3])))
