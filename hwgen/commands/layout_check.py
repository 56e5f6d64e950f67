"""`hwgen layout --check`: whether a layout is what its Verilog says, and what the PDK allows.

Tests: `tests/layout/test_checks.py`.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hwgen.commands.context import Context
from hwgen.layout import deck, stimuli
from hwgen.layout.reference import CIRCUITS, RTL, Reference, load_reference, no_layout
from hwgen.report.layout import (
    REPORT,
    LayoutBits,
    LayoutCheckReport,
    LayoutDeck,
    LayoutNets,
    LayoutTransistors,
)

if TYPE_CHECKING:
    from hwgen.layout.extraction import Extracted

SHOWN = 10
"""Differences in a report."""
NO_ICARUS = "drawn stimuli need Icarus Verilog: apt-get install iverilog"


def check_layout(context: Context, folder: Path, cycles: int) -> LayoutCheckReport:
    """Return what all checks say of the layout in a folder; cycles: of drawn stimuli.

    Errors: FormatError for a folder without a whole layout
    """
    from hwgen.layout import antennas, extraction, transistors

    reference = load_reference(folder)
    name = module_of(folder)
    gds = folder / f"{name}.gds"
    if not gds.is_file():
        raise no_layout(folder, gds.name)
    with context.progress(f"extracting {name}"):
        found = extraction.extracted(gds, name, reference)
        nets = extraction.compare(found, reference)
    with context.progress(f"comparing transistors of {name}"):
        circuits = (reference.technology.folder / CIRCUITS).read_text(encoding="utf-8")
        devices = transistors.likeness(
            transistors.drawn(gds, name, reference), transistors.of_circuits(circuits, reference)
        )
    with context.progress(f"looking for antennas in {name}"):
        charged = antennas.antennas(gds, name, reference)
    bits = (
        None
        if nets.differences
        else simulated(context, folder, name=name, found=found, reference=reference, cycles=cycles)
    )
    rules = checked_by_deck(context, gds, name, reference)
    lacks = [deck.missing(reference.technology), None if stimuli.icarus() else NO_ICARUS]
    if nets.differences:
        lacks.append("drawn stimuli: the nets of the layout differ already")
    return LayoutCheckReport(
        format="hwgen.report.layout_check",
        version=1,
        module=name,
        technology=reference.technology.name,
        folder=str(folder),
        nets=LayoutNets(
            pins=nets.pins,
            nets=nets.nets,
            different=len(nets.differences),
            differences=nets.differences[:SHOWN],
        ),
        transistors=LayoutTransistors(
            layout=devices.layout, circuits=devices.circuits, alike=devices.alike
        ),
        antennas=charged,
        stimuli=bits,
        deck=rules,
        not_run=[each for each in lacks if each],
    )


def module_of(folder: Path) -> str:
    """Return the module of a layout; FormatError where its report tells none."""
    try:
        return str(json.loads((folder / REPORT).read_text(encoding="utf-8"))["module"])
    except (OSError, ValueError, KeyError, TypeError):
        raise no_layout(folder, f"a whole {REPORT}") from None


def simulated(
    context: Context,
    folder: Path,
    *,
    name: str,
    found: "Extracted",
    reference: Reference,
    cycles: int,
) -> LayoutBits:
    """Return what the extracted netlist answers beside the RTL."""
    from hwgen.layout.extraction import extracted_verilog

    layout = f"{name}_layout"
    library = reference.technology.library(reference.technology.corners[0])
    texts = [
        stimuli.bench(name, layout, reference.inputs, reference.outputs, cycles),
        extracted_verilog(found, reference, layout),
        stimuli.cells_verilog(library),
        (folder / RTL).read_text(encoding="utf-8"),
    ]
    with TemporaryDirectory() as room, context.progress(f"simulating {name}"):
        made = stimuli.simulated(Path(room), texts)
    return LayoutBits(cycles=cycles, compared=made.bits, ones=made.ones, different=made.different)


def checked_by_deck(
    context: Context, gds: Path, name: str, reference: Reference
) -> LayoutDeck | None:
    """Return what the deck says; None: it cannot run here."""
    technology = reference.technology
    if deck.missing(technology):
        return None
    with TemporaryDirectory() as room, context.progress(f"checking {name} by the deck"):
        made = deck.run_deck(gds.resolve(), name, technology, Path(room))
    return LayoutDeck(rules=made.rules, expected=technology.deck.rules, items=made.items)
