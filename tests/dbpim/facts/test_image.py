"""Bytes of images and answers in memory, worked by hand."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.image import pack_answer, pack_image, stored_pixel_bytes, unpack_answer
from hwgen.dbpim.facts.program import AnswerPlan, ImagePlan
from hwgen.errors import DataError

SMALL = load_arch(Path("configs/dbpim/small.yaml"))
WIDE = load_arch(Path("configs/dbpim/wide.yaml"))
"""Words of 8 channels, as those of SMALL; beats of 16 bytes, not 8."""


def image_plan(channels: int, pixel_bytes: int) -> ImagePlan:
    return ImagePlan(shape=(2, 3, channels), pixel_bytes=pixel_bytes, stride=64)


def answer_plan(shape: tuple[int, int, int], *, raw: bool) -> AnswerPlan:
    return AnswerPlan(layer="head", shape=shape, raw=raw, offsets=[0], size=64)


@pytest.mark.promise("images are packed as the chip reads them, answers read as it writes them")
def test_pixels_are_padded_to_pixel_bytes_and_the_image_to_beats() -> None:
    image = np.arange(1, 19, dtype=np.uint8).reshape(2, 3, 3)
    packed = pack_image(image, image_plan(3, 4), WIDE)
    assert packed[:12] == bytes([1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0])
    assert packed[20:] == bytes([16, 17, 18, 0]) + bytes(8)
    assert len(packed) == 32
    assert len(pack_image(image, image_plan(3, 4), SMALL)) == 24


def test_pixels_of_many_channels_take_whole_words() -> None:
    assert stored_pixel_bytes(image_plan(3, 4), SMALL) == 4
    assert stored_pixel_bytes(image_plan(9, 0), SMALL) == 16
    image = np.arange(1, 55, dtype=np.uint8).reshape(2, 3, 9)
    packed = pack_image(image, image_plan(9, 0), SMALL)
    assert packed[:16] == bytes(range(1, 10)) + bytes(7)
    assert packed[16:25] == bytes(range(10, 19))
    assert len(packed) == 6 * 16


def test_an_image_of_another_shape_is_refused() -> None:
    wanted = r"an image must be uint8 of shape \(2, 3, 3\), got"
    with pytest.raises(DataError, match=rf"{wanted} uint8 of shape \(3, 2, 3\)"):
        pack_image(np.zeros((3, 2, 3), np.uint8), image_plan(3, 4), SMALL)
    with pytest.raises(DataError, match=rf"{wanted} float64 of shape \(2, 3, 3\)"):
        pack_image(np.zeros((2, 3, 3)), image_plan(3, 4), SMALL)  # type: ignore[arg-type]


def test_raw_answers_are_int32_lowest_byte_first() -> None:
    plan = answer_plan((1, 1, 3), raw=True)
    logits = np.array([1, -2, 0x01020304], np.int32)
    packed = pack_answer(logits, plan, SMALL)
    assert packed == bytes([1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 4, 3, 2, 1])
    found = unpack_answer(packed + bytes(4), plan, SMALL)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, logits.reshape(1, 1, 3))


def test_answers_of_bytes_take_whole_words() -> None:
    plan = answer_plan((1, 2, 3), raw=False)
    answer = np.array([[[1, 2, 3], [254, 255, 9]]], np.uint8)
    packed = pack_answer(answer, plan, SMALL)
    assert packed == bytes([1, 2, 3, *[0] * 5, 254, 255, 9, *[0] * 5])
    found = unpack_answer(packed.replace(b"\0", b"\7"), plan, SMALL)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, answer)
