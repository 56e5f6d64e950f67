"""`waivers.vlt`: what Verilator's `-Wall` says of emitted files, and why it is well.

Tests: `tests/report/test_documents.py`.
"""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from hwgen.chip.interface import TRACE, ChipInterface

HEAD = """\
`verilator_config
// SPDX-License-Identifier: Apache-2.0
// Of the Verilog of the {written}; files of others keep their warnings.
"""
WRAPPER = """\
// The wrapper leaves the ports of the trace open.
lint_off -rule PINCONNECTEMPTY -file "*{prefix}_axi.v"
"""
NO_TRACE = """\
// The trace was left out: nobody reads what only its ports show.
lint_off -rule UNUSEDSIGNAL -file "*{top}.v" -match "Signal is not used: 'trace*"
"""
LINE = re.compile(r'-file "\*(?P<family>[a-z]+_)?(?P<rest>[^"]*)"')


def waivers(of: ChipInterface, modules: Sequence[str], written: str) -> str:
    """Return the waivers of benches and simulations, each for files that this chip has.

    modules: file names of the chip's Verilog
    """
    from hwgen.chip.sim.simulator import WAIVERS

    lines = WAIVERS.read_text(encoding="utf-8").splitlines(keepends=True)
    own = "".join(mine(of, modules, lines))
    shown = any(name.startswith(TRACE) for name, _, _ in of.ports)
    without = "" if shown else NO_TRACE.format(top=of.top)
    return HEAD.format(written=written) + own + WRAPPER.format(prefix=of.prefix) + without


def mine(of: ChipInterface, modules: Sequence[str], lines: Sequence[str]) -> Iterator[str]:
    """Yield the waivers for modules that are there, and the comments above at least one of them."""
    comments: list[str] = []
    below = False
    for line in lines[1:]:
        found = LINE.search(line)
        if found is None:
            comments = [*([] if below else comments), line]
        elif found["family"] in (None, f"{of.family}_"):
            pattern = pattern_of(of, found["rest"])
            if any(fnmatchcase(name, pattern) for name in modules):
                yield from comments
                yield LINE.sub(f'-file "{pattern}"', line)
                comments = []
        below = found is not None


def pattern_of(of: ChipInterface, pattern: str) -> str:
    """Return a pattern of files, `_fifo.v` or `.v`, with the prefix of this chip before it."""
    begin = "_*" if pattern.startswith(".") else "" if pattern.startswith("_") else "_"
    return f"*{of.prefix}{begin}{pattern}"
