"""Paths and tools of the benches: simulators, repository root and folder of the builds."""

import os
import shutil
import sys
from functools import cache
from pathlib import Path

from hwgen.chip.sim.cache import build_root
from hwgen.chip.sim.toolchain import find_verilator
from hwgen.errors import MissingToolError

ROOT = Path(__file__).parents[1]
BUILD_ROOT = build_root()
"""Where simulators are built, each under the digest of its sources: all checkouts share them."""


@cache
def use_verilator() -> str:
    """Point this process and its children at Verilator, as cocotb wants it; return which it is."""
    verilator = find_verilator()
    os.environ.update(verilator.variables)
    return verilator.identity


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
