"""Parts that several reports share."""

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT

Count = Annotated[int, Field(ge=0)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""sha256, hexadecimal."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Source:
    """An input of a command: name, path and digest of the content."""

    name: str
    file: str
    digest: Digest


DRAWN = "drawn"
"""Name of images that are drawn evenly over the whole range, for a network without a data set."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Images:
    """Which images ran: the first `images` of `split` of the data called `name`."""

    name: str
    split: str
    images: Count
    digest: Digest


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Setting:
    """Everything that decides a result.

    configuration: of the architecture, as it took effect, sparsity switches included
    program_digest: null if no program was needed
    versions: of packages and Python
    """

    network: Source
    architecture: Source
    configuration: dict[str, Any]
    program_digest: Digest | None
    data: Images
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class OutsideSum:
    """Energy of an image on average in the memory outside the chip: bytes times a constant.

    memory: the file of the constant, that which ships or a table with a `port` of its own
    bytes: that the image moves over the memory port; what a chip loads once is not among them
    low_uj, high_uj: by the range of the constant
    """

    memory: Source
    pj_a_bit: NotNegative
    bytes: NotNegative
    low_uj: NotNegative
    uj: NotNegative
    high_uj: NotNegative


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ChipClock:
    """The clock that times of a chip are told at: that of its netlist, without wires.

    ns, mhz: of a cycle; library, corner: of the cells of its slowest path
    mapped: the netlist is of modules, each mapped alone, or flat
    of_file: the file of the chip names a slower clock, which ns and mhz are of
    """

    ns: NotNegative
    mhz: NotNegative
    library: str
    corner: str | None
    mapped: Literal["modules", "flat"]
    of_file: bool


@dataclass(frozen=True, kw_only=True, config=EXACT)
class EnergySum:
    """Energy of an image on average.

    table: of energies; null: the constants stand in the architecture
    counted: of what the chip's energy is, and what is left out
    image_nj: on the chip, of counted events and of time; time_nj: of time alone
    clock_mhz: at which time counts; null in a report of an earlier version
    image_uj: as `image_nj`; with_outside_uj: with the memory outside
    """

    table: Source | None
    counted: str
    image_nj: NotNegative
    time_nj: NotNegative
    image_uj: NotNegative
    outside: OutsideSum
    with_outside_uj: NotNegative
    clock_mhz: NotNegative | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ReplacedPart:
    """A part of a chip, and the modules of a replacement that stand for its cells.

    banks: modules one behind the other; columns: side by side; copies: of all of them, for reads
    energy_pj: of the accesses that a simulation counted, by the figures of the replacement;
        table_pj: by the table in its place; null without a simulation or without figures, and for
        parts whose accesses no event counts: these stay as the table has them
    """

    part: str
    replacement: str
    file: str
    module: str
    banks: Count
    columns: Count
    copies: Count
    energy_pj: NotNegative | None
    table_pj: NotNegative | None
