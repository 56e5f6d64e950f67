"""PIMSYN and ours by the same rules, and what the oddities of the table of parts decide.

    python -m hwgen_studies.pimsyn_paper.same_rules --out FILE --json FILE

writes the page and the report. Searches are cached in the work folder, so that an interrupted
command goes on. Each has few evaluations; the page says how many, and with which seed.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwgen.commands.context import Context
from hwgen.commands.origin import commit
from hwgen.crossbar.facts.components import Components, load_components
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import RULES
from hwgen.crossbar.pages.problem import COMPONENTS
from hwgen.errors import HwgenError
from hwgen.files.output import write_text
from hwgen.files.shipped import shown
from hwgen.report.files import write_report
from hwgen.report.types import Source
from hwgen_studies.options import page_options
from hwgen_studies.pimsyn_paper.published import CODE_GOPS_PER_W, CODE_POWER_W
from hwgen_studies.pimsyn_paper.same_rules_page import (
    CodeRow,
    SameRulesReport,
    TableRow,
    same_rules_page,
)
from hwgen_studies.pimsyn_paper.searches import Request, Searches, searches

if TYPE_CHECKING:
    from hwgen.crossbar.facts.arch import Arch
    from hwgen.crossbar.synthesis.result import SearchResult

EVALUATIONS = 4_000
"""Of each search."""
NODES = 120
"""Of the design space that each search bounds."""
SEED, OTHER_SEED = 1, 2
NETWORKS = ("alexnet",)
"""Those whose answers are set beside other tables."""
CODE = ("alexnet", "vgg16")
"""Those whose answers are set beside the public code's."""
SHIPPED = "as it ships"
OTHER = "as it ships, another seed"
ROUTER_W = 0.042
"""Of a router of 8 ports and 32 bits: PIMSYN's Table III; ISAAC has one for four tiles."""


def with_adc(components: Components, bits: int, **powers: Any) -> Components:
    """Return the table with other powers of the ADC of so many bits."""
    resolutions = tuple(
        replace(adc, **powers) if adc.bits == bits else adc for adc in components.adcs.resolutions
    )
    return replace(components, adcs=replace(components.adcs, resolutions=resolutions))


def six_bits(components: Components) -> Components:
    """Return the table with a peak of the ADC of 6 bits that is its static and dynamic power."""
    (adc,) = [adc for adc in components.adcs.resolutions if adc.bits == 6]
    return with_adc(components, 6, peak_w=adc.static_w + adc.dynamic_w)


def seven_bits(components: Components) -> Components:
    """Return the table with an ADC of 7 bits that takes no more for a sample than one of 8."""
    known = {adc.bits: adc for adc in components.adcs.resolutions}
    faster = known[7].samples_per_ns / known[8].samples_per_ns
    return with_adc(
        components, 7, dynamic_w=known[8].dynamic_w * faster, peak_w=known[8].peak_w * faster
    )


def chip_router(components: Components) -> Components:
    """Return the table with the paper's power of the network on chip, for the chip as a whole."""
    mesh = replace(components.network_on_chip, power_w=ROUTER_W)
    return replace(components, network_on_chip=mesh)


def routers(share: float) -> Callable[[Components], Components]:
    """Return what gives each macro a share of a router, in place of one power for the chip.

    A macro has one scratchpad; the router's power is added to what that takes all the time. The
    power of the chip must be positive, and becomes a nanowatt.
    """

    def change(components: Components) -> Components:
        capacities = tuple(
            replace(pad, leakage_w=pad.leakage_w + share * ROUTER_W)
            for pad in components.scratchpads.capacities
        )
        return replace(
            components,
            scratchpads=replace(components.scratchpads, capacities=capacities),
            network_on_chip=replace(components.network_on_chip, power_w=1e-9),
        )

    return change


TABLES: dict[str, Callable[[Components], Components]] = {
    SHIPPED: lambda components: components,
    OTHER: lambda components: components,
    "ADC of 6 bits: peak 1.08 mW, not 0.126": six_bits,
    "ADC of 7 bits: 2 mW a sample a ns, not 2.5": seven_bits,
    "network on chip: 42 mW, not 104": chip_router,
    "router of 42 mW for four macros": routers(0.25),
    "router of 42 mW for each macro": routers(1.0),
}
"""Tables of parts, by what is changed in words."""


