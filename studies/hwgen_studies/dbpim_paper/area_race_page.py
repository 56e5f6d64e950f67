"""The race of equal areas: its report, page and picture.

Tests: `studies/tests/dbpim_paper/test_area_race.py`.
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report import svg
from hwgen.report.sheet import Sheet
from hwgen.report.svg import HALF, MARKERS, SERIES, name_series, picture
from hwgen.report.tables import number
from hwgen.report.types import Count, Digest, Fraction, NotNegative, Source
from hwgen_studies.dbpim_paper.mac_chip import MacChip

HEIGHT = 4.0
TELLING = 1.2
"""Of a ratio that says something, where areas are uncertain by 30 %."""
DENSE, DENSE4, MASKS, MASKS4, DIGITS, PAIRS, PAPER = (
    *("best_dense", "best_dense4", "best_masks", "best_masks4", "best_digits", "best_pairs"),
    "paper",
)
FORMER_PAGE = "commit d5b784c415, 29 November 2026"
FORMER_DENSE = 99_639 * 1.744 / 1000
FORMER_SPARSE = 37_536 * 2.102 / 1000
"""Kilocycles x mm2 of the best chips of the former page: four filters a dense macro at most, an
area table before netlists of other sizes, the first test image of CIFAR-10."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Netlist:
    """A netlist in the cells of the library.

    mm2: gates, trees of buffers, memories; ns: slowest path, `path` where; macros_ns: that within
    modules of macros
    """

    mm2: NotNegative
    ns: NotNegative
    macros_ns: NotNegative
    path: str


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Spread:
    """Cycles of some test images, one a run."""

    images: Count
    mean: NotNegative
    least: Count
    most: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Weights:
    """A network: its accuracy in integers on so many test images.

    pruned: share of its blocks; seed: of its training; passes: over the training images, of all
    phases behind the float checkpoint
    """

    digest: Digest
    pruned: Fraction
    seed: Count
    accuracy: Fraction
    images: Count
    passes: NotNegative


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RaceChip:
    """A chip that ships with one image of its network; what: in words.

    macros: a core; macro: compartments x cell columns x rows; ends: keys that are as small or as
    large as a search may choose them
    """

    name: str
    what: str
    network: str
    digest: Digest
    cores: Count
    macros: Count
    macro: str
    ends: list[str]
    cycles: Count
    table_mm2: NotNegative
    netlist: Netlist
    images: Spread

    @property
    def by_table(self) -> float:
        """Thousands of cycles times mm2 of the table."""
        return self.cycles * self.table_mm2 / 1000

    @property
    def us(self) -> float:
        """Of an image, at the clock of the netlist."""
        return self.cycles * self.netlist.ns / 1000

    @property
    def by_netlist(self) -> float:
        """Microseconds times mm2 of the netlist."""
        return self.us * self.netlist.mm2


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AreaRaceReport:
    """The chips, with the networks by name; mac: beside the first chip.

    further: some of the chips with another network; points: chips of each kind that a search
    predicts; image: the one whose cycles count
    """

    format: Literal["hwgen.report.area_race"]
    version: Literal[5]
    chips: list[RaceChip]
    further: list[RaceChip]
    mac: MacChip
    networks: dict[str, Weights]
    points: Count
    image: Digest
    table: Source
    area_uncertainty: Fraction
    library: Source
    commit: str | None
    machine: str
    command: str
    versions: dict[str, str]

    def of(self, name: str) -> RaceChip:
        """Return a chip by name."""
        return next(chip for chip in self.chips if chip.name == name)

    def table_ratio(self, name: str, other: str = DENSE) -> float:
        """Return cycles times mm2 of the table of another chip over a chip's."""
        return self.of(other).by_table / self.of(name).by_table

    def ratio(self, name: str, other: str = DENSE) -> float:
        """Return time times mm2 of netlists of another chip over a chip's."""
        return self.of(other).by_netlist / self.of(name).by_netlist

    @property
    def mac_spent(self) -> float:
        """Microseconds times mm2 of the chip of multipliers."""
        return self.mac.cycles * self.mac.ns / 1000 * self.mac.area_mm2

    @property
    def rows(self) -> list[RaceChip]:
        """What the tables have: all chips, then those with another network."""
        return [*self.chips, *self.further]

    def again(self, name: str, seed: int = 1) -> RaceChip:
        """Return a chip with the network of more pruned blocks that a seed made."""
        return next(
            chip
            for chip in self.further
            if chip.name == name and self.networks[chip.network].seed == seed
        )

    def times(self, chip: RaceChip) -> float:
        """Return time times mm2 of the netlist of the first chip over a row's."""
        return self.of(DENSE).by_netlist / chip.by_netlist

    def accuracy(self, chip: RaceChip) -> str:
        """Return the accuracy of the network of a chip, in percent."""
        return f"{100 * self.networks[chip.network].accuracy:.2f} %"

    def pruned(self, chip: RaceChip) -> str:
        """Return the share of pruned blocks of the network of a chip, in percent."""
        return f"{100 * self.networks[chip.network].pruned:.0f} %"


