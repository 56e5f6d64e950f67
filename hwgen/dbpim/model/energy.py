"""Energy and area of a DB-PIM chip: counted events times a table with sources.

A sum is always for a set of assumptions: trees and PPU as built or as first written, wires,
control, and whether groups pass a switch and deep queues.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.energy import TABLE, Area, Cost, EnergyTable, load_energy, parts_of

Level = Literal["low", "typical", "high"]
"""Which figure of a range of the table counts."""
LEVELS: tuple[Level, ...] = ("low", "typical", "high")

DIRECT_QUEUE = 2
"""Groups in a queue of a chip without a switch: one is computed, one is written."""

MEMORY_PORT = ("beats_read", "beats_written")

COUNTED = "logic, memories, leakage and an assumed clock tree of the chip; no wires between blocks"
"""What the energy of an image is of."""


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What a sum assumes.

    written: trees and PPU as first written (two CSD trees a filter, 32-bit accumulators, `+`), not
        as built
    wires, control: figures of the table
    direct: the chip has no switch, and queues of two groups: the dense chip of the strict pair
    logic_leaks: gates and registers leak, too, not the memories alone
    """

    written: bool = False
    wires: Level = "typical"
    control: Level = "typical"
    direct: bool = False
    logic_leaks: bool = True


TYPICAL = Assumptions()
STRICT_DENSE = Assumptions(direct=True)
"""The dense chip of the strict pair: `weight_values` off needs no switch."""


@cache
def default_table() -> EnergyTable:
    """Return the table that is used where none is given."""
    return load_energy(TABLE)


def energy_pj(
    events: Mapping[str, int],
    arch: Arch,
    *,
    table: EnergyTable | None = None,
    assume: Assumptions = TYPICAL,
) -> dict[str, float]:
    """Return picojoules on the chip by event; the keys are those of `events`.

    What the memory outside the chip takes is `port_pj`; what time takes is `leakage_pj`.
    """
    found = table or default_table()
    chip = assumed_chip(arch, assume)
    return {
        name: count * sum(cost_pj(cost, chip, found, assume) for cost in found.events[name])
        for name, count in events.items()
    }


def cost_pj(cost: Cost, chip: Arch, table: EnergyTable, assume: Assumptions) -> float:
    """Return what one event costs in one part of a chip."""
    if not cost.applies(chip) or (assume.direct and cost.switch):
        return 0.0
    wires: float = getattr(table.wires_ff, assume.wires) / table.wires_ff.typical
    return cost.of(chip, written=assume.written) * (1 + cost.wires * (wires - 1))


def assumed_chip(arch: Arch, assume: Assumptions) -> Arch:
    """Return the chip whose sizes count."""
    shallow = assume.direct and arch.queue_depth > DIRECT_QUEUE
    return replace(arch, queue_depth=DIRECT_QUEUE) if shallow else arch


def leakage_pj(
    cycles: int,
    arch: Arch,
    *,
    table: EnergyTable | None = None,
    assume: Assumptions = TYPICAL,
) -> float:
    """Return what a chip takes in some cycles, whatever it does: `waiting_pj` of all parts."""
    return sum(waiting_pj(cycles, arch, table=table, assume=assume).values())


def waiting_pj(
    cycles: int,
    arch: Arch,
    *,
    table: EnergyTable | None = None,
    assume: Assumptions = TYPICAL,
) -> dict[str, float]:
    """Return what cycles take by part; leakage of all areas belongs to `control`."""
    found = table or default_table()
    chip = assumed_chip(arch, assume)
    total: dict[str, float] = dict.fromkeys(parts_of(arch), 0.0)
    for cost in found.cycles:
        if cost.applies(chip):
            total[cost.part] += cycles * cost_pj(cost, chip, found, assume)
    control: float = getattr(found.control_pj, assume.control)
    nanoseconds = cycles * 1000 / arch.clock_mhz
    macros = arch.cores * arch.macros_per_core
    leaks = [um2 for area, um2 in areas(arch, found, assume) if not area.memory]
    logic = sum(leaks) if assume.logic_leaks else 0.0
    total["control"] += macros * cycles * control + found.leakage_mw(arch, logic) * nanoseconds
    return total


def parts_pj(
    events: Mapping[str, int],
    cycles: int,
    arch: Arch,
    *,
    table: EnergyTable | None = None,
    assume: Assumptions = TYPICAL,
) -> dict[str, float]:
    """Return picojoules on the chip by part; events, cycles: of a step or a run."""
    found = table or default_table()
    chip = assumed_chip(arch, assume)
    total = waiting_pj(cycles, arch, table=found, assume=assume)
    for name, count in events.items():
        for cost in found.events[name]:
            if cost.applies(chip):
                total[cost.part] += count * cost_pj(cost, chip, found, assume)
    return total


def port_pj(events: Mapping[str, int], arch: Arch, *, table: EnergyTable | None = None) -> float:
    """Return picojoules of the memory outside the chip."""
    beats = sum(events[name] for name in MEMORY_PORT)
    return (table or default_table()).port_pj(beats, arch)


def port_bytes(events: Mapping[str, int], arch: Arch) -> int:
    """Return the bytes that cross the memory port."""
    return sum(events[name] for name in MEMORY_PORT) * arch.port_bytes


def outside_bytes(events: Mapping[str, int], arch: Arch, program: Any, *, images: int) -> int:
    """Return the bytes that images move over the memory port: with all weights that they load."""
    return port_bytes(events, arch)


def spread_pj(
    events: Mapping[str, int],
    cycles: int,
    arch: Arch,
    *,
    table: EnergyTable | None = None,
    assume: Assumptions = TYPICAL,
) -> dict[tuple[Level, Level], float]:
    """Return the energy on the chip for each level of wires and of control."""
    levels = {
        (wires, control): replace(assume, wires=wires, control=control)
        for wires in LEVELS
        for control in LEVELS
    }
    return {
        key: sum(parts_pj(events, cycles, arch, table=table, assume=each).values())
        for key, each in levels.items()
    }


def area_um2(
    arch: Arch, *, table: EnergyTable | None = None, assume: Assumptions = TYPICAL
) -> dict[str, float]:
    """Return the area by part; the sum is uncertain by `area_uncertainty`."""
    total: dict[str, float] = dict.fromkeys(parts_of(arch), 0.0)
    for area, um2 in areas(arch, table or default_table(), assume):
        total[area.part] += um2
    return total


def areas(arch: Arch, table: EnergyTable, assume: Assumptions) -> Iterator[tuple[Area, float]]:
    """Yield the entries of the area that a chip has, each with its um2."""
    chip = assumed_chip(arch, assume)
    for area in table.area:
        if area.applies(chip) and not (assume.direct and area.switch):
            yield area, area.of(chip, written=assume.written)
