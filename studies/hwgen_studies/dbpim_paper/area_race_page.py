"""The race of equal areas: its report, page and picture."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from matplotlib.ticker import LogLocator, NullFormatter
from pydantic.dataclasses import dataclass

from hwgen.report.sheet import Sheet
from hwgen.report.svg import ACCENT, HALF, MUTED, SECOND, name_series, picture
from hwgen.report.tables import number, percent
from hwgen.report.types import STRICT, Count, Digest, Fraction, NotNegative, Source
from hwgen_studies.dbpim_paper import published
from hwgen_studies.dbpim_paper.clock import Clock, slowest_words

HEIGHT = 4.0
Kind = Literal["dense", "sparse"]
ABOUT = (
    "Cycles are those of the cycle model, which RTL equals, for one image, loading included. Areas"
    " and energies are modelled, by the 45 nm table. Dense chips of the sweep have no switch, no"
    " masks and queues of two groups, for they need no more. Sizes that no chip can have are left"
    " out; more than 8 cores of 8 macros the generator does not make, so that the fastest dense"
    " chip may be smaller than the sparse one. Per area: cycles times mm2 of the dense chip over"
    " those of the sparse chip, as if copies of either filled the same area without loss."
)
COLUMNS = (
    *("chip", "cores", "macros", "SIMD lanes", "lanes a requantizer", "mm2", "cycles"),
    *("us at {netlist:.0f} MHz", "us at {paper:.0f} MHz", "uJ", "uJ, logic not leaking"),
)
RACES = (
    *("sparse chip", "beside", "times faster", "per area", "energy saved"),
    "saved, logic not leaking",
)
CLOCKS = (
    "Time at {netlist:.0f} MHz is at the clock of the sparse chip's netlist: {slowest}"
    " ([report]({report})), without wires; dense chips are given the same clock. {paper:.0f} MHz is"
    " the paper's highest clock."
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AreaChip:
    """A chip and what one image takes on it.

    macros_per_core, simd_lanes: of a core; queue_depth: 2 for a dense chip of the sweep
    energy_uj: on the chip; energy_without_logic_leakage_uj: the same, memories leaking alone
    """

    kind: Kind
    cores: Count
    macros_per_core: Count
    simd_lanes: Count
    lanes_per_requantizer: Count
    queue_depth: Count
    cycles: Count
    load_cycles: Count
    area_mm2: NotNegative
    energy_uj: NotNegative
    energy_without_logic_leakage_uj: NotNegative

    @property
    def spent(self) -> float:
        """Cycles times area: the less, the more images an area computes."""
        return self.cycles * self.area_mm2


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PaperNetwork:
    """One of the paper's networks on the sparse chip and on the dense one with the same macros.

    training, short, accuracy: as `hwgen results` has them; commit: of both runs
    """

    name: str
    training: str
    short: bool
    accuracy: Fraction | None
    dense_cycles: Count
    sparse_cycles: Count
    commit: str | None

    @property
    def speedup(self) -> float:
        """Dense cycles over sparse ones."""
        return self.dense_cycles / self.sparse_cycles


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AreaRaceReport:
    """All chips of the sweep, and the two that have the same macros.

    sizes: what varies; refused: chips that do not run the network
    same_macros: the architecture with its switches off; sparse: with all of them on
    cycles_rtl: of the sparse chip in Verilog, every element and cycle equal
    """

    format: Literal["hwgen.report.area_race"]
    version: Literal[1]
    network: Source
    weights: str
    architecture: Source
    images_name: str
    images_digest: Digest
    table: Source
    area_uncertainty: Fraction
    clock: Clock
    sizes: dict[str, list[Count]]
    same_macros: AreaChip
    sparse: AreaChip
    cycles_rtl: Count
    chips: list[AreaChip]
    refused: Count
    paper_networks: list[PaperNetwork]
    commit: str | None
    machine: str
    command: str
    versions: dict[str, str]

    def fastest(self, kind: Kind) -> AreaChip:
        """Return the fastest chip of at most the area of the sparse chip; of equals the smallest.

        A tenth of a percent of the cycles counts as equal.
        """
        fit = [chip for chip in self.of(kind) if chip.area_mm2 <= self.sparse.area_mm2]
        least = min(chip.cycles for chip in fit)
        return min(
            (chip for chip in fit if chip.cycles <= 1.001 * least), key=lambda chip: chip.area_mm2
        )

    def least_area_time(self, kind: Kind) -> AreaChip:
        """Return the chip that takes the least cycles times area."""
        return min(self.of(kind), key=lambda chip: chip.spent)

    def of(self, kind: Kind) -> list[AreaChip]:
        """Return all chips of a kind, that with the macros of the architecture included."""
        own = {"dense": self.same_macros, "sparse": self.sparse}[kind]
        return [own, *(chip for chip in self.chips if chip.kind == kind)]


def area_race_page(report: AreaRaceReport, picture_name: str) -> str:
    """Return the page."""
    lines = [
        "# DB-PIM: the race of equal areas",
        "",
        headline(report),
        "",
        ABOUT,
        "",
        f"![Area against cycles]({picture_name})",
        "",
    ]
    clocks = {"netlist": report.clock.mhz, "paper": published.CLOCK_MHZ}
    columns = [column.format(**clocks) for column in COLUMNS]
    rows = (chip_cells(name, chip, clocks.values()) for name, chip in chosen_chips(report).items())
    lines += [*Sheet(columns, rows).markdown(), ""]
    clock = report.clock
    lines += [CLOCKS.format(**clocks, slowest=slowest_words(clock), report=clock.report)]
    lines += ["", *Sheet(RACES, race_cells(report)).markdown(), ""]
    lines += [f"Areas are uncertain by {report.area_uncertainty:.0%}, alike on both sides.", ""]
    lines += ["## The paper's networks", "", *paper_lines(report.paper_networks), ""]
    lines += ["## Circumstances", ""]
    lines += [
        f"- network: {report.network.name}, digest {report.network.digest[:16]}",
        f"- image: the first of {report.images_name}, digest {report.images_digest[:16]}",
        f"- architecture: {report.architecture.name}, digest {report.architecture.digest[:16]}",
        f"- table: {report.table.name}, digest {report.table.digest[:16]}",
        f"- chips: {len(report.chips)} ran, {report.refused} refused; "
        + "; ".join(f"{key} {', '.join(map(str, each))}" for key, each in report.sizes.items()),
        f"- commit: {report.commit or 'unknown'}; machine: {report.machine}",
        f"- command: `{report.command}`",
    ]
    return "\n".join(lines) + "\n"


def headline(report: AreaRaceReport) -> str:
    """Return what the race says, in sentences."""
    sparse, fastest = report.sparse, report.fastest("dense")
    dense, best = report.least_area_time("dense"), report.least_area_time("sparse")
    return (
        f"{report.network.name} ({report.weights}) in {number(report.cycles_rtl)} cycles of its"
        " Verilog, every element and every cycle equal: the sparse chip"
        f" `{report.architecture.name}` is"
        f" **{fastest.cycles / sparse.cycles:.2f} times faster** than the best dense chip of at"
        f" most its area, **{fastest.spent / sparse.spent:.2f} times per area**; than the dense"
        f" chip with the same macros {report.same_macros.cycles / sparse.cycles:.2f} times. Over"
        " the dense chip of the least cycles times area it is"
        f" {dense.spent / sparse.spent:.2f} times per area, the sparse chip of the least"
        f" {dense.spent / best.spent:.2f} times.{not_of_the_paper(report.network.name)}"
    )


def not_of_the_paper(network: str) -> str:
    """Return the sentence that a network is none of the paper's; empty: it is one of them."""
    if any(name in network for name in published.NETWORKS):
        return ""
    return f" {network} is none of the paper's five networks."


