"""The report of `hwgen import`, and what `hwgen info` says of a file that can be imported."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.quantization import Rounding
from hwgen.network.verdict import Verdict
from hwgen.report.types import Source

Steps = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ImportedLayer:
    """A layer of the imported network.

    source: name of its map in the file; empty for a layer that the import added
    families: by the family of chips; empty where it runs, else why not, or under which condition
    """

    name: str
    kind: str
    source: str
    shape: tuple[int, int, int]
    families: dict[str, str]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RefusedNode:
    """A node of the file that cannot be imported; reason: one sentence."""

    node: str
    operator: str
    reason: str


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ImportNote:
    """What the network does not hold exactly.

    steps: largest effect on an element of the node's map, in steps before rounding
    """

    node: str
    what: str
    steps: Steps


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ImportDifference:
    """Where the runtime of the file may compute other integers than the network.

    operator: as the file calls it; nodes: of that operator, of which this holds; what: a sentence
    steps: by which an element may differ at most, on the same inputs
    """

    operator: str
    nodes: int
    what: str
    steps: int


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ImportInfo:
    """The network in a file of another format.

    layers: empty if nodes are refused; refused: all nodes that stand in the way
    largest_steps: of the notes
    differences: from the runtime; unknown: why there may be more of them, else empty
    runtime: with its version, whose rewriting was read; empty: the file as it is written
    unread: a sentence, why not that of a runtime that rewrites files; else empty
    as_written: digest of the network of the file as it is written, where it is another; or a
        sentence, why there is none
    roundings: how sums of the layers round, as in the network file; empty if nodes are refused
    host: sentences, what of the file the host does before and behind the chip
    remarks: sentences, what one should know of the file besides
    judged: by the file itself in its runtime; null: nobody asked, or nodes are refused
    """

    name: str
    kind: str
    nodes: int
    layers: list[ImportedLayer]
    refused: list[RefusedNode]
    notes: list[ImportNote]
    largest_steps: Steps
    differences: list[ImportDifference]
    unknown: str
    runtime: str
    unread: str
    as_written: str
    roundings: list[Rounding]
    host: list[str]
    remarks: list[str]
    judged: Verdict | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class FloatDistance:
    """How far an output of the quantized file is from the float file's, on the calibration images.

    decibels: of the float output over the difference; null: one of the two is zero, or the output
        has integers
    classes: share of images with the same largest element, where the output is one vector; of an
        output of integers the share of equal elements
    """

    output: str
    images: int
    decibels: float | None
    classes: Annotated[float, Field(ge=0, le=1)] | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ImportReport:
    """The network file that was written, and the file that it comes from.

    from_float: of each output of a float file; empty: the file was quantized
    """

    format: Literal["hwgen.report.import"]
    version: Literal[1]
    file: Source
    network: Source
    content: ImportInfo
    from_float: list[FloatDistance]
    versions: dict[str, str]