def area_race_page(report: AreaRaceReport, picture_name: str) -> str:
    """Return the page."""
    lines = ["# DB-PIM: what pays per area", "", ABOUT.format(points=report.points), ""]
    for place, (asked, answer) in enumerate(answers(report), 1):
        lines += [f"{place}. **{asked}** {answer}"]
    lines += ["", f"![Accuracy against time times area]({picture_name})", "", PICTURE, ""]
    lines += ["## The chips", "", *Sheet(TABLE, table_cells(report)).markdown(), "", TABLE_ABOUT]
    lines += ["", "## By netlists, each at its own clock", ""]
    lines += [*Sheet(NETLISTS, netlist_cells(report)).markdown(), ""]
    lines += [NETLISTS_ABOUT.format(library=report.library.name), ""]
    lines += ["## The chip that is no PIM", "", mac_words(report), ""]
    lines += ["## Other images", "", *Sheet(IMAGES, image_cells(report)).markdown(), ""]
    lines += ["## The former headline", "", former_words(report), ""]
    lines += ["## How the chips were found", "", *SEARCH.format(points=report.points).split("\n")]
    lines += ["", *Sheet(NETWORKS, network_cells(report)).markdown(), "", NETWORKS_ABOUT, ""]
    return "\n".join([*lines, *circumstances(report)]) + "\n"


ABOUT = (
    "This page is for you if you ask what masks, signed digits and fewer bits of a weight bring per"
    " area, or whether processing in memory brings anything. Six chips ship, each the best of"
    " {points} of its kind that were predicted for ResNet20 on CIFAR-10. They are made by one"
    " generator and differ in what they skip and in what a weight is. `Times as fast` below is per"
    " area: time times area of `best_dense` over those of the chip, by netlists in 45 nm cells"
    " without wires, each at its own clock, one image. Areas are uncertain by 30 %: ratios below"
    f" {TELLING} say little."
)
PICTURE = (
    "Left is better. Numbers of the axis: time of an image, at the clock of the netlist, times its"
    " area. Open: the same chip with a network of more pruned blocks; two of them: two seeds."
)
TABLE = (
    *("chip", "weights", "cores x macros", "macro", "cycles", "mm2, table"),
    *("kilocycles x mm2", "per area", "accuracy"),
)
TABLE_ABOUT = (
    "Cycles of the cycle model for the first image that ships, loading included; areas by"
    " `configs/energy/dbpim_45nm.yaml`. Per area: cycles times mm2 of `best_dense` over those of"
    " the chip, as if copies of either filled the same area. Macro: compartments x cell columns x"
    " rows."
)
NETLISTS = (
    *("chip", "mm2, netlist", "over the table", "ns", "MHz", "us", "us x mm2"),
    *("times `best_dense`", "macros alone, ns", "slowest path"),
)
NETLISTS_ABOUT = (
    "Netlists by `hwgen cost` in the cells of {library}: gates, trees of buffers, memories by the"
    " areas of a bit that the table has; no wires, an ideal clock, each module mapped alone. Macros"
    " alone: the slowest path within them, or within an array; the slowest path of the chip is the"
    " last column."
)
IMAGES = ("chip", "images", "mean cycles", "least", "most", "per area, least to most")
NETWORKS = ("network", "blocks pruned", "seed", "accuracy", "images", "passes", "chips")
SEARCH = (
    "`python -m hwgen_studies.dbpim_paper.six_kinds` begins every kind with the same three sizes,"
    " the best of earlier searches. Then one or two keys of its best chip change at a time, in the"
    " same order, until {points} chips of the kind are predicted, by the table and in cycles. So no"
    " kind is sought longer than another, and none is known to be at its optimum. Netlists were"
    " made of the chosen chips alone."
)
NETWORKS_ABOUT = (
    "[Recipes](../training.md#recipes) of these names made them, each from one float checkpoint of"
    " 91.75 %; that of a second seed is made by `--seed 2`. Passes: over the 50,000 training"
    " images, of all phases. The network of a dense chip may be any of these shapes: nothing of it"
    " is skipped."
)


