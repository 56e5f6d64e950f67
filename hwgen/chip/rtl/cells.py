"""What reaches the cells of a memory, whatever stands for them."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from amaranth.hdl import Value
from amaranth.lib import data


@dataclass(frozen=True)
class Cells:
    """Words with one write port and one read port or more, and the signals that they connect.

    ``read_data = words[read_index]``, as it was before the clock edge

    depth: words
    write_en: one bit for each slice of a word, slice 0 lowest; all slices are equally wide
    read_index: may be `write_index`, for a memory with one address
    read_en: without it the read is combinational; with it the word is read at each edge at which
        it is high, and `read_data` holds until the next read
    further_reads: index and data of each further read, always combinational
    Errors: ValueError if the slices do not divide a word
    """

    _: KW_ONLY
    depth: int
    clk: Value
    write_en: Value
    write_index: Value
    write_data: Value | data.View
    read_index: Value
    read_data: Value | data.View
    read_en: Value | None = None
    further_reads: Sequence[tuple[Value, Value]] = ()

    def __post_init__(self) -> None:
        if self.bits % self.slices:
            raise ValueError(
                f"slices of a word must be equally wide, got {self.slices} for {self.bits} bits"
            )

    @property
    def bits(self) -> int:
        """Bits of a word."""
        return len(Value.cast(self.read_data))

    @property
    def slices(self) -> int:
        """Parts of a word that are written apart."""
        return len(self.write_en)

    @property
    def one_address(self) -> bool:
        """Whether a cycle has one index, of the word that is read and written."""
        return self.write_index is self.read_index

    @property
    def reads(self) -> Sequence[tuple[Value, Value]]:
        """Index and data of each read."""
        return [(self.read_index, Value.cast(self.read_data)), *self.further_reads]

    @property
    def read_cycles(self) -> int:
        """Cycles from an index to its data."""
        return 0 if self.read_en is None else 1