def chosen_chips(report: AreaRaceReport) -> dict[str, AreaChip]:
    """Return the chips that the page names, by what they are."""
    return {
        f"sparse, `{report.architecture.name}`": report.sparse,
        "dense, same macros, all switches off": report.same_macros,
        "dense, fastest of at most that area": report.fastest("dense"),
        "dense, least cycles times area": report.least_area_time("dense"),
        "sparse, fastest of at most that area": report.fastest("sparse"),
        "sparse, least cycles times area": report.least_area_time("sparse"),
    }


def chip_cells(name: str, chip: AreaChip, clocks: Iterable[float]) -> Iterator[str]:
    """Yield the cells of a chip; clocks: in MHz."""
    yield name
    yield from (number(chip.cores), f"{chip.cores * chip.macros_per_core}")
    yield from (number(chip.simd_lanes), number(chip.lanes_per_requantizer))
    yield f"{chip.area_mm2:.2f}"
    yield number(chip.cycles)
    yield from (f"{chip.cycles / mhz:,.1f}" for mhz in clocks)
    yield f"{chip.energy_uj:.1f}"
    yield f"{chip.energy_without_logic_leakage_uj:.1f}"


def race_cells(report: AreaRaceReport) -> Iterator[list[str]]:
    """Yield each race: the sparse chip beside three dense ones, then best beside best."""
    chips = chosen_chips(report)
    own, same, fastest, densest, fastest_sparse, densest_sparse = chips
    pairs = [(own, same), (own, fastest), (own, densest)]
    pairs += [(fastest_sparse, fastest), (densest_sparse, densest)]
    for one, other in pairs:
        sparse, dense = chips[one], chips[other]
        yield [
            one,
            other,
            f"{dense.cycles / sparse.cycles:.2f}",
            f"{dense.spent / sparse.spent:.2f}",
            percent(1 - sparse.energy_uj / dense.energy_uj),
            percent(
                1 - sparse.energy_without_logic_leakage_uj / dense.energy_without_logic_leakage_uj
            ),
        ]


