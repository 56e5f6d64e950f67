"""Parts of the same sizes are made once, others are not mistaken for them."""

import pytest

from hwgen.chip.rtl.alike import alike, different
from hwgen.chip.rtl.fifo import Fifo
from hwgen.crossbar.rtl.pad import Packer
from hwgen.crossbar.rtl.requantizer import RequantizerLane


def packer(chunk: int = 8) -> Packer:
    return Packer(chunk=chunk, word=16, bits=8)


@pytest.mark.promise("each different module is written once, whatever the number of its uses")
def test_parts_of_the_same_sizes_are_alike() -> None:
    one, other = packer(), packer()
    assert alike(one, other)
    narrow = packer(4)
    assert different([one, other, narrow]) == [one, narrow]


def test_parts_that_place_others_are_compared_with_them() -> None:
    narrow, wide = (RequantizerLane(sum_bits=bits, bits=8, raw=False) for bits in (24, 32))
    assert alike(narrow, RequantizerLane(sum_bits=24, bits=8, raw=False))
    assert not alike(narrow, wide)


def test_another_family_or_class_is_different() -> None:
    one, other = (Fifo(family=family, depth=4, width=8) for family in ("one", "other"))
    assert not alike(one, other)
    assert not alike(one, packer())


def test_objects_without_an_equality_are_different() -> None:
    assert not alike([object()], [object()])
