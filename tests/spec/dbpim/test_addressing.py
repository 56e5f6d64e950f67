"""Words of a map and bytes of an image, worked by hand."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import DataError
from hwgen.spec.dbpim.addressing import region_address, region_at
from hwgen.spec.dbpim.arch import Arch, load_arch
from hwgen.spec.dbpim.image import image_beats, pack_image
from hwgen.spec.dbpim.program import ProgramFacts, Region

SMALL = load_arch(Path("configs/dbpim/small.yaml"))
FOUR_BANKS = replace(SMALL, macros_per_core=4)


def test_region_by_hand() -> None:
    """5 columns in 4 banks are 2 a row; 20 channels are 3 words of 8."""
    region = region_at(7, height=3, width=5, channels=20, arch=FOUR_BANKS)
    assert (region.row_pitch, region.channel_words, region.words) == (6, 3, 18)
    cases = {(0, 0, 0): (0, 7), (0, 3, 2): (3, 9), (0, 4, 0): (0, 10), (1, 0, 0): (2, 13)}
    cases |= {(2, 4, 1): (0, 23), (1, 2, 2): (0, 15)}
    for (y, x, word), wanted in cases.items():
        assert region_address(region, FOUR_BANKS, y=y, x=x, channel_word=word) == wanted


@pytest.mark.parametrize("macros", [1, 2, 4, 8])
def test_every_word_has_its_own_place(macros: int) -> None:
    arch = replace(SMALL, macros_per_core=macros)
    region = region_at(3, height=5, width=7, channels=17, arch=arch)
    places = [
        region_address(region, arch, y=y, x=x, channel_word=w)
        for y, x, w in product(range(5), range(7), range(3))
    ]
    assert len(set(places)) == 5 * 7 * 3
    assert all(bank < arch.banks for bank, _ in places)
    assert all(3 <= address < 3 + region.words for _, address in places)


def facts_of(channels: int, pixel_bytes: int, arch: Arch) -> ProgramFacts:
    region: Region = region_at(0, height=2, width=3, channels=channels, arch=arch)
    return ProgramFacts(
        format="hwgen.dbpim.program",
        version=1,
        network="",
        network_name="",
        architecture="",
        architecture_name="",
        image_region=region,
        pixel_bytes=pixel_bytes,
        classes=1,
        layers=[],
    )


def test_pixels_are_padded_to_pixel_bytes_and_the_image_to_beats() -> None:
    facts = facts_of(3, 4, SMALL)
    image = np.arange(1, 19, dtype=np.uint8).reshape(2, 3, 3)
    packed = pack_image(image, facts, port_bytes=16)
    assert packed[:12] == bytes([1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0])
    assert packed[20:] == bytes([16, 17, 18, 0]) + bytes(8)
    assert len(packed) == 16 * image_beats(facts, port_bytes=16) == 32
    assert image_beats(facts, port_bytes=8) == 3


def test_an_image_of_another_shape_is_refused() -> None:
    wanted = r"an image must be uint8 of shape \(2, 3, 3\), got"
    with pytest.raises(DataError, match=rf"{wanted} uint8 of shape \(3, 2, 3\)"):
        pack_image(np.zeros((3, 2, 3), np.uint8), facts_of(3, 4, SMALL), port_bytes=8)
    with pytest.raises(DataError, match=rf"{wanted} float64 of shape \(2, 3, 3\)"):
        pack_image(np.zeros((2, 3, 3)), facts_of(3, 4, SMALL), port_bytes=8)  # type: ignore[arg-type]