def paper_lines(networks: Sequence[PaperNetwork]) -> Iterator[str]:
    """Yield the paper's networks beside its best, over the dense chip with the same macros."""
    yield (
        f"The abstract's best of five is {published.SPEEDUP_BEST} times, over the dense chip with"
        " the same macros. Ours, one image, every element and cycle of the Verilog equal, as"
        " [the networks' page](dbpim-networks.md) has them:"
    )
    yield ""
    known = [each for each in networks if not each.short]
    if known:
        best = max(known, key=lambda each: each.speedup)
        yield (
            f"Our best of its networks, of those that the page does not mark: {title(best)},"
            f" {best.speedup:.2f} times. Which of them are trained long enough today"
            " [the page of trainings](../training.md#figures-of-trained-networks) says."
        )
        yield ""
    heads = ["network", "weights", "accuracy", "dense cycles", "sparse cycles", "times", "commit"]
    yield from Sheet(
        heads,
        (
            [
                title(each),
                f"{'short: ' if each.short else ''}{each.training}",
                percent(each.accuracy),
                number(each.dense_cycles),
                number(each.sparse_cycles),
                f"{each.speedup:.2f}",
                each.commit or "unknown",
            ]
            for each in networks
        ),
    ).markdown()


def title(network: PaperNetwork) -> str:
    """Return the name of a network as people write it."""
    return published.TITLES[network.name]


def area_race_picture(report: AreaRaceReport) -> str:
    """Return SVG: cycles over area of all chips, the paper's two by name."""
    kept: list[str] = []
    with picture(HALF, HEIGHT, kept) as axes:
        for kind, colour in (("dense", SECOND), ("sparse", ACCENT)):
            chips = [chip for chip in report.chips if chip.kind == kind]
            areas, cycles = [c.area_mm2 for c in chips], [c.cycles / 1000 for c in chips]
            axes.plot(areas, cycles, "o", color=colour, markersize=3, label=kind)
        for chip, name in (
            (report.sparse, report.architecture.name),
            (report.same_macros, "same macros, switches off"),
            (report.fastest("dense"), "best dense of at most the area"),
        ):
            place = (chip.area_mm2, chip.cycles / 1000)
            axes.plot(*place, "o", color=MUTED, markersize=8, fillstyle="none")
            axes.annotate(name, place, textcoords="offset points", xytext=(7, 5), fontsize=7)
        axes.axvline(report.sparse.area_mm2, color=MUTED, linewidth=0.8, linestyle=":")
        axes.set_yscale("log")
        axes.set_xlabel("mm2, 45 nm table")
        axes.set_ylabel("kcycles an image")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.grid()
        name_series(axes)
    return kept[0] + "\n"
