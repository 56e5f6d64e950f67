"""Words of a layout, read and made by name in the cycles of a bench.

`Layout.from_bits` and `Layout.const` compute each place anew, and took half of the time of some
benches.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from amaranth.hdl import Shape
from amaranth.lib import data


class Place(NamedTuple):
    """Where a field is: its lowest bit, ones for its bits, its sign bit or 0, and a layout."""

    offset: int
    mask: int
    sign: int
    layout: data.Layout | None


KNOWN: dict[int, tuple[data.Layout, dict[Any, Place]]] = {}
"""Layouts and their places by identity: to compare layouts takes longer than to read a word."""


def places(layout: data.Layout) -> dict[Any, Place]:
    """Return the place of each field, by its name or index."""
    if id(layout) not in KNOWN:
        KNOWN[id(layout)] = layout, places_now(layout)
    return KNOWN[id(layout)][1]


def places_now(layout: data.Layout) -> dict[Any, Place]:
    """Compute the place of each field."""
    found: dict[Any, Place] = {}
    for name, field in layout:
        shape = Shape.cast(field.shape)
        inner = field.shape if isinstance(field.shape, data.Layout) else None
        sign = 1 << shape.width - 1 if shape.signed else 0
        found[name] = Place(field.offset, (1 << shape.width) - 1, sign, inner)
    return found


def packed(layout: data.Layout, fields: Mapping[Any, Any] | Sequence[Any]) -> int:
    """Return the word with these fields and zeros, as `layout.const(fields).as_bits()` does.

    fields: integers, and mappings and sequences where the layout has layouts
    """
    known, word = places(layout), 0
    for key, value in fields.items() if isinstance(fields, Mapping) else enumerate(fields):
        offset, mask, _, inner = known[key]
        whole = inner is None or isinstance(value, int)
        bits = int(value) if whole else packed(inner, value)
        word |= (bits & mask) << offset
    return word


class Unpacked:
    """The fields of a word, integers or words, by name or index, as those of `data.Const`.

    layout: of structures, arrays, and integers in them
    bits: the word, not negative
    """

    __slots__ = ("_bits", "_places")

    def __init__(self, layout: data.Layout, bits: int) -> None:
        self._bits, self._places = bits, places(layout)

    def __getitem__(self, key: str | int) -> Any:
        offset, mask, sign, layout = self._places[key]
        value = self._bits >> offset & mask
        if layout is not None:
            return Unpacked(layout, value)
        return value - mask - 1 if value & sign else value

    def __getattr__(self, name: str) -> Any:
        if name not in self._places:
            raise AttributeError(f"the word must have the field, got {name}")
        return self[name]

    def __iter__(self) -> Iterator[Any]:
        return (self[key] for key in self._places)

    def as_bits(self) -> int:
        """Return the whole word."""
        return self._bits
