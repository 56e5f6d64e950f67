"""A word has the fields that Amaranth finds in it."""

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.rtl import layouts
from tests.verif.dbpim.chips import CONFIGS
from verif.unpacked import Unpacked, packed

NESTED = data.StructLayout(
    {
        "low": unsigned(3),
        "sums": data.ArrayLayout(signed(5), 3),
        "inner": data.StructLayout({"one": unsigned(1), "value": signed(9)}),
        "nothing": unsigned(0),
    }
)
ARCH = load_arch(CONFIGS / "dbpim" / "small.yaml")
LAYOUTS = {
    "nested": NESTED,
    "request": layouts.fetch_request(ARCH),
    "bus": layouts.bus_write(ARCH),
    "vector": layouts.vector_write(ARCH),
}


def same(word: object, const: object) -> None:
    """Compare all fields, to the last integer."""
    if not isinstance(word, Unpacked):
        assert word == const
        return
    assert isinstance(const, data.Const)
    assert word.as_bits() == const.as_bits()
    keys = [name for name, _ in data.Layout.cast(const.shape())]
    for key in keys:
        same(word[key], const[key])
        if isinstance(key, str):
            same(getattr(word, key), getattr(const, key))
    assert len(list(word)) == len(keys)


@pytest.mark.dear("request")
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_field_is_that_of_amaranth(name: str) -> None:
    layout, rng = LAYOUTS[name], np.random.default_rng(1)
    drawn = [int.from_bytes(rng.bytes(layout.size), "little") % (1 << layout.size)]
    for bits in (0, (1 << layout.size) - 1, *drawn):
        same(Unpacked(layout, bits), layout.from_bits(bits))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(AttributeError, match="must have the field, got middle"):
        _ = Unpacked(NESTED, 0).middle


def fields_of(word: Unpacked, layout: data.Layout) -> dict[str | int, object]:
    """Return all fields, to the last integer."""
    return {
        key: fields_of(word[key], field.shape)
        if isinstance(field.shape, data.Layout)
        else word[key]
        for key, field in layout
    }


@pytest.mark.dear("nested")
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_word_is_made_of_its_fields(name: str) -> None:
    layout, rng = LAYOUTS[name], np.random.default_rng(2)
    bits = int.from_bytes(rng.bytes(layout.size), "little") % (1 << layout.size)
    fields = fields_of(Unpacked(layout, bits), layout)
    assert packed(layout, fields) == bits
    first = dict(list(fields.items())[:1])
    assert packed(layout, first) == layout.const(first).as_bits()


def test_a_word_is_made_of_sequences_and_negative_numbers() -> None:
    fields = {"sums": [1, -2, -16], "inner": {"value": -256}, "low": 5}
    assert packed(NESTED, fields) == NESTED.const(fields).as_bits()
    with pytest.raises(KeyError):
        packed(NESTED, {"middle": 1})
