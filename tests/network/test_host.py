"""Raw images become integers of the input, up to the largest that its bits hold."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.network.host import RawImage, byte_of
from verif.dbpim.directed_network import directed


def test_integers_end_at_both_ends_of_the_map() -> None:
    image = directed("squeeze_and_excite").graph.input
    entry = image.quantization[0]
    for bits in (4, 8):
        narrow = replace(image, bits=bits)
        steps = np.array([-300, -1, 0, 1, 2, 300], np.float32)
        raw = np.broadcast_to(steps[:, None] * np.float32(entry.scale), (6, image.channels))
        found = RawImage(steps=(), byte=1.0).integers(raw, narrow)
        wanted = [min(max(int(s) + entry.zero_point, 0), 2**bits - 1) for s in steps]
        assert found[:, 0].tolist() == wanted


def test_bytes_of_a_raw_image() -> None:
    """An image of 0 to 1 with bytes of 1 / 255, as one of 0 to 255 with bytes of 1."""
    image = directed("squeeze_and_excite").graph.input
    entry = replace(image.quantization[0], scale=1 / 255, zero_point=0)
    image = replace(image, bits=8, quantization=(entry,))
    raw = np.arange(256, dtype=np.uint8).reshape(-1, 1)
    assert (RawImage(steps=(), byte=1 / 255).of_bytes(raw, image) == raw).all()


@pytest.mark.parametrize(("largest", "byte"), [(1.0, 1 / 255), (2.0, 1 / 255), (2.1, 1.0)])
def test_an_image_that_ends_at_two_is_one_of_0_to_1(largest: float, byte: float) -> None:
    image = directed("squeeze_and_excite").graph.input
    entry = replace(image.quantization[0], scale=largest / 255, zero_point=0)
    image = replace(image, bits=8, quantization=(entry,))
    assert byte_of((), image, integers=False) == byte
    assert byte_of((), image, integers=True) == 1.0