def answers(report: AreaRaceReport) -> Iterator[tuple[str, str]]:
    """Yield what a reviewer asks first, each with two sentences of figures."""
    ratio, table = report.ratio, report.table_ratio
    dense, masks = report.of(DENSE), report.of(MASKS)
    masks60, pairs60, second = report.again(MASKS), report.again(PAIRS), report.again(MASKS, 2)
    between = masks60.by_netlist / pairs60.by_netlist

    def told(name: str) -> str:
        return report.accuracy(report.of(name))

    yield (
        "Do signed digits bring anything per area?",
        f"Two digits are {ratio(DIGITS):.2f} times as fast as dense int8 and int8 with masks and"
        f" zero planes {ratio(MASKS):.2f} times, so digits bring {ratio(DIGITS, MASKS):.2f} times"
        f" ({table(DIGITS, MASKS):.2f} by cycles and the table): {verdict(ratio(DIGITS, MASKS))}."
        f" One digit in pairs brings {ratio(PAIRS, MASKS):.2f} times"
        f" ({table(PAIRS, MASKS):.2f}), {verdict(ratio(PAIRS, MASKS))}, at"
        f" {told(PAIRS)} in place of {told(MASKS)}.",
    )
    yield (
        "Is the dense chip the best one?",
        f"It is the best of {report.points} that were predicted, and stands at an end of what the"
        f" search may choose in {len(dense.ends)} keys"
        f" ({', '.join(f'`{key}`' for key in dense.ends)}): a better one may be beyond. A macro may"
        f" have more filters than on the former page, so it takes {dense.by_table:.0f} kilocycles x"
        f" mm2 by the table in place of {FORMER_DENSE:.0f}.",
    )
    yield (
        "At equal accuracy, and beside four bits?",
        f"Dense int8, masks and two digits run one network of {told(MASKS)}. Weights of four bits"
        f" have {told(MASKS4)}: dense {ratio(DENSE4):.2f} times as fast as dense int8, with masks"
        f" {ratio(MASKS4):.2f} times, {ratio(MASKS4, MASKS):.2f} times as fast as int8 with masks:"
        f" {verdict(ratio(MASKS4, MASKS))}. One digit has {told(PAIRS)} and is"
        f" {ratio(PAIRS, DENSE4):.2f} times as fast as dense int4 and {ratio(PAIRS, MASKS4):.2f}"
        f" times as int4 with masks. With {report.pruned(masks60)} of the blocks"
        f" pruned in place of {report.pruned(masks)}: `best_masks` has {report.accuracy(masks60)}"
        f" and is {report.times(masks60):.2f} times as fast as `best_dense`, `best_pairs` has"
        f" {report.accuracy(pairs60)} and is {report.times(pairs60):.2f} times as fast,"
        f" {between:.2f} times `best_masks`: {verdict(between)}.",
    )
    mac = report.mac
    plain = dense.by_netlist / report.mac_spent
    yield (
        "Why processing in memory at all?",
        f"{mac.arrays} plain arrays of 16 x 16 int8 multipliers in the place of the macros are"
        f" {plain:.2f} times as fast as `best_dense` ({number(mac.cycles)} cycles by a formula,"
        f" {mac.area_mm2:.2f} mm2, {1000 / mac.ns:.0f} MHz): dense macros bring"
        f" {1 / plain:.2f} times, {verdict(1 / plain)}. Against those arrays masks and zero planes"
        f" bring {report.mac_spent / report.of(MASKS).by_netlist:.2f} times and one digit in pairs"
        f" {report.mac_spent / report.of(PAIRS).by_netlist:.2f}; nobody gave the arrays masks, and"
        f" they alone could run at {mac.array_ns:.2f} ns, the macros of `best_masks` at"
        f" {report.of(MASKS).netlist.macros_ns:.2f}.",
    )
    least, most = (dense.by_table / spent for spent in spread_of(masks))
    yield (
        "One network, one seed, one image?",
        "One network, so nothing here says what another gives. The training with"
        f" {report.pruned(second)} of the blocks of int8 pruned with a second seed:"
        f" {report.accuracy(second)} in place of {report.accuracy(masks60)},"
        f" {number(second.cycles)} cycles in place of {number(masks60.cycles)},"
        f" {report.times(second):.2f} times as fast as `best_dense` in place of"
        f" {report.times(masks60):.2f}; all others had one. Of {masks.images.images} test images"
        " `best_masks` takes"
        f" {number(masks.images.least)} to {number(masks.images.most)} cycles,"
        f" {most:.2f} to {least:.2f} times as few per area as `best_dense`, which takes"
        f" {number(dense.images.least)} for each.",
    )


