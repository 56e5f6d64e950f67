"""Truncated and altered files: a network, or one sentence; never anything else."""

import random
from pathlib import Path

import pytest

from hwgen.crossbar.compiler import ZOO
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.errors import FormatError
from hwgen.importers.onnx import model_of
from tests.onnx_graphs import read_onnx

CONTENT = model_of(ZOO["cifar_resnet18"]()).SerializeToString(deterministic=True)


def read(content: bytes, path: Path) -> CrossbarNetwork | str:
    path.write_bytes(content)
    try:
        return read_onnx(path)
    except FormatError as error:
        return str(error)


@pytest.mark.promise(
    "a file that is damaged, foreign or unsound is one sentence that names the node"
)
def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    for length in range(0, len(CONTENT) - 32, 97):
        sentence = read(CONTENT[:length], path)
        assert isinstance(sentence, str), length
        assert sentence.endswith(f" ({path})") and "\n" not in sentence


@pytest.mark.parametrize("seed", range(8))
def test_an_altered_file_is_read_or_refused(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    path = tmp_path / "altered.onnx"
    for _ in range(40):
        content = bytearray(CONTENT)
        for _ in range(chance.choice((1, 1, 2, 8))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        found = read(bytes(content), path)
        assert isinstance(found, CrossbarNetwork) or "\n" not in found
