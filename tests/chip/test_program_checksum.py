"""The checksum of a program, against long division."""

import numpy as np
import pytest

from hwgen.chip.program_checksum import sealed
from verif.reference.checksum import checksum

RNG = np.random.default_rng(114)


@pytest.mark.parametrize(("size", "place"), [(4, 0), (8, 4), (200, 0), (200, 196), (333, 57)])
def test_four_bytes_make_the_sum_0(size: int, place: int) -> None:
    given = RNG.integers(0, 256, size, np.uint8)
    found = sealed(given, place)
    assert checksum(found.tobytes()) == 0
    others = [*range(place), *range(place + 4, size)]
    assert found[others].tolist() == given[others].tolist()
    assert sealed(found, place).tolist() == found.tolist()


def test_parts_count_as_often_as_they_are_read() -> None:
    parts = [slice(0, 64), slice(160, 192), slice(64, 128), slice(160, 192), slice(192, 200)]
    found = sealed(RNG.integers(0, 256, 256, np.uint8), 12, parts)
    assert checksum(b"".join(found[part].tobytes() for part in parts)) == 0
    found[130] ^= 1
    assert checksum(b"".join(found[part].tobytes() for part in parts)) == 0
