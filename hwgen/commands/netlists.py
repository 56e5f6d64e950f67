"""Area, clock and flip-flops of a chip, from netlists of its modules."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.chip.family import Family
from hwgen.chip.protocols import Architecture, EnergyTable
from hwgen.chip.replacement import NO_REPLACEMENTS, Replacements
from hwgen.commands.context import Context
from hwgen.commands.families import InstalledFamily
from hwgen.commands.prices import Prices
from hwgen.commands.subject import configuration_of
from hwgen.commands.verilog import MANIFEST, uses, verilog_of
from hwgen.errors import ConfigError, with_near
from hwgen.files.digests import versions
from hwgen.physical.cells import Library
from hwgen.physical.liberty import liberty_text
from hwgen.physical.macros import Macro, macro_cost
from hwgen.physical.modules import ModuleCost, Modules, flat_source, placed_by, sources_of
from hwgen.physical.modules import Source as ModuleSource
from hwgen.physical.read_library import default_library, load_library
from hwgen.physical.timing import all_paths
from hwgen.report.cost import (
    CostEnergy,
    CostLibrary,
    CostModule,
    CostPart,
    CostPath,
    CostPlaced,
    CostReport,
    Mapped,
)
from hwgen.report.types import Source

LICENCES = {"Apache License, Version 2.0": "Apache-2.0"}
"""Licences by the words in the head of a library."""
HEAD = 4000
"""Characters of a library in which its licence is looked for."""
WORST = 10
"""Paths in a report."""
WHOLE = "chip"
"""The part of all modules of a family that names no parts."""
MAPPED = {
    "modules": "each module is mapped alone, its gates are not sized",
    "flat": "the netlist is mapped flat, its gates are not sized",
}
ASSUMPTIONS = [
    "no layout: wires have neither capacitance nor delay, the clock is ideal",
    "the library's own corner; {mapped}",
    "memories are macros: a read takes as long as 0.25 + 0.06 log2(words) ns at 45 nm",
    "nets of more than 10 inputs have trees of buffers; their area stands by itself",
]


@dataclass(frozen=True, kw_only=True)
class Synthesized:
    """A chip whose modules are synthesized.

    manifest: `modules` of the emitter's manifest; part_of: the part of each instance of a module
    """

    family: InstalledFamily
    arch: Architecture
    library: Library
    manifest: Mapping[str, Any]
    top: str
    modules: Modules
    costs: Mapping[str, ModuleCost]
    counts: Mapping[tuple[str, str], int]
    prices: Prices
    mapped: Mapped = "modules"

    @property
    def given_table(self) -> EnergyTable | None:
        """The table of a person, if there is one."""
        return self.prices.table if self.prices.file else None

    @property
    def is_of_tables(self) -> bool:
        """Whether the table that stands beside the netlists is made with the same cells."""
        if not self.family.offers(Family.physical):
            return False
        given = self.given_table
        own: str = self.family.need(Family.physical).LIBRARY
        return self.library.name == (given.library if given else own)


def cost_of(
    context: Context,
    family: InstalledFamily,
    arch: Architecture,
    arch_file: Path,
    *,
    liberty: Path | None,
    period_ns: float | None,
    energy: Callable[[Synthesized], CostEnergy] | None = None,
    builds: Path | None = None,
    replacements: Replacements = NO_REPLACEMENTS,
    prices: Prices | None = None,
    module: str | None = None,
    mapped: Mapped = "modules",
    place: Callable[[Synthesized], CostPlaced] | None = None,
) -> CostReport:
    """Return what a chip costs.

    module: of which it is told alone, with all that it places; None: of the whole chip
    mapped: each module alone, or flat
    place: places it and tells its clock with wires, if asked for
    replacements: of its parts, with figures in the place of netlists
    energy: measures what a network takes, if asked for
    prices: by a table of a person; None: by the family's own
    builds: folder of the cache of netlists, None: the user's
    """
    file = liberty or default_library()
    chip = synthesized(
        context,
        family,
        arch,
        file,
        builds=builds,
        replacements=replacements,
        prices=prices,
        module=module,
        mapped=mapped,
    )
    paths = all_paths([cost.timing for cost in chip.costs.values()])[:WORST]
    slowest = paths[0].ns if paths else 0.0
    parts = parts_of(chip)
    return CostReport(
        format="hwgen.report.cost",
        version=1,
        architecture=Source(name=arch.name, file=str(arch_file), digest=arch.digest),
        configuration=configuration_of(arch),
        library=CostLibrary(
            name=chip.library.name,
            file=file.name,
            digest=chip.library.digest,
            licence=licence_of(chip.modules.liberty),
            corner=corner_of(chip.modules.liberty),
        ),
        parts=parts,
        total=total_of(parts),
        modules=module_rows(chip),
        slowest_ns=slowest,
        mhz=1000 / slowest if slowest else 0.0,
        clock_mhz=float(arch.clock_mhz),
        period_ns=period_ns,
        met=None if period_ns is None else slowest <= period_ns,
        paths=[
            CostPath(ns=path.ns, start=path.start, end=path.end, through=list(path.through))
            for path in paths
        ],
        synthesized=sorted(chip.modules.synthesized),
        energy=None if energy is None else energy(chip),
        mapped=mapped,
        module=module,
        placed=None if place is None else place(chip),
        assumptions=[
            *(each.format(mapped=MAPPED[mapped]) for each in ASSUMPTIONS),
            *analog(chip.modules),
            *lacks(chip.library),
            *told_of(replacements),
            *told_of_table(chip),
        ],
        versions=versions(),
    )


def lacks(library: Library) -> list[str]:
    """Return what it means that a library lacks clock gates or full adders."""
    found = []
    if library.gate is None:
        found.append("the library has no clock gates: every register has a clock in every cycle")
    if library.adder is None:
        found.append("the library has no full adders: adder trees are of gates")
    return found


def analog(modules: Modules) -> list[str]:
    """Return what is assumed of modules that describe what an analog circuit does."""
    names = [name for name, source in modules.sources.items() if source.is_behaviour]
    if not names:
        return []
    return [
        f"{', '.join(names)}: analog circuits, without gates, area and leakage; their outputs come"
        " from the clock, as fast as a memory of two words"
    ]


def told_of(replacements: Replacements) -> list[str]:
    """Return where the figures of replacements come from."""
    return [
        f"{name} is {one.spec.name}; its figures: "
        + (one.spec.figures.source if one.spec.figures else str(one.spec.files.liberty))
        for name, one in replacements.of
    ]


def told_of_table(chip: Synthesized) -> list[str]:
    """Return which table of a person stands beside the netlists, or why it does not."""
    given = chip.given_table
    if given is None:
        return []
    if chip.is_of_tables:
        return [f"the table is {given.name}, {given.digest[:8]}; it has no areas of memory bits"]
    cells = given.library or "no library"
    return [f"the table {given.name} is of the cells of {cells}: its figures are left out"]


def synthesized(
    context: Context,
    family: InstalledFamily,
    arch: Architecture,
    file: Path,
    *,
    builds: Path | None = None,
    replacements: Replacements = NO_REPLACEMENTS,
    prices: Prices | None = None,
    module: str | None = None,
    mapped: Mapped = "modules",
) -> Synthesized:
    """Return a chip with all its modules synthesized, from the cache what is there.

    module: with what it places in the place of the chip; mapped: each module alone, or flat
    """
    import pyosys  # noqa: F401 # a missing package is told before a chip is written

    library, _ = load_library(file)
    macros = figures_of(family, arch, replacements)
    folder = verilog_of(context, family, arch, name="cost", replacements=replacements)
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest, texts = dict(content["modules"]), {}
    for name, entry in manifest.items():
        texts[name] = (folder / entry["file"]).read_text(encoding="utf-8")
    manifest |= {name: entry_of(macro) for name, macro in macros.items()}
    texts |= dict.fromkeys(macros, "")
    if family.offers(Family.physical):
        replaced = family.need(Family.physical).synthesis_modules(arch)
        from hwgen.chip.rtl.manifest import module_entry

        texts |= replaced
        manifest |= {name: module_entry(f"{name}.v", text) for name, text in replaced.items()}
    arrays = [name for name, entry in manifest.items() if entry.get("array")]
    top = module or str(content["top"])
    if top not in manifest or "." in top:
        named = with_near(top, [name for name in manifest if "." not in name], most=3)
        raise ConfigError(
            field="--module", allowed="a module of the chip", given=named, source="command line"
        )
    below = uses(manifest, top)
    sources = sources_of({name: manifest[name] for name in below}, texts, arrays)
    if mapped == "flat":
        sources = flat_source(sources, top, macros)
        manifest = flat_manifest(manifest, top, sources)
    costs = {name: macro_cost(macro, library) for name, macro in macros.items()}
    modules = Modules(sources, library, liberty_text(file), macros=costs, builds=builds)
    with context.progress(f"synthesizing {arch.name}", total=len(sources)) as done:
        modules.synthesize(processes=min(2, os.cpu_count() or 1), done=done)
    with context.progress(f"timing {arch.name}"):
        costs = modules.costs()
    return Synthesized(
        family=family,
        arch=arch,
        library=library,
        manifest=manifest,
        top=top,
        mapped=mapped,
        modules=modules,
        costs=costs,
        counts=counts_of(family, sources, manifest, top),
        prices=prices or Prices(family),
    )


def flat_manifest(
    manifest: Mapping[str, Any], top: str, sources: Mapping[str, ModuleSource]
) -> dict[str, Any]:
    """Return the entries of a flat module and of what it places still, by `sources`."""
    found: Counter[str] = Counter()

    def walk(name: str, times: int) -> None:
        for below, count in placed_by(manifest, name).items():
            if below in sources:
                found[below] += times * count
            else:
                walk(below, times * count)

    walk(top, 1)
    entries = {name: manifest[name] for name in sources}
    return {**entries, top: {**manifest[top], "instances": dict(found)}}


def figures_of(
    family: InstalledFamily, arch: Architecture, replacements: Replacements
) -> dict[str, Macro]:
    """Return the modules of replacements by name; ConfigError where one has no figures."""
    if not replacements:
        return {}
    from hwgen.chip.rtl.replace import with_replacements
    from hwgen.commands.macros import macros_of

    return macros_of(with_replacements(family.need(Family.verilog).make_chip(arch), replacements))


def entry_of(macro: Macro) -> dict[str, Any]:
    """Return the entry of a given module among those of the manifest."""
    names = ("name", "direction", "width")
    ports = [dict(zip(names, port, strict=True)) for port in macro.ports]
    return {"file": "", "ports": ports, "instances": {}}


def counts_of(
    family: InstalledFamily,
    sources: Mapping[str, ModuleSource],
    manifest: Mapping[str, Any],
    top: str,
) -> dict[tuple[str, str], int]:
    """Return how many instances of each module belong to each part, by (part, module)."""
    physical = family.need(Family.physical) if family.offers(Family.physical) else None
    found: Counter[tuple[str, str]] = Counter()

    def walk(name: str, part: str, times: int) -> None:
        part = (physical.part_of(name) if physical else None) or part
        found[part, name] += times
        for below, count in placed_by(manifest, name).items():
            walk(below, part, times * count)

    walk(top, WHOLE, 1)
    return dict(found)


def parts_of(chip: Synthesized) -> list[CostPart]:
    """Return a row for each part, in the order of the hierarchy."""
    physical = chip.family.need(Family.physical) if chip.is_of_tables else None
    area = physical.table_um2(chip.arch, table=chip.given_table) if physical else {}
    found = []
    for part in dict.fromkeys([*(part for part, _ in chip.counts), *area]):
        held = [(chip.costs[m], n) for (p, m), n in chip.counts.items() if p == part]
        bits = [(cost.module, bits_of(cost), count) for cost, count in held]
        flip_flops = sum(cost.flip_flops * count for cost, count in held)
        gated = sum(cost.gated * count for cost, count in held)
        found.append(
            CostPart(
                part=part,
                logic_um2=sum(cost.logic_um2 * count for cost, count in held),
                buffers_um2=sum(cost.buffers_um2 * count for cost, count in held),
                macros_um2=sum(cost.macros_um2 * count for cost, count in held),
                memory_bits=sum(size * count for _, size, count in bits),
                memory_um2=None
                if physical is None or chip.given_table
                else sum(physical.memory_um2(module) * size * n for module, size, n in bits),
                flip_flops=flip_flops,
                gated=gated / flip_flops if flip_flops else None,
                leakage_uw=sum(cost.leakage_uw * count for cost, count in held),
                slowest_ns=slowest_of(cost for cost, _ in held),
                table_um2=area.get(part),
            )
        )
    return found


def bits_of(cost: ModuleCost) -> int:
    """Return the bits of the memories in a module."""
    return sum(each.words * each.bits for each in cost.memories)


def slowest_of(costs: Iterable[ModuleCost]) -> float | None:
    """Return the slowest path within some modules; None: they have none."""
    return max((cost.timing.paths[0].ns for cost in costs if cost.timing.paths), default=None)


def total_of(parts: list[CostPart]) -> CostPart:
    """Return the sum of all parts."""
    flip_flops = sum(part.flip_flops for part in parts)
    gated = sum(part.flip_flops * (part.gated or 0.0) for part in parts)
    memory = [part.memory_um2 for part in parts if part.memory_um2 is not None]
    table = [part.table_um2 for part in parts if part.table_um2 is not None]
    return CostPart(
        part="total",
        logic_um2=sum(part.logic_um2 for part in parts),
        buffers_um2=sum(part.buffers_um2 for part in parts),
        macros_um2=sum(part.macros_um2 for part in parts),
        memory_bits=sum(part.memory_bits for part in parts),
        memory_um2=sum(memory) if memory else None,
        flip_flops=flip_flops,
        gated=min(gated / flip_flops, 1.0) if flip_flops else None,
        leakage_uw=sum(part.leakage_uw for part in parts),
        slowest_ns=max((p.slowest_ns for p in parts if p.slowest_ns is not None), default=None),
        table_um2=sum(table) if table else None,
    )


def module_rows(chip: Synthesized) -> list[CostModule]:
    """Return a row for each module, in the order of the hierarchy."""
    instances: Counter[str] = Counter()
    for (_, module), count in chip.counts.items():
        instances[module] += count
    return [
        CostModule(
            module=name,
            instances=count,
            logic_um2=chip.costs[name].logic_um2,
            buffers_um2=chip.costs[name].buffers_um2,
            macros_um2=chip.costs[name].macros_um2,
            flip_flops=chip.costs[name].flip_flops,
            gated=chip.costs[name].gated,
            memory_bits=bits_of(chip.costs[name]),
            slowest_ns=slowest_of([chip.costs[name]]),
        )
        for name, count in instances.items()
    ]


def corner_of(liberty: str) -> str | None:
    """Return the operating conditions that a library names; None: it names none."""
    found = re.search(r'default_operating_conditions\s*:\s*"?([^";\s]+)', liberty)
    return found[1] if found else None


def licence_of(liberty: str) -> str | None:
    """Return the licence that the head of a library names; None: none that is known."""
    head = liberty[:HEAD]
    return next((name for words, name in LICENCES.items() if words in head), None)
