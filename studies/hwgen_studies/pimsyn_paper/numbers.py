"""What stands beside the numbers of document 003."""

from collections.abc import Iterator
from statistics import mean

from hwgen.crossbar.facts.point import RRAM_RATIOS
from hwgen.crossbar.facts.rules import rules_of
from hwgen_studies.comparison import PaperRow
from hwgen_studies.numbers import Ours, named, ours_of
from hwgen_studies.pimsyn_paper.published_search.annealing import TEXT_CANDIDATES
from hwgen_studies.pimsyn_paper.report import PaperReport

PLAIN = Ours(value=None, reason="")
MODELLED = Ours(value=None, reason="", cycles="modelled", clock="step of its search")
LIKE = dict.fromkeys(("Fig. 6", "Table V", "Fig. 7", "Fig. 8", "Fig. 9"), MODELLED)
GIBBON = "Gibbon; ours at 49 W"
LAST_SIDE, CONV3_SIDE = 14, 112
"""Of the maps of VGG16's last convolution and of its third."""
CONV3_INPUTS, INPUT_BYTES = 3 * 3 * 64, 2
BUS_BYTES_A_CYCLE = 3200
"""Of ISAAC: 256 bits a ns in its cycle of 100 ns."""


def ours(report: PaperReport) -> dict[str, Ours]:
    """Return the rows of a report by name, and what shapes and constants say."""
    found = ours_of(report.rows, LIKE)
    return found | dict(peaks(report, found)) | dict(constants()) | dict(conv3())


def peaks(report: PaperReport, found: dict[str, Ours]) -> Iterator[tuple[str, Ours]]:
    """Yield the best peak, that over ISAAC's, the power around crossbars, and the mean EDP."""
    best = max(
        (row for row in report.rows if row.what == "peak efficiency, PIMSYN" and row.ours),
        key=lambda row: row.ours or 0.0,
        default=None,
    )
    isaac = found.get(named("Table IV", "peak efficiency, ISAAC"))
    if best is not None and best.ours is not None:
        told = Ours(value=best.ours, reason=best.reason)
        yield named("Table IV", "peak efficiency, PIMSYN, best"), told
        if isaac is not None and isaac.value:
            ratio = Ours(value=best.ours / isaac.value, reason=best.reason)
            yield named("Table IV", "PIMSYN over ISAAC"), ratio
    yield named("Section V-A", "power of peripheral parts of ISAAC"), peripherals(report)
    saved = [saving(row) for row in report.rows if row.what == f"EDP, {GIBBON}" and row.ours]
    if saved:
        yield (
            named("Table V", "EDP below Gibbon's, mean; ours at 49 W"),
            Ours(
                value=mean(saved),
                reason="ours takes 49 W at its peak, Gibbon's budget is not stated",
                cycles="modelled",
            ),
        )


def saving(row: PaperRow) -> float:
    """Return per cent that a row of ours lies below the published one."""
    assert row.published is not None and row.ours is not None
    return 100 * (1 - row.ours / row.published)


def peripherals(report: PaperReport) -> Ours:
    """Return the share of power that is not of ISAAC's crossbars, by the report's parts."""
    from hwgen.crossbar.facts.components import load_components
    from hwgen.crossbar.pages.problem import COMPONENTS
    from hwgen_studies.pimsyn_paper.isaac import peripheral_share

    share = peripheral_share(load_components(COMPONENTS), rules_of(report.rules))
    return Ours(value=100 * share, reason="the paper says `more than`; with PIMSYN's constants")


def constants() -> Iterator[tuple[str, Ours]]:
    """Yield what a search explores, and what its annealer hands on."""
    why = "the ratios of the public code"
    yield (
        named("Table I", "power of the crossbars over all, least"),
        Ours(value=min(RRAM_RATIOS), reason=why),
    )
    yield (
        named("Table I", "power of the crossbars over all, most"),
        Ours(value=max(RRAM_RATIOS), reason=why),
    )
    handed = Ours(value=TEXT_CANDIDATES, reason="")
    yield named("Section IV", "copies that the annealer hands on"), handed


def conv3() -> Iterator[tuple[str, Ours]]:
    """Yield ISAAC's third convolution of VGG16 by its shape: as often as the last one has less."""
    copies = (CONV3_SIDE // LAST_SIDE) ** 2
    size = copies * CONV3_INPUTS * INPUT_BYTES
    why = "64 windows of 576 inputs of 16 bits are 72 KB, which the paper rounds to about 64"
    values = {
        "copies of conv3, ISAAC": copies,
        "inputs of conv3 loaded at once, ISAAC": size / 1024,
        "cycles of that load, ISAAC": size / BUS_BYTES_A_CYCLE,
    }
    for what, value in values.items():
        yield named("Section IV", what, "vgg16"), Ours(value=value, reason=why)
