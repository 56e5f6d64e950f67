"""The page of filters of one digit: tables of cycles, and from where on the chip pays."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.sheet import Sheet
from hwgen.report.tables import number, percent
from hwgen.report.types import Count, Fraction

PAPER, DIGITS = "paper", "paper_digits"
ABOUT = (
    "A filter whose weights have one signed digit needs one cell column, not two. `paper` takes two"
    " for it all the same. `coded` is `paper` with `one_digit: coded`: weights of one digit take"
    " 4 bits on the way into the chip. `paper_digits` has `one_digit: paired`: it sends them with"
    " 4 bits too, and two groups of such filters may share the rows of weights of one. The compiler"
    " chooses for each layer. Cycles are the model's, of one image, from its load to its answer."
    " Where weights are changed for a table, the maps between the layers are those of before."
)
SHIPPED_TEXT = (
    "Networks that ship, on the image that ships. The accuracy is that of the integers on the"
    " 10,000 test images of CIFAR-10; [its base](../figures.md) in float and int8."
    " `dense` is `paper` with all switches off."
)
DRAWN_TEXT = (
    "Networks of the shapes of `cifar100_NAME.yaml` in `configs/train` with drawn weights and a"
    " drawn image: half of the blocks of 8 filters are pruned. Each unpruned weight becomes the"
    " nearest power of two, in all groups. With one mask, the second group of two neighbours has"
    " the weights of the first. Speed-ups compare with the network of two digits on `paper`."
)
PORTS_TEXT = (
    "AlexNet at batch 1 waits for its weights: each is used once in the FC layers, the most of"
    " all. So the speed-up comes from fewer bits of a weight and from a wider memory port. It"
    " compares with weights of two digits and a port of 256 bits on `paper`."
)
SHARES_TEXT = (
    "ResNet20 with half of its blocks pruned; groups of 8 filters are chosen by chance and get one"
    " digit, by weights that are the nearest powers of two. `paper_digits` is larger than `paper`"
    " by the area table. It pays per area where its speed-up is more than its growth in area."
)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class OneDigitRow:
    """Cycles of one network on one chip.

    weights: what they are, in words; share: of the groups that have one digit by choice
    """

    part: Literal["shipped", "drawn", "ports", "shares"]
    network: str
    weights: str
    chip: str
    cycles: Count
    area_mm2: float
    share: Fraction | None = None
    accuracy: Fraction | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class OneDigitReport:
    """All rows; seed: of drawn weights, images and choices."""

    format: Literal["hwgen.report.dbpim_one_digit"]
    version: Literal[1]
    commit: str | None
    seed: Count
    rows: list[OneDigitRow]

    def of(self, part: str) -> list[OneDigitRow]:
        """Return the rows of one table."""
        return [row for row in self.rows if row.part == part]


def page(report: OneDigitReport) -> str:
    """Return the page."""
    command = "python -m hwgen_studies.dbpim_paper.one_digit"
    lines = ["# Filters of one digit", "", ABOUT, ""]
    lines += ["## Trained networks", "", SHIPPED_TEXT, "", *shipped_table(report), ""]
    lines += ["## Larger networks, by the model", "", DRAWN_TEXT, "", *drawn_table(report), ""]
    lines += ["## AlexNet and the memory port", "", PORTS_TEXT, "", *ports_table(report), ""]
    lines += ["## From which share on it pays", "", SHARES_TEXT, "", *shares_table(report), ""]
    lines += [f"- {sentence}" for sentence in break_even_sentences(report)]
    lines += ["", "## Circumstances", "", f"- commit: {report.commit or 'unknown'}"]
    lines += [f"- seed: {report.seed}", f"- command: `{command}`"]
    return "\n".join(lines) + "\n"


def shipped_table(report: OneDigitReport) -> Iterator[str]:
    """Return the table of trained networks."""
    columns = ["network", "accuracy", "dense", "paper", "coded", "paper_digits", "over dense"]
    return Sheet(columns, map(shipped_cells, networks(report.of("shipped")))).markdown()


def shipped_cells(rows: Sequence[OneDigitRow]) -> Iterator[str]:
    """Yield the cells of a network, of its rows by chip."""
    yield f"`{rows[0].network}`"
    yield "" if rows[0].accuracy is None else f"{100 * rows[0].accuracy:.2f}%"
    yield from (number(row.cycles) for row in rows)
    yield times(rows[0].cycles / rows[-1].cycles)


def drawn_table(report: OneDigitReport) -> Iterator[str]:
    """Return the table of drawn networks; with each the one of two digits comes first."""
    columns = ["network", "weights", "paper", "coded", "paper_digits", "speed-up"]
    whole: dict[str, int] = {}

    def cells() -> Iterator[Iterator[str]]:
        for rows in networks(report.of("drawn")):
            first = whole.setdefault(rows[0].network, rows[0].cycles)
            found = [number(row.cycles) for row in rows] + [""] * (3 - len(rows))
            speed = times(first / rows[-1].cycles)
            yield iter([rows[0].network, rows[0].weights, *found, speed])

    return Sheet(columns, cells()).markdown()


def ports_table(report: OneDigitReport) -> Iterator[str]:
    """Return the table of ports, for chips and weights that one digit makes faster."""
    rows = report.of("ports")
    first = rows[0].cycles if rows else 0
    chosen = [row for row in rows if row.weights == rows[-1].weights or row.chip == rows[0].chip]
    return Sheet(
        ["weights", "chip", "cycles", "speed-up"],
        (
            iter([each.weights, each.chip, number(each.cycles), times(first / each.cycles)])
            for each in chosen
        ),
    ).markdown()


def shares_table(report: OneDigitReport) -> Iterator[str]:
    """Return the table of shares."""
    columns = ["masks", "groups of one digit", PAPER, DIGITS, "speed-up", "per area"]
    return Sheet(columns, map(share_cells, networks(report.of("shares")))).markdown()


def share_cells(rows: Sequence[OneDigitRow]) -> Iterator[str]:
    """Yield the cells of a share; rows: on `paper` and on `paper_digits`."""
    yield rows[0].weights
    yield percent(rows[0].share or 0.0)
    yield from (number(row.cycles) for row in rows)
    yield times(rows[0].cycles / rows[1].cycles)
    yield times(per_area(rows))


def break_even_sentences(report: OneDigitReport) -> Iterator[str]:
    """Yield from which share on the chip pays, by straight lines between the shares."""
    found = networks(report.of("shares"))
    growth = found[0][1].area_mm2 / found[0][0].area_mm2 - 1
    yield (
        f"area: {found[0][0].area_mm2:.3f} mm2 of `{PAPER}`, {found[0][1].area_mm2:.3f} of"
        f" `{DIGITS}`: {100 * growth:.1f} % more"
    )
    for masks in dict.fromkeys(rows[0].weights for rows in found):
        points = [
            (rows[0].share or 0.0, per_area(rows)) for rows in found if rows[0].weights == masks
        ]
        share = break_even(points)
        yield (
            f"{masks}: it pays from {100 * share:.0f} % of the groups on"
            if share is not None
            else f"{masks}: it never pays"
        )


def break_even(points: Sequence[tuple[float, float]]) -> float | None:
    """Return the share at which the gain per area reaches 1; None: it never does.

    points: share and gain, by share
    """
    if points[0][1] >= 1:
        return points[0][0]
    for (share, gain), (next_share, next_gain) in pairwise(points):
        if gain < 1 <= next_gain:
            return share + (next_share - share) * (1 - gain) / (next_gain - gain)
    return None


def per_area(rows: Sequence[OneDigitRow]) -> float:
    """Return work per time and area of the second row over that of the first."""
    first, second = rows
    return first.cycles * first.area_mm2 / (second.cycles * second.area_mm2)


def networks(rows: Sequence[OneDigitRow]) -> list[list[OneDigitRow]]:
    """Return the rows of each network, in order."""
    found: dict[tuple[str, str, float | None], list[OneDigitRow]] = {}
    for row in rows:
        found.setdefault((row.network, row.weights, row.share), []).append(row)
    return list(found.values())


def times(ratio: float) -> str:
    """Return a speed-up for people."""
    return f"{ratio:.2f}x"
