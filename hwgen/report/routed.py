"""What became of a chip on an FPGA: figures from the reports of Yosys and nextpnr.

Tests: `tests/boards/test_routed.py`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic.dataclasses import dataclass

from hwgen.errors import FormatError
from hwgen.files.load import EXACT
from hwgen.report.types import Count, NotNegative

NUMBERING = re.compile(
    r"(_(TRELLIS|LUT[1-8]|CCU2C|PFUMX|L6MUX21|DP16KD|MULT18X18D|DFF|ALU|MUX2|DPX9B|SDPX9B)_?|\$|\[).*"
)
"""What Yosys and nextpnr put behind the name of a signal."""
LUTS: dict[str, dict[str, int]] = {
    "ecp5": {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4},
    "gowin": {**{f"LUT{inputs}": 1 for inputs in range(1, 5)}, "ALU": 1, "RAM16SDP4": 8},
}
"""Places of a LUT that a cell of Yosys takes: carries and small memories stand in them. nextpnr
leaves all eight places of a Gowin tile with a small memory to it."""
RAMS = {
    "ecp5": ("DP16KD", "PDPW16KD"),
    "gowin": ("SP", "SPX9", "DPB", "DPX9B", "SDPB", "SDPX9B", "pROM", "pROMX9"),
}
"""Block RAMs, by Yosys' names."""
USED: dict[str, dict[str, tuple[str, ...]]] = {
    "ecp5": {
        "luts": ("TRELLIS_COMB",),
        "flip_flops": ("TRELLIS_FF",),
        "block_rams": ("DP16KD",),
        "multipliers": ("MULT18X18D",),
    },
    "gowin": {
        "luts": ("LUT4", "ALU"),
        "flip_flops": ("DFF",),
        "block_rams": ("BSRAM",),
        "multipliers": ("MULT9X9", "MULT18X18", "MULTALU18X18", "MULT36X36"),
    },
}
"""Places, by nextpnr's names; the first one says how many there are."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Places:
    """Places of one kind: used, and what the FPGA has."""

    used: Count
    available: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class SlowestPath:
    """The path that bounds the clock, from register or memory to register or memory.

    cells: that it goes through, the first and the last included
    """

    begin: str
    end: str
    ns: NotNegative
    routing_ns: NotNegative
    cells: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RoutedChip:
    """A chip on an FPGA, placed and routed.

    luts: with those in which carries and small memories stand
    mhz: after routing; wanted_mhz: of the board
    hold_violations: paths that are too short, which no slower clock mends
    bitstream: its file; null where the chip is too slow
    cpu_seconds: by step; tools: their versions
    """

    board: str
    luts: Places
    flip_flops: Places
    block_rams: Places
    multipliers: Places
    mhz: NotNegative
    wanted_mhz: NotNegative
    hold_violations: Count
    path: SlowestPath
    bitstream: str | None
    seed: int
    cpu_seconds: dict[str, NotNegative]
    tools: dict[str, str]

    @property
    def is_fast_enough(self) -> bool:
        """Whether it works at the clock of the board, as far as nextpnr knows."""
        return self.mhz >= self.wanted_mhz and not self.hold_violations


def synthesized(statistics: Mapping[str, Any], tools: str) -> tuple[int, int]:
    """Return the LUTs and block RAMs of `stat -json` of Yosys."""
    cells = statistics["design"]["num_cells_by_type"]
    luts = sum(places * cells.get(cell, 0) for cell, places in LUTS[tools].items())
    return luts, sum(cells.get(cell, 0) for cell in RAMS[tools])


def figures_of(report: Mapping[str, Any], tools: str, source: str) -> dict[str, Any]:
    """Return the places, the clock and the slowest path of `--report` of nextpnr, by field.

    source: for FormatError, where a part is missing
    """
    try:
        used = report["utilization"]
        ((clock, speed),) = report["fmax"].items()
        return {
            **{name: places_of(used, kinds) for name, kinds in USED[tools].items()},
            "mhz": round(speed["achieved"], 2),
            "wanted_mhz": round(speed["constraint"], 2),
            "path": slowest_path(report["critical_paths"], clock),
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(
            field="the report of nextpnr",
            allowed="one with utilization, fmax of one clock and its critical path",
            given=f"{type(error).__name__} {error}",
            source=source,
        ) from None


def places_of(used: Mapping[str, Any], kinds: Sequence[str]) -> Places:
    """Return the places of some kinds that share their sites."""
    return Places(
        used=sum(used[kind]["used"] for kind in kinds),
        available=used[kinds[0]]["available"],
    )


def slowest_path(paths: Sequence[Mapping[str, Any]], clock: str) -> SlowestPath:
    """Return the path from an edge of the clock to an edge of it; KeyError if there is none."""
    edge = f"posedge {clock}"
    parts = next((each["path"] for each in paths if each["from"] == each["to"] == edge), None)
    if not parts:
        raise KeyError(edge)
    routing = [part["delay"] for part in parts if part["type"] == "routing"]
    return SlowestPath(
        begin=signal_of(parts[0]["from"]["cell"]),
        end=signal_of(parts[-1]["to"]["cell"]),
        ns=round(sum(part["delay"] for part in parts), 2),
        routing_ns=round(sum(routing), 2),
        cells=len(routing) + 1,
    )


def signal_of(cell: str) -> str:
    """Return the signal that gave a cell its name."""
    return NUMBERING.sub("", cell)


def routed_rows(done: RoutedChip) -> Iterator[tuple[str, str]]:
    """Yield what is told of a chip on a board: name, value."""
    path = done.path
    yield "clock", f"{done.mhz:.1f} MHz of {done.wanted_mhz:.1f}"
    yield "LUTs", share(done.luts)
    yield "flip-flops", share(done.flip_flops)
    yield "block RAMs", share(done.block_rams)
    yield "multipliers", share(done.multipliers)
    yield (
        "slowest path",
        f"{path.begin} -> {path.end}: {path.ns:.1f} ns in {path.cells} cells,"
        f" {path.routing_ns:.1f} ns of it routing",
    )
    yield "hold", f"{done.hold_violations} paths too short" if done.hold_violations else "met"
    yield "bit stream", done.bitstream or "none: too slow for the board"
    yield "CPU seconds", ", ".join(f"{step} {s:.0f}" for step, s in done.cpu_seconds.items())


def share(places: Places) -> str:
    """Return how much of the FPGA is used."""
    return f"{places.used:,} of {places.available:,}"
