"""What is loaded into a macro before the first image: entries of targets, a packet each.

An entry is a row of fields, the first one lowest; a field that begins a flit says so by the fields
before it, which fill theirs. The lowering writes entries by these tables, the macro reads them.

Tests: `tests/crossbar/facts/test_in_memory.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hwgen.crossbar.facts.chip import Chip
from hwgen.errors import DesignError

Kind = Literal["column", "channel", "limits", "operands", "table", "codes"]
KINDS: tuple[Kind, ...] = ("column", "channel", "limits", "operands", "table")
"""Of a layer in a macro; "codes" are of all converters of a macro, behind all layers."""

Fields = Sequence[tuple[str, int]]
"""Names and bits, the first one lowest."""

FLIT = 64
"""Bits that the fields of an entry count on; wider flits hold the same."""

COLUMN_FIELDS = (
    ("flip", 1),
    ("first", 1),
    ("cell_slice", 5),
    ("unit", 13),
    ("target", 18),
    ("lane", 10),
    ("slot", 16),
)
"""Of a column, in its first flit: see `hwgen.crossbar.facts.columns.Column`; the lane and the slot
in which it is converted. Its cells follow: planes of `side` bits, plane 0 lowest, row 0 lowest;
of a pair the planes of the positive cells, then those of the negative ones.
Of a chip with `effects` a flit of its converter is the last one, and of one with `read_noise` a
flit of its noise is before that."""

CHANNEL_FIELDS = (("bias", 64), ("multiplier", 16), ("shift", 6))
"""Of an output channel, in two flits: bias in two's complement, then M and s."""

LIMITS_FIELDS = (("input_zero", 16), ("zero_point", 16), ("low", 16), ("high", 16))
"""Of a layer: zero point of the map that it reads; zero point and limits of its own."""

OPERANDS_FIELDS = (("zero_a", 16), ("multiplier_a", 16), ("zero_b", 16), ("multiplier_b", 16))
"""Of an addition: zero point and factor of each operand, by position."""

TABLE_BITS = 8
"""Bits of the elements that a table may have at most, before it and behind it."""

TABLE_FIELDS = (("value", 8),)
"""Of an element: what a function makes of it."""


@dataclass(frozen=True, kw_only=True)
class LoadTarget:
    """One kind of entries of a layer in a macro.

    number: `target` of a header; flits: of an entry; entries: `index` 0 and behind
    """

    number: int
    layer: int
    kind: Kind
    flits: int
    entries: int


def load_targets(chip: Chip, macro: int) -> list[LoadTarget]:
    """Return what is loaded into a macro; entries of a target come in order, each once."""
    if chip.flit_bits < FLIT:
        raise DesignError(f"flits must have {FLIT} bits for loads, got {chip.flit_bits}")
    found = []
    for order, place in enumerate(chip.layers_in(macro)):
        layer = chip.layers[place]
        held = next(one for one in layer.held if one.macro == macro)
        cells = -(-chip.column_bits // chip.flit_bits) + chip.effects + chip.read_noise
        sizes: Mapping[Kind, tuple[int, int]] = {
            "column": (1 + cells, held.conversions),
            "channel": (2, layer.layer.out_channels if held.results else 0),
            "limits": (1, 1),
            "operands": (1, int(layer.layer.kind == "eltwise")),
            "table": (1, table_entries(chip) if layer.table and held.results else 0),
        }
        for kind, (flits, entries) in sizes.items():
            if entries:
                number = len(KINDS) * order + KINDS.index(kind)
                found.append(
                    LoadTarget(number=number, layer=place, kind=kind, flits=flits, entries=entries)
                )
    if bends(chip, macro):
        number, (first, *_) = codes_target(chip, macro), chip.layers_in(macro)
        codes = 1 << chip.adc_bits
        found.append(LoadTarget(number=number, layer=first, kind="codes", flits=1, entries=codes))
    return found


def bends(chip: Chip, macro: int) -> bool:
    """Return whether a macro has converters with a table of how far their codes are off."""
    layers = [chip.layers[place] for place in chip.layers_in(macro)]
    return chip.nonlinear_converters and any(layer.cut is not None for layer in layers)


def codes_target(chip: Chip, macro: int) -> int:
    """Return the number of the target that brings that table."""
    return len(KINDS) * len(chip.layers_in(macro))


def table_entries(chip: Chip) -> int:
    """Return the elements of which a table says something."""
    return 1 << min(chip.activation_bits, TABLE_BITS)


def entry(fields: Fields, values: Mapping[str, int]) -> int:
    """Return fields side by side, the first one lowest, each in two's complement."""
    word = place = 0
    for name, bits in fields:
        if not -(1 << (bits - 1)) <= values[name] < 1 << bits:
            raise DesignError(f"{name} of a load must fit {bits} bits, got {values[name]}")
        word |= (values[name] & ((1 << bits) - 1)) << place
        place += bits
    return word
