"""The race of equal areas: its report, page and picture."""

from collections.abc import Iterator, Sequence
from typing import Literal

from matplotlib.ticker import LogLocator, NullFormatter
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.sheet import Sheet
from hwgen.report.svg import ACCENT, HALF, MUTED, SECOND, name_series, picture
from hwgen.report.tables import number, percent
from hwgen.report.types import Count, Digest, Fraction, NotNegative, Source
from hwgen_studies.dbpim_paper import published
from hwgen_studies.dbpim_paper.clock import Clock, slowest_words

HEIGHT = 4.0
Kind = Literal["dense", "sparse"]
ABOUT = (
    "Both kinds of chips may have every size of the sweep below: of macros, buffers, partial sums,"
    " lanes and the memory port. The best chips known from an earlier search begin. `hwgen explore`"
    " searches from them ({points} chips of each kind here); then `hwgen sweep` takes one or two"
    " keys of the best chip a step up and down, until nothing is better or {steps} times. So a"
    " better chip of either kind may be there. Dense chips are emitted as they stand here, without"
    " the parts for sparsity (`sparse_parts: false`).",
    "Cycles are those of the cycle model, which RTL equals, for one image, loading included. Areas"
    " and energies are modelled, by the 45 nm table. Per area: cycles times mm2 of the dense chip"
    " over those of the sparse chip, as if copies of either filled the same area without loss.",
)
COLUMNS = (
    *("chip", "cores x macros", "macro", "mm2", "cycles", "us at {mhz:.0f} MHz", "uJ"),
    "uJ with memory",
)
OTHERS = (
    *("chip", "tile rows", "buffer KB", "partial sums", "SIMD lanes", "lanes a requantizer"),
    *("bus words", "port bits"),
)
RACES = ("sparse chip", "dense chip", "times faster", "per area", "energy saved", "with memory")
NETLISTS = ("chip", "ns", "MHz", "us", "mm2, netlist", "mm2, table", "per area and time")
CONDITIONS = ("", "dense", "`{paper}`", "sparse", "`{paper}`, per area", "sparse, per area")
CLOCKS = (
    "Times are at the clock of the netlist of `{paper}`: {slowest} (`{report}`), without"
    " wires. The paper's highest clock is {highest:.0f} MHz. Macro: compartments x cell columns x"
    " rows. uJ: of the chip; with memory: with the memory outside, 8 pJ a bit"
    " ([the constant](../../configs/energy/memory_outside.yaml))."
)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AreaChip:
    """A chip and what one image takes on it.

    values: sizes by their keys
    energy_uj: on the chip; with_outside_uj: with the memory outside
    """

    kind: Kind
    values: dict[str, Count]
    cycles: Count
    area_mm2: NotNegative
    energy_uj: NotNegative
    with_outside_uj: NotNegative

    @property
    def spent(self) -> float:
        """Cycles times area: the less, the more images an area computes."""
        return self.cycles * self.area_mm2


def least(chips: Sequence[AreaChip]) -> AreaChip:
    """Return the chip that takes the least cycles times area; of equals the first."""
    return min(chips, key=lambda chip: chip.spent)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Netlist:
    """The netlist of a chip as it is emitted: its slowest path, its area with memories."""

    ns: NotNegative
    area_mm2: NotNegative


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Spread:
    """Cycles of some images, one a run."""

    images: Count
    mean: NotNegative
    least: Count
    most: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
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


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AreaRaceReport:
    """All chips of the searches, and the two of the paper.

    sizes: what varies of each kind; points: chips that a search of each kind predicts; steps: how
        often some keys of the best chip were varied, at most
    same_macros: the architecture with its switches off; sparse: with all of them on
    cycles_rtl: of the sparse chip in Verilog, every element and cycle equal
    netlists (empty: none was made), batch_cycles, images: of `paper`, and of the `dense` and
        `sparse` chip of the least cycles times area; batch_cycles: of an image on average, in a run
        of `batch`
    unpruned: cycles of `paper` and `sparse` that skip no pruned block
    memory: constant of the memory outside
    """

    format: Literal["hwgen.report.area_race"]
    version: Literal[2]
    network: Source
    weights: str
    architecture: Source
    images_name: str
    images_digest: Digest
    table: Source
    memory: Source
    area_uncertainty: Fraction
    clock: Clock
    sizes: dict[Kind, dict[str, list[Count]]]
    points: Count
    steps: Count
    same_macros: AreaChip
    sparse: AreaChip
    cycles_rtl: Count
    chips: list[AreaChip]
    netlists: dict[str, Netlist]
    unpruned: dict[str, Count]
    batch: Count
    batch_cycles: dict[str, NotNegative]
    images: dict[str, Spread]
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
        fewest = min(chip.cycles for chip in fit)
        return min(
            (chip for chip in fit if chip.cycles <= 1.001 * fewest), key=lambda chip: chip.area_mm2
        )

    def least_area_time(self, kind: Kind) -> AreaChip:
        """Return the chip that takes the least cycles times area."""
        return least(self.of(kind))

    def of(self, kind: Kind) -> list[AreaChip]:
        """Return all chips of a kind, that with the macros of the architecture included."""
        own = {"dense": self.same_macros, "sparse": self.sparse}[kind]
        return [*(chip for chip in self.chips if chip.kind == kind), own]

    @property
    def best_per_area(self) -> float:
        """Cycles times area of the best dense chip over those of the best sparse one."""
        return self.least_area_time("dense").spent / self.least_area_time("sparse").spent


