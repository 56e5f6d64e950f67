"""`waivers.vlt`: what Verilator's `-Wall` says of emitted files, and why it is well.

Tests: `tests/report/test_documents.py`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from hwgen.chip.interface import ChipInterface

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
SIGNAL = re.compile(r"-match \"(Signal is|Bits of signal are) not used: '([^'\"]*)")


def waivers(of: ChipInterface, modules: Mapping[str, str], written: str) -> str:
    """Return those waivers of benches and simulations that this chip needs.

    modules: the chip's Verilog by file name
    """
    from hwgen.chip.rtl.manifest import ports_in
    from hwgen.chip.rtl.unread import unread
    from hwgen.chip.sim.simulator import WAIVERS

    ports = {name.removesuffix(".v"): ports_in(text) for name, text in modules.items()}
    found = {name: unread(text, ports) for name, text in modules.items()}

    lines = WAIVERS.read_text(encoding="utf-8").splitlines(keepends=True)
    own = "".join(mine(of, found, lines))
    without = NO_TRACE.format(top=of.top)
    without = without if meets(without, [found.get(f"{of.top}.v", {})]) else ""
    return HEAD.format(written=written) + own + WRAPPER.format(prefix=of.prefix) + without


def meets(line: str, unread: Iterable[Mapping[str, bool]]) -> bool:
    """Return whether a waiver is of a signal that is not read; one of another kind always is."""
    about = SIGNAL.search(line)
    if about is None:
        return True
    whole = about[1] == "Signal is"
    return any(
        is_whole == whole and fnmatchcase(name, about[2])
        for of_module in unread
        for name, is_whole in of_module.items()
    )


def mine(
    of: ChipInterface, modules: Mapping[str, Mapping[str, bool]], lines: Sequence[str]
) -> Iterator[str]:
    """Yield the waivers that modules need, and the comments above at least one of them.

    modules: of each, by file, the signals of which bits are not read
    """
    comments: list[str] = []
    below = False
    for line in lines[1:]:
        found = LINE.search(line)
        if found is None:
            comments = [*([] if below else comments), line]
        elif found["family"] in (None, f"{of.family}_"):
            pattern = pattern_of(of, found["rest"])
            met = [signals for name, signals in modules.items() if fnmatchcase(name, pattern)]
            if met and meets(line, met):
                yield from comments
                yield LINE.sub(f'-file "{pattern}"', line)
                comments = []
        below = found is not None


def pattern_of(of: ChipInterface, pattern: str) -> str:
    """Return a pattern of files, `_fifo.v` or `.v`, with the prefix of this chip before it."""
    begin = "_*" if pattern.startswith(".") else "" if pattern.startswith("_") else "_"
    return f"*{of.prefix}{begin}{pattern}"