def verdict(ratio: float) -> str:
    """Return what a ratio says, where areas are uncertain."""
    if ratio >= TELLING:
        return "a gain"
    if ratio > 1 / TELLING:
        return "no difference that these areas can tell"
    return "a loss"


def spread_of(chip: RaceChip) -> tuple[float, float]:
    """Return kilocycles x mm2 of the table for the image of least and of most cycles."""
    least, most = (each * chip.table_mm2 / 1000 for each in (chip.images.least, chip.images.most))
    return least, most


def row_name(report: AreaRaceReport, chip: RaceChip) -> str:
    """Return what the first cell of a row says where nothing else names the network."""
    if chip not in report.further:
        return f"`{chip.name}`"
    seed = report.networks[chip.network].seed
    return f"`{chip.name}`, {report.pruned(chip)} pruned" + (f", seed {seed}" * (seed > 1))


def table_cells(report: AreaRaceReport) -> Iterator[list[str]]:
    """Yield a row a chip, by the table."""
    dense = report.of(DENSE).by_table
    for chip in report.rows:
        yield [
            f"`{chip.name}`",
            chip.what,
            f"{chip.cores} x {chip.macros}",
            chip.macro,
            number(chip.cycles),
            f"{chip.table_mm2:.3f}",
            f"{chip.by_table:.1f}",
            f"{dense / chip.by_table:.2f}",
            report.accuracy(chip),
        ]


def netlist_cells(report: AreaRaceReport) -> Iterator[list[str]]:
    """Yield a row a chip, by netlists; then the chip of multipliers."""
    for chip in report.rows:
        netlist = chip.netlist
        yield [
            row_name(report, chip),
            f"{netlist.mm2:.3f}",
            f"{round(100 * (netlist.mm2 / chip.table_mm2 - 1)):+d} %",
            f"{netlist.ns:.2f}",
            f"{1000 / netlist.ns:.0f}",
            f"{chip.us:.1f}",
            f"{chip.by_netlist:.0f}",
            f"{report.times(chip):.2f}",
            f"{netlist.macros_ns:.2f}",
            netlist.path,
        ]
    mac = report.mac
    yield [
        f"{mac.arrays} arrays of 16 x 16",
        f"{mac.area_mm2:.3f}",
        "-",
        f"{mac.ns:.2f}",
        f"{1000 / mac.ns:.0f}",
        f"{mac.cycles * mac.ns / 1000:.1f}",
        f"{report.mac_spent:.0f}",
        f"{report.of(DENSE).by_netlist / report.mac_spent:.2f}",
        f"{mac.array_ns:.2f}",
        "of the rest, which is that of `best_dense`",
    ]


def mac_words(report: AreaRaceReport) -> str:
    """Return what the chip of multipliers is, and what its figures leave out."""
    mac = report.mac
    return (
        f"Each of {mac.arrays} cores has an array of 16 x 16 cells in the place of its macros"
        " (`studies/hwgen_studies/dbpim_paper/mac_array.py`): output stationary, a product of an"
        " unsigned and a signed byte and an addition to 24 bits a cycle and cell. The array is"
        " Verilog, and its simulation equals numpy; the chip around it was not built. Area:"
        f" {mac.arrays_mm2:.3f} mm2 of arrays by their netlist, {mac.weights_mm2:.3f} of SRAM for"
        f" as many bytes of weights as the cells of `best_dense` hold, {mac.rest_mm2:.3f} of all"
        " of the netlist of `best_dense` that is no macro: port, loaders, buffers, fetchers,"
        f" requantizers, SIMD units. Cycles are a formula, {number(mac.steps)} of"
        f" {number(mac.cycles)} those in which the arrays add: the image and the first weights are"
        " loaded, other weights come through the port while those before them compute, a layer"
        " waits for the one before. It errs in favour of the arrays: no bank of a buffer is ever"
        " busy, no pixel waits for that of a neighbour, additions and shortcuts cost nothing. It"
        " errs against them, too: nobody searched their sizes, and the rest is as large and as slow"
        " as the macros of `best_dense` need it."
    )