def area_race_page(report: AreaRaceReport, picture_name: str) -> str:
    """Return the page."""
    paper = report.architecture.name
    chips = chosen_chips(report)
    columns = [column.format(mhz=report.clock.mhz) for column in COLUMNS]
    clocks = CLOCKS.format(
        paper=paper,
        slowest=slowest_words(report.clock),
        report=report.clock.report,
        highest=published.CLOCK_MHZ,
    )
    rows = (chip_cells(name, chip, report.clock.mhz) for name, chip in chips.items())
    others = (other_cells(name, chip) for name, chip in chips.items())
    lines = ["# DB-PIM: the race of equal areas", "", headline(report), ""]
    for text in ABOUT:
        lines += [text.format(points=report.points, steps=report.steps), ""]
    lines += [f"![Area against cycles]({picture_name})", ""]
    lines += ["## The chips", "", *Sheet(columns, rows).markdown(), "", clocks, ""]
    lines += [*Sheet(OTHERS, others).markdown(), ""]
    lines += ["## Sparse beside dense", "", *Sheet(RACES, race_cells(report)).markdown(), ""]
    lines += [f"Areas of the table are uncertain by {report.area_uncertainty:.0%}.", ""]
    if report.netlists:
        lines += [beside_netlists(report), ""]
        lines += ["## Each at the clock of its own netlist", ""]
        lines += [*Sheet(NETLISTS, netlist_cells(report)).markdown(), ""]
        lines += ["Per area and time: of the dense chip over the chip, areas of netlists.", ""]
    lines += ["## Other images, batches and weights", ""]
    heads = [column.format(paper=paper) for column in CONDITIONS]
    lines += [*Sheet(heads, condition_cells(report)).markdown(), ""]
    lines += [CONDITIONS_ABOUT, ""]
    lines += ["## The paper's networks", "", *paper_lines(report.paper_networks), ""]
    return "\n".join([*lines, *circumstances(report)]) + "\n"


CONDITIONS_ABOUT = (
    "Cycles of an image on the dense and the sparse chip of the least cycles times area, and on the"
    " paper's. Without pruned blocks: the sparse chips skip none, though half of the blocks of the"
    " network are zero."
)


def circumstances(report: AreaRaceReport) -> Iterator[str]:
    """Yield what the page was made of."""
    yield from ("## Circumstances", "")
    yield f"- network: {report.network.name}, digest {report.network.digest[:16]}"
    yield f"- image: the first of {report.images_name}, digest {report.images_digest[:16]}"
    yield f"- architecture: {report.architecture.name}, digest {report.architecture.digest[:16]}"
    yield f"- table: {report.table.name}, digest {report.table.digest[:16]}"
    yield f"- memory outside: {report.memory.name}, digest {report.memory.digest[:16]}"
    for kind, sizes in report.sizes.items():
        varied = (f"{key} {', '.join(map(str, each))}" for key, each in sizes.items())
        number_of = sum(chip.kind == kind for chip in report.chips)
        yield f"- {kind} chips that ran: {number_of}; {'; '.join(varied)}"
    yield f"- commit: {report.commit or 'unknown'}; machine: {report.machine}"
    yield f"- command: `{report.command}`"


def headline(report: AreaRaceReport) -> str:
    """Return what the race says, in sentences."""
    sparse, paper = report.sparse, f"`{report.architecture.name}`"
    dense, fastest = report.least_area_time("dense"), report.fastest("dense")
    return (
        f"Per area, the best sparse chip found is **{report.best_per_area:.2f} times** as fast as"
        f" the best dense chip found, and {paper} {dense.spent / sparse.spent:.2f} times:"
        f" {report.network.name} ({report.weights}), one image. Of at most the area of {paper}, the"
        f" fastest sparse chip is {fastest.cycles / report.fastest('sparse').cycles:.2f} times as"
        f" fast as the fastest dense chip, and {paper} {fastest.cycles / sparse.cycles:.2f} times."
        f" Than the dense chip with the same macros {paper} is"
        f" {report.same_macros.cycles / sparse.cycles:.2f} times as fast, as the paper compares: a"
        f" dense chip of other sizes is better than that one. {paper} takes"
        f" {number(report.cycles_rtl)} cycles of its Verilog, every element and every cycle equal."
        f"{not_of_the_paper(report.network.name)}"
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
        "dense, same macros, switches off": report.same_macros,
        "dense, least cycles times area": report.least_area_time("dense"),
        "sparse, least cycles times area": report.least_area_time("sparse"),
        "dense, fastest of at most that area": report.fastest("dense"),
        "sparse, fastest of at most that area": report.fastest("sparse"),
    }


