"""Truncated and altered files: a network, or a sentence; never anything else."""

import random
import time
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import HwgenError
from hwgen.importers.integer import lower
from hwgen.importers.tflite import read_integer_graph
from hwgen.network import QuantizedNetwork
from tests.tflite_files import (
    SAME,
    Writer,
    activation_options,
    conv_options,
    convolution,
    depthwise_options,
    random_weights,
)

SECONDS = 10
"""Of an import at most."""


def content() -> bytes:
    """Return a file with several operators."""
    writer = Writer()
    x, y, z = writer.map(6, 6, 3), writer.map(6, 6, 4, scale=0.2), writer.map(6, 6, 4)
    convolution(writer, x, y, random_weights(4, 3, 3, 3), conv_options(padding=SAME))
    convolution(
        writer, y, z, random_weights(1, 3, 3, 4), depthwise_options(padding=SAME),
        name="DEPTHWISE_CONV_2D", axis=3,
    )  # fmt: skip
    both, flat, out = writer.map(6, 6, 4), writer.map(144), writer.map(5)
    writer.operator("ADD", (y, z), both, activation_options("AddOptions"))
    shape = writer.constant(np.array([1, 144], np.int32))
    writer.operator("RESHAPE", (both, shape), flat, ("ReshapeOptions", {}))
    weights = writer.constant(random_weights(5, 144), scales=0.01)
    options = activation_options("FullyConnectedOptions")
    writer.operator("FULLY_CONNECTED", (flat, weights), out, options)
    return writer.content()


CONTENT = content()


def read(altered: bytes, path: Path) -> QuantizedNetwork | str:
    """Return the network of some bytes, or the sentence that refuses them."""
    path.write_bytes(altered)
    begin = time.monotonic()
    try:
        return lower(read_integer_graph(path)).network
    except HwgenError as error:
        return str(error)
    finally:
        assert time.monotonic() - begin < SECONDS


@pytest.mark.promise(
    "a damaged TFLite file is a network or one sentence, in seconds; nothing in it runs"
)
def test_the_whole_file_is_read(tmp_path: Path) -> None:
    network = read(CONTENT, tmp_path / "whole.tflite")
    assert isinstance(network, QuantizedNetwork)
    assert [layer.op for layer in network.layers] == ["conv", "conv", "add", "linear"]


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    for length in range(0, len(CONTENT) - 8, 131):
        sentence = read(CONTENT[:length], path)
        assert isinstance(sentence, str), length
        assert sentence.startswith("the network must be a whole TFLite file, got "), length
        assert sentence.endswith(f" ({path})") and "\n" not in sentence


@pytest.mark.parametrize("seed", range(4))
def test_an_altered_file_is_read_or_refused(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    path = tmp_path / "altered.tflite"
    for _ in range(80):
        altered = bytearray(CONTENT)
        for _ in range(chance.choice((1, 1, 2, 8))):
            altered[chance.randrange(8, len(altered))] = chance.randrange(256)
        found = read(bytes(altered), path)
        assert isinstance(found, QuantizedNetwork) or found.isprintable() or "cannot" in found


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HwgenError, match="must be a whole TFLite file, got no file"):
        read_integer_graph(tmp_path / "absent.tflite")