def former_words(report: AreaRaceReport) -> str:
    """Return what became of the former headline."""
    dense, sparse = report.of(DENSE).by_table, report.of(DIGITS).by_table
    return (
        f"Until {FORMER_PAGE}, this page said that the best sparse chip, of two"
        f" digits, is {FORMER_DENSE / FORMER_SPARSE:.2f} times as fast per area as the best dense"
        f" one, by cycles and the table; today these are {report.table_ratio(DIGITS):.2f} times"
        " apart. The dense chip was held to four filters a macro:"
        f" one of eight takes {FORMER_DENSE / dense:.2f} times less per area. Areas of the sparse"
        f" chip follow netlists of more sizes now, and its product is"
        f" {sparse / FORMER_SPARSE:.2f} times that of then. `paper`, of the published sizes, is"
        f" {report.table_ratio(PAPER):.2f} times as fast per area as `best_dense`, and"
        f" {report.ratio(PAPER):.2f} times by netlists. That page also had energies, batches of 16"
        " images and chips that skip no pruned block; nobody made these for the chips of today."
    )


def image_cells(report: AreaRaceReport) -> Iterator[list[str]]:
    """Yield the spread of each chip, and its ratios per area to `best_dense`, by the table."""
    dense = report.of(DENSE).by_table
    for chip in report.rows:
        seen = chip.images
        least, most = (dense / spent for spent in spread_of(chip))
        yield [
            row_name(report, chip),
            str(seen.images),
            number(round(seen.mean)),
            number(seen.least),
            number(seen.most),
            f"{least:.2f} to {most:.2f}",
        ]


def network_cells(report: AreaRaceReport) -> Iterator[list[str]]:
    """Yield each network with its accuracy and the chips that run it."""
    for name, network in report.networks.items():
        yield [
            f"`{name}`",
            f"{100 * network.pruned:.0f} %",
            str(network.seed),
            f"{100 * network.accuracy:.2f} %",
            number(network.images),
            f"{network.passes:.0f}",
            ", ".join(f"`{chip.name}`" for chip in report.rows if chip.network == name),
        ]


def circumstances(report: AreaRaceReport) -> Iterator[str]:
    """Yield what the page was made of."""
    yield from ("## Circumstances", "")
    for name, network in report.networks.items():
        yield f"- network: {name}, digest {network.digest[:16]}"
    yield f"- image: the first that ships, digest {report.image[:16]}"
    yield f"- table: {report.table.name}, digest {report.table.digest[:16]}"
    yield f"- cells: {report.library.name}, digest {report.library.digest[:16]}"
    yield f"- commit: {report.commit or 'unknown'}; machine: {report.machine}"
    yield f"- command: `{report.command}`"


DARK = {
    svg.PAPER: "#1a2129",
    svg.INK: "#e4eaf1",
    svg.MUTED: "#9aa8b8",
    svg.GRID: "#2e3945",
    svg.ACCENT: "#7db4ec",
    "#8f1d14": "#e58378",
    "#7a33d6": "#b98cf0",
}
"""Colours of a picture that a dark page has others for."""


def area_race_picture(report: AreaRaceReport) -> str:
    """Return SVG: accuracy over time times area of all chips but the paper's."""
    kept: list[str] = []
    chips = [chip for chip in report.rows if chip.name != PAPER]
    names = list(dict.fromkeys(chip.name for chip in chips))
    with picture(HALF, HEIGHT, kept) as axes:
        for chip in chips:
            network, place = report.networks[chip.network], names.index(chip.name)
            looks: Any = {"marker": MARKERS[place], "color": SERIES[place], "markersize": 8}
            looks |= {"fillstyle": "none" if chip in report.further else "full"}
            looks |= {"label": chip.what} if network.seed == 1 else {}
            axes.plot(chip.by_netlist, 100 * network.accuracy, linestyle="", **looks)
        looks = {"marker": MARKERS[len(names)], "color": SERIES[len(names)], "markersize": 8}
        spot = report.mac_spent, 100 * report.networks[report.of(DENSE).network].accuracy
        axes.plot(*spot, linestyle="", label="int8 multipliers, no PIM: a formula", **looks)
        axes.set_xlim(left=0)
        axes.set_xlabel("us x mm2 of an image, netlists at 45 nm")
        axes.set_ylabel("accuracy, %")
        axes.grid()
        name_series(axes, columns=2)
    return with_dark(kept[0]) + "\n"


def with_dark(text: str) -> str:
    """Return the text of an SVG with colours for readers of dark pages beside its own."""
    rules = "".join(
        f'[style*="{part}: {light}"]{{{part}: {dark} !important}}'
        for light, dark in DARK.items()
        for part in ("fill", "stroke")
    )
    return text.replace("</style>", f"@media (prefers-color-scheme: dark){{{rules}}}</style>", 1)
