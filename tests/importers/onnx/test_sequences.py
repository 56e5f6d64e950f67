"""Sequences drawn from seeds: golden gives what onnxruntime gives, and chips run them."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.commands.described import remarks_of
from hwgen.importers.integer import lower
from hwgen.importers.onnx.quantized import read_integer_graph
from tests.importers.onnx.test_transformers import all_equal, beside_runtime, has_avx2

DEFAULT = 2
"""Seeds that run by default."""


def seeds() -> list[object]:
    from tests.corpus.sequences import DRAWN

    marks = {seed: [] if seed < DEFAULT else [pytest.mark.long] for seed in range(DRAWN)}
    return [pytest.param(seed, marks=each) for seed, each in marks.items()]


@pytest.mark.dear("0")
@has_avx2
@pytest.mark.promise("drawn sequences of attention, mixing and gates are exact and run on a chip")
@pytest.mark.parametrize("seed", seeds())
def test_drawn_sequences(seed: int, tmp_path: Path) -> None:
    from tests.corpus.drawn import calibrated
    from tests.corpus.sequences import SEQUENCES

    path = calibrated(*SEQUENCES[f"drawn_{seed}"], ("script", "dynamo")[seed % 2], tmp_path)
    network = lower(read_integer_graph(path), kernels="onnxruntime").network
    refused = [each for each in remarks_of(network)["dbpim"].values() if each.startswith("no:")]
    assert not refused
    images = np.random.default_rng(seed).integers(0, 256, (8, *network.graph.input.shape))
    assert all_equal(beside_runtime(path, images.astype(np.uint8), network))
