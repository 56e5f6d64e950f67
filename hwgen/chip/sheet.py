"""What a family tells for its data sheet, as types that `hwgen.report.data_sheet` prints."""

from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.chip.fields import Field


@dataclass(frozen=True)
class Place:
    """A buffer in memory: the register with its address, its content and its layout."""

    address: str
    content: str
    layout: str


@dataclass(frozen=True, kw_only=True)
class Packet:
    """Bit fields that software writes and the chip decodes.

    title: empty for fields that continue the packet before; start: place of the first one
    """

    title: str
    text: str
    fields: Sequence[Field]
    start: int = 0


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A table of further facts of a chip, with a heading of its own."""

    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
