"""What is explored and with which constants: Table III, and the size of the design space."""

import math
from collections.abc import Iterator

from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.rules import PUBLISHED, Rules
from hwgen_studies.comparison import PaperRow, row
from hwgen_studies.pimsyn_paper.published import PARAMETERS, SPACE_DECADES
from hwgen_studies.pimsyn_paper.searches import Searches

PORTS = 5
"""Of a router in our mesh: four neighbours and its macro."""

EDRAM_KILOBYTES = 64
"""The scratchpad of Table III."""

SPACES = {"copies": False, "copies and macros": True}
"""What is counted, and whether macros are."""


def space_rows(searches: Searches, names: tuple[str, ...]) -> Iterator[PaperRow]:
    """Yield the size of the design space (section III) of each network, as a power of ten."""
    from hwgen_studies.pimsyn_paper.published_search.search import decades
    from hwgen_studies.pimsyn_paper.published_search.tasks import Problem

    for name in names:
        problem = Problem(
            network=searches.network(name),
            components=searches.components,
            power_w=searches.request.power_w,
            rules=PUBLISHED,
        )
        for what, macros in SPACES.items():
            ours = decades(problem, macros=macros)
            yield row(
                "Section III",
                f"size of the design space, {what}",
                name,
                published=SPACE_DECADES.get(name),
                ours=ours if math.isfinite(ours) else None,
                unit="decades",
                reason="Ours counts all points with the code's four ratios, all copies that keep "
                f"to Eq. 2 and 3 at {problem.power_w:g} W and, where they are named, all macros by "
                "rule c; the paper says up to 10^27 for VGG13 alone, and neither its budget nor "
                "what it counts.",
            )


def parameter_rows(searches: Searches) -> Iterator[PaperRow]:
    """Yield Table III: our constants against the paper's, then against the public code's."""
    ours = parameters_of(searches.components, searches.request.rules)
    for each in PARAMETERS:
        for who, published, reason in (
            ("paper", each.paper, "Our constants are those of the public code, not of the paper."),
            (
                "public code",
                each.code,
                "Our table of components is the public code's; for strict rules it goes on below "
                "64 KB, and its peaks are raised only where a design is judged.",
            ),
        ):
            if published is not None:
                yield row(
                    "Table III",
                    f"{each.name}, {who}",
                    None,
                    published=published,
                    ours=ours[each.name],
                    unit=each.unit,
                    reason=reason,
                )


def parameters_of(components: Components, rules: Rules) -> dict[str, float]:
    """Return our parameters by the names of `PARAMETERS`, in their units."""
    sides = components.crossbars.sizes
    adcs, dacs = components.adcs.resolutions, components.dacs.resolutions
    cells = components.crossbars.cell_bits
    pads = components.scratchpads.to_choose_from(published=not rules.one_port)
    edram = next(each for each in pads if each.kilobytes == EDRAM_KILOBYTES)
    return {
        "scratchpad, least capacity": min(each.kilobytes for each in pads),
        "scratchpad, bus": components.scratchpads.bus_bits,
        "scratchpad, power of 64 KB": 1e3 * edram.leakage_w,
        "network on chip, flit": components.network_on_chip.flit_bits,
        "network on chip, ports": PORTS,
        "network on chip, power": 1e3 * components.network_on_chip.power_w,
        "crossbar, least side": min(each.side for each in sides),
        "crossbar, most side": max(each.side for each in sides),
        "crossbar, least power": 1e3 * min(each.peak_w for each in sides),
        "crossbar, most power": 1e3 * max(each.peak_w for each in sides),
        "cell, least precision": min(cells),
        "cell, most precision": max(cells),
        "DAC, least resolution": min(each.bits for each in dacs),
        "DAC, most resolution": max(each.bits for each in dacs),
        "DAC, least power": 1e6 * min(each.peak_w for each in dacs),
        "DAC, most power": 1e6 * max(each.peak_w for each in dacs),
        "ADC, least resolution": min(each.bits for each in adcs),
        "ADC, most resolution": max(each.bits for each in adcs),
        "ADC, least power": 1e3 * min(each.peak_w for each in adcs),
        "ADC, most power": 1e3 * max(each.peak_w for each in adcs),
    }
