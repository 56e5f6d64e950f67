"""`waivers.vlt`: what Verilator's `-Wall` says of emitted files, and why it is well."""

import re
from collections.abc import Iterator, Sequence

from hwgen.chip.interface import ChipInterface

HEAD = """\
`verilator_config
// SPDX-License-Identifier: Apache-2.0
// Of the Verilog of the {written}; files of others keep their warnings.
"""
WRAPPER = """\
// A chip has no delays; a timescale of other files says nothing of it.
lint_off -rule TIMESCALEMOD -file "*{prefix}_*.v"
// The wrapper leaves the ports of the trace open.
lint_off -rule PINCONNECTEMPTY -file "*{prefix}_axi.v"
"""
LINE = re.compile(r'-file "\*(?P<family>[a-z]+_)?(?P<rest>[^"]*)"')


def waivers(of: ChipInterface, written: str) -> str:
    """Return the waivers of benches and simulations, each for the files of this chip alone."""
    from hwgen.chip.sim.simulator import WAIVERS

    lines = WAIVERS.read_text(encoding="utf-8").splitlines(keepends=True)
    own = "".join(
        LINE.sub(lambda found: file_of(of, found["rest"]), line) for line in mine(of, lines)
    )
    return HEAD.format(written=written) + own + WRAPPER.format(prefix=of.prefix)


def mine(of: ChipInterface, lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines without those for another family."""
    for line in lines[1:]:
        found = LINE.search(line)
        if not found or found["family"] in (None, f"{of.family}_"):
            yield line


def file_of(of: ChipInterface, pattern: str) -> str:
    """Return a pattern of files, `_fifo.v` or `.v`, with the prefix of this chip before it."""
    begin = "_*" if pattern.startswith(".") else "" if pattern.startswith("_") else "_"
    return f'-file "*{of.prefix}{begin}{pattern}"'
