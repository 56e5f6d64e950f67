"""The numbers that four documents print, each with ours beside it.

`published.yaml` has them, and says what each of its keys means. A paper's command gives what stands
beside them by the name of a row; `hwgen_studies.numbers_page` shows both.

Tests: `studies/tests/test_numbers.py`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from hwgen.files.load import validate_spec
from hwgen.files.yaml_file import read_mapping
from hwgen_studies.comparison import PaperRow

FILE = Path(__file__).with_name("published.yaml")
NEAR_PERCENT = 10.0
"""A figure that is farther from the printed one has its sentence."""
NOT_ASKED = "this run has no such row"
BARS = "bars without printed values"
NONE = "-"


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Printed:
    """One printed number, or the bars of a figure without printed values; keys as in the file.

    document: its number
    """

    id: str
    document: str
    place: str
    what: str
    value: float | None
    unit: str
    network: str | None = None
    text: str | None = None
    bars: bool = False
    at: str | None = None
    ours: str | None = None
    turned: bool = False
    gain: bool = False
    lacks: str | None = None

    @property
    def row(self) -> str:
        """Name of the row that stands beside it."""
        return self.ours or named(self.place, self.what, self.network)


@dataclass(frozen=True, kw_only=True)
class Ours:
    """What stands beside a printed number.

    value: None: there is none, for `reason`, which also says why the two differ
    weights: `trained` or `drawn`; cycles: `measured` (in Verilog) or `modelled`; clock: of a time,
        in words; each a dash where there are none
    """

    value: float | None
    reason: str
    weights: str = NONE
    cycles: str = NONE
    clock: str = NONE


@dataclass(frozen=True, kw_only=True)
class Number:
    """A printed number with ours, which is None where no row is."""

    printed: Printed
    ours: Ours | None

    @property
    def value(self) -> float | None:
        """Ours in the form of the document."""
        value = None if self.ours is None or self.printed.lacks else self.ours.value
        if value is None:
            return None
        if self.printed.gain:
            return 100 * (value - 1)
        return -value if self.printed.turned else value

    @property
    def deviation_percent(self) -> float | None:
        """Ours over the printed number; None where one of the two is not there."""
        printed = self.printed.value
        return None if self.value is None or not printed else 100 * (self.value / printed - 1)

    @property
    def near(self) -> bool:
        """Whether ours is at most 10 % away."""
        away = self.deviation_percent
        return away is not None and abs(away) <= NEAR_PERCENT

    @property
    def why(self) -> str:
        """Why there is none of ours, or why it is farther away than 10 %; else nothing."""
        if self.printed.bars:
            return f"{BARS}; ours: {self.printed.at}"
        if self.printed.lacks:
            return self.printed.lacks
        if self.ours is None:
            return NOT_ASKED
        return "" if self.near else self.ours.reason


def named(figure: str, what: str, network: str | None = None) -> str:
    """Return the name of a row of a table of figures."""
    return f"{figure} | {what} | {network or ''}".rstrip()


@cache
def published() -> tuple[Printed, ...]:
    """Return all numbers of all documents, in their order."""
    content = read_mapping(FILE)
    return tuple(
        validate_spec(Printed, {**each, "document": document}, source=str(FILE))
        for document, numbers in content["numbers"].items()
        for each in numbers
    )


def numbers_of(paper: str) -> list[Printed]:
    """Return the numbers of the documents that `hwgen paper PAPER` shows."""
    documents = read_mapping(FILE)["documents"]
    return [each for each in published() if documents[each.document]["paper"] == paper]


def titles_of(paper: str) -> dict[str, str]:
    """Return the titles of these documents by their number."""
    documents = read_mapping(FILE)["documents"]
    return {name: each["title"] for name, each in documents.items() if each["paper"] == paper}


def value_of(name: str) -> float:
    """Return the printed number of an id."""
    (found,) = (each.value for each in published() if each.id == name)
    assert found is not None, name
    return found


def values_of(start: str) -> tuple[float, ...]:
    """Return the printed numbers whose ids begin with `start` and a dot, in their order."""
    found = [each.value for each in published() if each.id.startswith(f"{start}.")]
    return tuple(each for each in found if each is not None)


def beside(numbers: Iterable[Printed], ours: Mapping[str, Ours]) -> list[Number]:
    """Return each printed number with the row of its name."""
    return [Number(printed=each, ours=ours.get(each.row)) for each in numbers]


def ours_of(rows: Iterable[PaperRow], like: Mapping[str, Ours]) -> dict[str, Ours]:
    """Return the rows of a table of figures by name.

    like: by figure, weights, cycles and clock of its rows
    """
    plain = Ours(value=None, reason="")
    return {
        named(row.figure, row.what, row.network): Ours(
            value=row.ours,
            reason=row.reason,
            weights=found.weights,
            cycles=found.cycles,
            clock=found.clock,
        )
        for row in rows
        for found in [like.get(row.figure, plain)]
    }


def constant(value: float) -> Ours:
    """Return a number that our files of architectures and parts have."""
    return Ours(value=value, reason="ours is another chip: what its file says")


def counts(numbers: Sequence[Number]) -> dict[str, int]:
    """Return how many numbers there are of each kind, in words."""
    printed = [each for each in numbers if not each.printed.bars]
    lacking = Counter(each.printed.lacks for each in printed if each.printed.lacks)
    ours = [each for each in printed if each.value is not None]
    found = {
        "printed": len(printed),
        "with ours": len(ours),
        "of them within 10 %": sum(each.near for each in ours),
        "that can be had, without ours": len(printed) - len(ours) - lacking.total(),
        **{str(words): count for words, count in lacking.items()},
        BARS: len(numbers) - len(printed),
    }
    return {words: count for words, count in found.items() if count or "without ours" in words}
