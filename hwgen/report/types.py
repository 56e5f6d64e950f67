"""Parts that several reports share."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid", strict=True)

Count = Annotated[int, Field(ge=0)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""sha256, hexadecimal."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Source:
    """An input of a command: name, path and digest of the content."""

    name: str
    file: str
    digest: Digest


DRAWN = "drawn"
"""Name of images that are drawn evenly over the whole range, for a network without a data set."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Images:
    """Which images ran: the first `images` of `split` of the data called `name`."""

    name: str
    split: str
    images: Count
    digest: Digest


@dataclass(frozen=True, kw_only=True, config=STRICT)
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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EnergySum:
    """Energy of an image on average, on the chip alone.

    table: of energies; null: the constants stand in the architecture
    image_nj: of counted events and of time; time_nj: of time alone
    """

    table: Source | None
    image_nj: NotNegative
    time_nj: NotNegative


@dataclass(frozen=True, kw_only=True, config=STRICT)
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
