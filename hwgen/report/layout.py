"""The report of `hwgen layout`, and its lines.

Tests: `tests/layout/test_layout.py`.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic.dataclasses import dataclass
from rich.console import Group, RenderableType
from rich.text import Text

from hwgen.files.load import EXACT
from hwgen.report.tables import table
from hwgen.report.types import Count, Digest, Fraction, NotNegative, Source

REPORT = "layout.json"
"""The report of a layout, in its folder."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayoutWire:
    """The wires of a metal in um, and the cuts of the layer below it."""

    metal: str
    um: NotNegative
    cut: str
    cuts: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayoutClock:
    """The slowest path in a corner, in ns, without and with routed wires; the clock is ideal."""

    corner: str
    no_wires_ns: NotNegative
    ns: NotNegative


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayoutReport:
    """A module as a layout.

    verilog: sha256 of what was mapped; gates: buffers of trees included; fill: of the rows, by them
    rounds: nets in conflict after each round of the router; seconds: of a computer, by stage
    """

    format: Literal["hwgen.report.layout"]
    version: Literal[1]
    architecture: Source
    module: str
    technology: Source
    verilog: Digest
    folder: str
    seed: Count
    gates: Count
    buffers: Count
    flip_flops: Count
    cells_um2: NotNegative
    width_um: NotNegative
    height_um: NotNegative
    fill: Fraction
    wires: list[LayoutWire]
    rounds: list[int]
    clocks: list[LayoutClock]
    seconds: dict[str, NotNegative]


def layout_table(report: LayoutReport) -> RenderableType:
    """Return the lines of a layout, and a table of its metals."""
    metals = table(["metal", "um", "cuts below"])
    for wire in report.wires:
        metals.add_row(wire.metal, f"{wire.um:,.0f}", f"{wire.cuts:,}")
    return Group(*layout_lines(report), Text(), metals)


def layout_lines(report: LayoutReport) -> Iterator[Text]:
    """Yield what a layout is: its gates, die, wires, rounds, clock, and time."""
    yield Text(
        f"{report.module} on {report.technology.name}: {report.gates:,} gates,"
        f" {report.buffers:,} of them buffers of trees, {report.flip_flops:,} flip-flops"
    )
    yield Text(
        f"{report.width_um:.1f} x {report.height_um:.1f} um, rows filled to {report.fill:.0%},"
        f" wires {sum(wire.um for wire in report.wires):,.0f} um"
    )
    yield Text(f"nets in conflict by round: {', '.join(map(str, report.rounds))}")
    for clock in report.clocks:
        yield Text(f"{clock.corner}: {clock.no_wires_ns:.2f} ns, with wires {clock.ns:.2f} ns")
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in report.seconds.items())
    yield Text(f"CPU s: {stages}")
    yield Text(f"{report.folder}: not checked yet (hwgen layout --check {report.folder})")


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayoutNets:
    """Pins and nets of the extracted layout beside the mapped netlist; the first differences."""

    pins: Count
    nets: Count
    different: Count
    differences: list[str]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayoutTransistors:
    """Transistors of the layout, of the PDK's circuits, and how many are alike on both sides."""

    layout: Count
    circuits: Count
    alike: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayoutBits:
    """Output bits of the extracted netlist beside the RTL, with drawn inputs."""

    cycles: Count
    compared: Count
    ones: Count
    different: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayoutDeck:
    """Rules of the PDK's deck that ran, those that should, and how often each is broken."""

    rules: Count
    expected: Count
    items: dict[str, Count]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayoutCheckReport:
    """What the checks of a layout say.

    antennas: nets above the limit; stimuli, deck: None where they did not run; not_run: why
    """

    format: Literal["hwgen.report.layout_check"]
    version: Literal[1]
    module: str
    technology: str
    folder: str
    nets: LayoutNets
    transistors: LayoutTransistors
    antennas: Count
    stimuli: LayoutBits | None
    deck: LayoutDeck | None
    not_run: list[str]

    def faults(self) -> list[str]:
        """Return which of the checks that ran do not pass."""
        devices = self.transistors
        seen = {
            "nets": self.nets.different > 0,
            "transistors": not devices.layout == devices.circuits == devices.alike,
            "antennas": self.antennas > 0,
            "stimuli": self.stimuli is not None
            and (self.stimuli.different > 0 or self.stimuli.compared == 0),
            "deck": self.deck is not None
            and (bool(self.deck.items) or self.deck.rules < self.deck.expected),
        }
        return [name for name, broken in seen.items() if broken]


def check_table(report: LayoutCheckReport) -> RenderableType:
    """Return a line for each check, and a verdict on those that ran."""
    return Group(*(Text(line) for line in check_lines(report)))


def check_lines(report: LayoutCheckReport) -> Iterator[str]:
    """Yield the lines of `check_table`."""
    nets, devices = report.nets, report.transistors
    yield f"pins {nets.pins:,}, nets {nets.nets:,}: {nets.different:,} differ"
    yield from (f"  {each}" for each in nets.differences)
    yield (
        f"transistors: {devices.layout:,} in the layout, {devices.circuits:,} in the circuits,"
        f" {devices.alike:,} alike"
    )
    yield f"antennas: {report.antennas:,} above the limit"
    if (bits := report.stimuli) is not None:
        yield (
            f"stimuli: {bits.cycles:,} cycles, {bits.compared:,} bits, {bits.ones:,} of them 1:"
            f" {bits.different:,} differ"
        )
    if (deck := report.deck) is not None:
        yield f"deck: {deck.rules} of {deck.expected} rules, {sum(deck.items.values()):,} items"
        yield from (f"  {rule}: {count:,}" for rule, count in deck.items.items())
    yield from (f"not run: {each}" for each in report.not_run)
    faults = report.faults()
    ran = "all checks" if not report.not_run else "the checks that ran"
    yield f"fails: {', '.join(faults)}" if faults else f"{ran} pass"