def chip_cells(name: str, chip: AreaChip, mhz: float) -> Iterator[str]:
    """Yield the cells of a chip."""
    size = chip.values
    yield name
    yield f"{size['cores']} x {size['macros_per_core']}"
    yield " x ".join(str(size[f"macro.{key}"]) for key in ("compartments", "columns", "rows"))
    yield f"{chip.area_mm2:.2f}"
    yield number(chip.cycles)
    yield f"{chip.cycles / mhz:,.1f}"
    yield f"{chip.energy_uj:.1f}"
    yield f"{chip.with_outside_uj:.1f}"


def other_cells(name: str, chip: AreaChip) -> Iterator[str]:
    """Yield the other sizes of a chip."""
    size = chip.values
    yield name
    yield str(size["tile_rows"])
    yield f"{size['buffer_bytes'] / 1024:g}"
    for key in ("psum_entries", "simd_lanes", "lanes_per_requantizer", "bus_words", "port_bits"):
        yield str(size[key])


def race_cells(report: AreaRaceReport) -> Iterator[list[str]]:
    """Yield each race: best beside best, the paper's chip beside three dense ones."""
    chips = chosen_chips(report)
    own, same, dense, sparse, fast_dense, fast_sparse = chips
    pairs = [(sparse, dense), (fast_sparse, fast_dense), (own, dense), (own, fast_dense)]
    for one, other in [*pairs, (own, same)]:
        left, right = chips[one], chips[other]
        yield [
            one,
            other,
            f"{right.cycles / left.cycles:.2f}",
            f"{right.spent / left.spent:.2f}",
            percent(1 - left.energy_uj / right.energy_uj),
            percent(1 - left.with_outside_uj / right.with_outside_uj),
        ]


def compared(report: AreaRaceReport) -> dict[str, AreaChip]:
    """Return the three chips that are measured further, by the names of the report."""
    return {
        "dense": report.least_area_time("dense"),
        "paper": report.sparse,
        "sparse": report.least_area_time("sparse"),
    }


def beside_netlists(report: AreaRaceReport) -> str:
    """Return how far the areas of netlists are from those of the table, which is not alike."""
    names = {"dense": "the dense chip", "sparse": "the sparse one", "paper": "`paper`"}
    apart = []
    for name, chip in compared(report).items():
        more = report.netlists[name].area_mm2 / chip.area_mm2 - 1
        apart.append(f"{round(100 * more):+d} % of {names[name]}")
    return f"It errs on one side more than on the other: netlists have {', '.join(apart)}."


def netlist_cells(report: AreaRaceReport) -> Iterator[list[str]]:
    """Yield clock, time and area of the netlists."""
    names = {
        "dense": "dense, least cycles times area",
        "paper": f"sparse, `{report.architecture.name}`",
        "sparse": "sparse, least cycles times area",
    }
    chips = compared(report)

    def spent(name: str) -> float:
        netlist = report.netlists[name]
        return chips[name].cycles * netlist.ns * netlist.area_mm2

    for name, chip in chips.items():
        netlist = report.netlists[name]
        yield [
            names[name],
            f"{netlist.ns:.2f}",
            f"{1000 / netlist.ns:.0f}",
            f"{chip.cycles * netlist.ns / 1000:,.1f}",
            f"{netlist.area_mm2:.2f}",
            f"{chip.area_mm2:.2f}",
            f"{spent('dense') / spent(name):.2f}",
        ]


def condition_cells(report: AreaRaceReport) -> Iterator[list[str]]:
    """Yield cycles of an image on three chips, and both sparse ones per area."""
    chips, spread = compared(report), report.images
    one = {name: float(chip.cycles) for name, chip in chips.items()}
    images = spread["dense"].images
    rows = {
        "one image": one,
        "without pruned blocks": {**one, **{k: float(v) for k, v in report.unpruned.items()}},
        f"{report.batch} images a run": report.batch_cycles,
        f"{images} images, mean": {name: each.mean for name, each in spread.items()},
        f"{images} images, least": {name: float(each.least) for name, each in spread.items()},
        f"{images} images, most": {name: float(each.most) for name, each in spread.items()},
    }
    for name, cycles in rows.items():
        spent = {which: cycles[which] * chips[which].area_mm2 for which in chips}
        yield [
            name,
            *(number(round(cycles[which])) for which in chips),
            *(f"{spent['dense'] / spent[which]:.2f}" for which in ("paper", "sparse")),
        ]


def paper_lines(networks: Sequence[PaperNetwork]) -> Iterator[str]:
    """Yield the paper's networks beside its best, over the dense chip with the same macros."""
    yield (
        f"The abstract's best of five is {published.SPEEDUP_BEST} times, over the dense chip with"
        " the same macros. Ours ran on 27 November 2026, one image each, every element and cycle of"
        " the Verilog equal ([history](history.md): these networks do not ship):"
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
            (report.least_area_time("dense"), "best dense"),
            (report.least_area_time("sparse"), "best sparse"),
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
