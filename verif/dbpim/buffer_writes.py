"""Writes of an activation buffer: words of the bus and private results, and what they change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.program import Placement
from hwgen.dbpim.rtl.layouts import bus_write, vector_write
from verif.dbpim.component import pack
from verif.reference.dbpim.activation_buffer import Place, address_of, bank_of

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One word that is stored: its bank and address, bytes, and which of them count."""

    place: Place
    data: Bytes
    enable: NDArray[np.bool_]


def stored_row(row: int, placement: Placement) -> bool:
    """Return whether core 0 keeps a stored row."""
    return placement.first[0] <= row < placement.first[0] + placement.rows[0]


def place_of(row: int, column: int, word: int, *, placement: Placement, arch: Arch) -> Place:
    """Return bank and address of a word in core 0."""
    address = address_of(row, column, word, placement=placement, core=0, banks=arch.banks)
    return bank_of(row, column, banks=arch.banks), address


@dataclass(frozen=True, kw_only=True)
class BusWrite:
    """One word on the bus."""

    row: int
    column: int
    word: int
    data: Bytes
    enable: NDArray[np.bool_]
    raw: bool = False
    to_memory: bool = False

    def in_lane(self, arch: Arch) -> tuple[int, int]:
        """Return its lane of the bus, and its bits there."""
        fields = {
            "data": int.from_bytes(self.data.tobytes(), "little"),
            "enable": pack(self.enable, bits=1),
            "row": self.row,
            "column": self.column,
            "word": self.word,
            "raw": int(self.raw),
            "to_memory": int(self.to_memory),
        }
        lane = 0 if self.raw or self.to_memory else self.bank(arch) % arch.bus_words
        return lane, int(bus_write(arch).const(fields).as_bits())

    def bank(self, arch: Arch) -> int:
        """Return the bank that it goes to."""
        return bank_of(self.row, self.column, banks=arch.banks)

    def stores(self, placement: Placement) -> bool:
        """Return whether core 0 stores it."""
        return not (self.raw or self.to_memory) and stored_row(self.row, placement)

    def changes(self, placement: Placement, arch: Arch) -> Iterator[Stored]:
        """Yield the word that core 0 stores, if it does."""
        if self.stores(placement):
            place = place_of(self.row, self.column, self.word, placement=placement, arch=arch)
            yield Stored(place=place, data=self.data, enable=self.enable)


@dataclass(frozen=True, kw_only=True)
class PrivateWrite:
    """A private result: positions (row, column) of the vector, None where it has none."""

    positions: Sequence[tuple[int, int] | None]
    word: int
    data: Bytes
    enable: NDArray[np.bool_]

    def drive(self, dut: Any, arch: Arch) -> None:
        """Offer it to the buffer."""
        positions = [
            {"row": at[0], "column": at[1], "active": 1} if at else {"row": 1, "column": 1}
            for at in self.positions
        ]
        fields = {
            "bytes": self.data.tolist(),
            "positions": positions,
            "enable": pack(self.enable, bits=1),
            "word": self.word,
        }
        dut.activation_buffer__private_valid.value = 1
        dut.activation_buffer__private_write.value = vector_write(arch).const(fields).as_bits()

    def changes(self, placement: Placement, arch: Arch) -> Iterator[Stored]:
        """Yield the words that core 0 stores."""
        for at, data in zip(self.positions, self.data, strict=True):
            if at is not None:
                place = place_of(*at, self.word, placement=placement, arch=arch)
                yield Stored(place=place, data=data, enable=self.enable)


def drive_placement(dut: Any, placement: Placement) -> None:
    """Tell the buffer where the map lies."""
    dut.activation_buffer__base.value = placement.base
    dut.activation_buffer__row_pitch.value = placement.row_pitch
    dut.activation_buffer__channel_words.value = placement.channel_words
    dut.activation_buffer__keep_first.value = placement.first[0]
    dut.activation_buffer__keep_rows.value = placement.rows[0]


def draw_positions(
    rng: np.random.Generator, placement: Placement, *, columns: int, arch: Arch
) -> list[tuple[int, int] | None]:
    """Return a vector in kept rows: neighbours, a patch of two rows, or every third column."""
    macros, rows = arch.macros_per_core, placement.rows[0]
    patch = macros > 1 and rows > 1 and rng.random() < 0.5
    width = macros // 2 if patch else macros
    step = int(rng.choice([1, 3]))
    row = placement.first[0] + int(rng.integers(rows - patch))
    column = step * width * int(rng.integers(-(-columns // (step * width))))
    found: list[tuple[int, int] | None] = []
    for index in range(macros):
        at = (row + index // width, column + step * (index % width))
        found.append(at if at[1] < columns else None)
    return found
