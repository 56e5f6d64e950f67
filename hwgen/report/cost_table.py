"""The tables of `hwgen cost`.

Tests: `tests/report/test_documents.py`.
"""

from collections.abc import Iterator

from rich.console import Group, RenderableType

from hwgen.report.cost import CostBlock, CostEnergy, CostPart, CostPlaced, CostReport
from hwgen.report.tables import NOTHING, number, percent, table, writing_lines

COLUMNS = [
    "part",
    "logic um2",
    "macros um2",
    "memory bits",
    "memory um2",
    "flip-flops",
    "gated",
    "slowest ns",
]
WITH_TABLE = ["table um2", "netlist / table"]


def cost_table(report: CostReport) -> RenderableType:
    """Return a row for each part, the sums, and the slowest paths."""
    with_table = report.total.table_um2 is not None
    with_memory = report.total.memory_um2 is not None
    left_out = set() if with_memory else {"memory um2"}
    left_out |= set() if report.total.macros_um2 else {"macros um2"}
    columns = [name for name in COLUMNS if name not in left_out]
    rows = table([*columns, *(WITH_TABLE if with_table else [])], left=1)
    for part in (*report.parts, report.total):
        if part is report.total:
            rows.add_section()
        cells = {
            "part": part.part,
            "logic um2": f"{part.logic_um2:,.0f}",
            "macros um2": f"{part.macros_um2:,.0f}",
            "memory bits": number(part.memory_bits),
            "memory um2": f"{part.memory_um2 or 0:,.0f}",
            "flip-flops": number(part.flip_flops),
            "gated": percent(part.gated),
            "slowest ns": NOTHING if part.slowest_ns is None else f"{part.slowest_ns:.2f}",
        }
        shown = [cells[name] for name in columns]
        rows.add_row(*shown, *(beside_table(part) if with_table else []))
    library = report.library
    licence = library.licence or "its own licence"
    of_module = "" if report.module is None else f"{report.module} of "
    lines: list[RenderableType] = [
        f"{of_module}{report.architecture.name} in the cells of {library.name} ({library.file},"
        f" {licence}), mapped {'flat' if report.mapped == 'flat' else 'by module'}",
        "",
        rows,
        "",
        f"slowest path {report.slowest_ns:.2f} ns: {report.mhz:.0f} MHz;"
        f" the architecture names {report.clock_mhz:g} MHz"
        if report.paths
        else "no path from register to register, so no clock follows",
        f"buffers of nets with many readers {report.total.buffers_um2:,.0f} um2,"
        f" leakage of logic {report.total.leakage_uw / 1000:,.3g} mW",
    ]
    if report.period_ns is not None:
        verdict = "met" if report.met else "not met"
        lines.append(f"period {report.period_ns:g} ns: {verdict}")
    if report.placed is not None:
        lines += ["", *placed_lines(report.placed)]
    lines += ["", "ns    register -> register, through"] if report.paths else []
    for path in report.paths:
        through = f" through {' > '.join(path.through)}" if path.through else ""
        lines.append(f"{path.ns:.2f}  {path.start} -> {path.end}{through}")
    energy = [] if report.energy is None else ["", *energy_lines(report.energy)]
    return Group(*lines, "", *report.assumptions, *energy, *written_lines(report))


def placed_lines(placed: CostPlaced) -> Iterator[RenderableType]:
    """Yield what a placement says: both clocks, before and after sizing."""
    rows = table(["placed", "cells um2", "wires mm", "no wires ns", "ns", "MHz"], left=1)
    for name, clock in (("as mapped", placed.mapped), ("sized by load", placed.sized)):
        figures = f"{clock.cells_um2:,.0f}", f"{clock.wires_mm:,.1f}"
        times = f"{clock.no_wires_ns:.2f}", f"{clock.ns:.2f}", f"{clock.mhz:.0f}"
        rows.add_row(name, *figures, *times)
    yield rows
    yield (
        f"{placed.gates:,} gates and {placed.memories:,} memories on {placed.width_um:,.0f} x"
        f" {placed.height_um:,.0f} um, cells {percent(placed.fill)} of what memories leave, seed"
        f" {placed.seed}; {placed.resized:,} gates sized; wires by {placed.wires.file}"
    )
    yield f"slowest with wires: {placed.sized.start} -> {placed.sized.end}"
    yield "no clock tree, no power straps; a net is half its perimeter times a Steiner factor long"


def written_lines(report: CostReport) -> Iterator[str]:
    """Yield what it costs to write the cells; nothing without a file of effects."""
    if report.effects is not None and report.writing is not None:
        yield f"\nby the figures of {report.effects.name}"
        yield from writing_lines(report.writing)


def beside_table(part: CostPart) -> list[str]:
    """Return what the area table says, and the netlist with its memories over that."""
    if not part.table_um2:
        return [NOTHING, NOTHING]
    netlist = part.logic_um2 + part.macros_um2 + (part.memory_um2 or 0.0)
    return [f"{part.table_um2:,.0f}", f"{netlist / part.table_um2:.2f}"]


def energy_lines(energy: CostEnergy) -> list[RenderableType]:
    """Return a row for each block of a unit, netlist and table side by side."""
    with_table = energy.table_pj is not None
    beside = ["table nJ", "netlist / table", "memories nJ", ""] if with_table else []
    rows = table(["block", "netlist nJ", *beside], left=1)
    for block in sorted(energy.blocks, key=lambda block: -block.netlist_pj):
        cells = [block.block, f"{block.netlist_pj / 1000:,.2f}"]
        rows.add_row(*cells, *(energy_beside(block.netlist_pj, block) if with_table else []))
    rows.add_section()
    cells = ["total", f"{energy.netlist_pj / 1000:,.2f}"]
    rows.add_row(*cells, *(energy_beside(energy.netlist_pj, energy) if with_table else []))
    return [
        f"energy of one {energy.unit} for {energy.network.name}, {energy.cycles:,} cycles from the"
        f" reset; all {energy.source_bits:,} bits of its inputs are in the waves",
        "",
        rows,
        "",
        *energy.assumptions,
    ]


def energy_beside(netlist_pj: float, row: CostBlock | CostEnergy) -> list[str]:
    """Return what the table says of logic and of memories, and a mark where it is off."""
    logic, memory = row.table_pj or 0.0, row.memory_pj or 0.0
    return [
        f"{logic / 1000:,.2f}" if logic else NOTHING,
        f"{netlist_pj / logic:.2f}" if logic else NOTHING,
        f"{memory / 1000:,.2f}" if memory else NOTHING,
        "off by more than 30 %" if isinstance(row, CostBlock) and row.off else "",
    ]