def measure(
    context: Context,
    file: Path,
    *,
    networks: Sequence[str],
    code: Sequence[str],
    evaluations: int,
    workers: int = 1,
) -> SameRulesReport:
    """Return what searches answer by published and by strict rules, with each table of parts.

    networks: whose answers are set beside other tables; code: beside the public code's figures
    """
    components = load_components(file)
    request = Request(
        networks=tuple(networks),
        power_w=CODE_POWER_W,
        components=file,
        rules=RULES["published"],
        seed=SEED,
        evaluations=evaluations,
        workers=workers,
    )
    with searches(context, request, components) as each:
        rows = [
            row
            for rules in RULES
            for name in networks
            for row in table_rows(
                replace(each, request=replace(request, rules=RULES[rules])), name, rules
            )
        ]
        beside = list(code_rows(each, code))
    return SameRulesReport(
        format="hwgen.report.pimsyn_rules",
        version=1,
        commit=commit(),
        components=Source(name=components.name, file=shown(file), digest=components.digest),
        power_budget_w=CODE_POWER_W,
        evaluations=evaluations,
        nodes=NODES,
        seed=SEED,
        other_seed=OTHER_SEED,
        least_adc_bits=min(point.adc_bits for point in points(components, RULES["strict"])),
        code=beside,
        rows=rows,
    )


def code_rows(each: Searches, names: Sequence[str]) -> Iterator[CodeRow]:
    """Yield what the public code reaches, and ours by its rules."""
    for name in names:
        found = search(each, name)
        for who, published in CODE_GOPS_PER_W[name]:
            yield CodeRow(
                network=name,
                who=who,
                published_gops_per_w=published,
                gops_per_w=found.best.efficiency_gops_per_w if found else None,
                at_most_gops_per_w=found.bound_gops_per_w if found else None,
                peak_w=found.best.peak_w if found else None,
            )


def search(each: Searches, name: str) -> "SearchResult | None":
    """Return the answer for a network."""
    request = each.request
    return each.bounded(name, request.power_w, evaluations=request.evaluations, nodes=NODES)


def table_rows(each: Searches, name: str, rules: str) -> Iterator[TableRow]:
    """Yield the answer with each table, and what the first answer takes by it."""
    shipped: Arch | None = None
    for what, change in TABLES.items():
        seed = OTHER_SEED if what == OTHER else SEED
        mended = replace(
            each,
            components=change(each.components),
            request=replace(each.request, seed=seed),
        )
        found = search(mended, name)
        arch = arch_of(mended, name, found) if found else None
        shipped = shipped or arch
        yield TableRow(
            rules=rules,  # type: ignore[arg-type]
            network=name,
            table=what,
            first_peak_w=peak_w(shipped, mended.components) if shipped else None,
            gops_per_w=found.best.efficiency_gops_per_w if found else None,
            at_most_gops_per_w=found.bound_gops_per_w if found else None,
            crossbar=f"{arch.point.side} x {arch.point.cell_bits} bits" if arch else None,
            dac_bits=arch.point.dac_bits if arch else None,
            adc_bits=arch.adc_bits if arch else None,
            macros=arch.mesh.macros if arch else None,
        )


def arch_of(each: Searches, name: str, found: "SearchResult") -> "Arch":
    """Return the architecture of an answer."""
    from hwgen.crossbar.model.record import make_arch
    from hwgen.crossbar.synthesis.result import confirm

    confirmed = confirm(each.network(name), each.components, found, found.best)
    return make_arch(confirmed, name)


def peak_w(arch: "Arch", components: Components) -> float:
    """Return the peak power of a chip by another table than it was made with."""
    from hwgen.crossbar.model.audit import every_item, total_peak_w

    return total_peak_w(list(every_item(arch, components)))


def main(arguments: Sequence[str]) -> int:
    """Search and write; return the exit code."""
    parser = page_options("pimsyn-rules", __doc__)
    parser.add_argument("--evaluations", type=int, default=EVALUATIONS)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args(arguments)
    try:
        report = measure(
            Context(work=given.work),
            COMPONENTS,
            networks=NETWORKS,
            code=CODE,
            evaluations=given.evaluations,
            workers=given.workers,
        )
        write_text(given.out, same_rules_page(report), what="page")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"pimsyn-rules: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
