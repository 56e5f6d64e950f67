"""The files that processes with different hash seeds emit for one chip."""

import os
import subprocess
import sys
from pathlib import Path

EMIT = """
import sys
from importlib import import_module
from pathlib import Path
from hwgen.chip.rtl.emit import emit
family = sys.argv[1]
chip = import_module(f"hwgen.{family}.rtl.chip").Chip
load_arch = import_module(f"hwgen.{family}.facts.arch").load_arch
emit(chip(arch=load_arch(Path(sys.argv[2]))), Path(sys.argv[3]), parameters={})
"""


def emitted_twice(family: str, config: Path, folder: Path) -> list[dict[str, bytes]]:
    """Return the files of two processes, by name."""
    found = []
    for hash_seed in ("1", "2"):
        out = folder / hash_seed
        command = [sys.executable, "-c", EMIT, family, str(config), str(out)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": hash_seed})
        found.append({file.name: file.read_bytes() for file in out.iterdir()})
    return found
