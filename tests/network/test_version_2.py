"""Files of version 2 load as version 3 with `half_up` everywhere; they hold nothing newer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.errors import FormatError
from hwgen.network import Add, AveragePool, QuantizedNetwork
from hwgen.network.file import load_network, save_network
from hwgen.network.version_2 import NEW_KEYS
from tests.golden.drawn import draw_every_operation, draw_images, draw_joined

Arrays = dict[str, np.ndarray]
DRAWN = {"modes": lambda: draw_every_operation(2), "joined": lambda: draw_joined(1)}


def written(path: Path, network: QuantizedNetwork, change: Callable[[Any, Arrays], Any]) -> Path:
    """Write a network of the kinds of version 2 as a file of version 2, changed."""
    save_network(network, path)
    with np.load(path) as file:
        arrays = dict(file)
    graph = json.loads(arrays.pop("graph").tobytes())
    graph["version"] = 2
    for layer in graph["layers"]:
        for key in NEW_KEYS[layer["op"]]:
            del layer[key]
    arrays = {
        key: array.astype(np.uint16) if key.endswith(".multiplier") else array
        for key, array in arrays.items()
    }
    change(graph, arrays)
    text = json.dumps(graph).encode()
    np.savez(path, graph=np.frombuffer(text, np.uint8), **arrays)
    return path


@pytest.mark.parametrize("name", DRAWN)
def test_a_file_computes_as_before(name: str, tmp_path: Path) -> None:
    network = DRAWN[name]()
    loaded = load_network(written(tmp_path / "old.npz", network, lambda *_: None))
    assert loaded.digest == network.digest
    images = draw_images(network, 1, seed=0)
    before, after = infer(network, images), infer(loaded, images)
    assert all(np.array_equal(before[key], after[key]) for key in before)
    for layer in loaded.layers:
        assert getattr(layer, "rounding", "half_up") == "half_up"
        assert not isinstance(layer, AveragePool) or layer.center is None
        assert not isinstance(layer, Add) or not layer.operand_shifts


def wide(graph: Any, arrays: Arrays) -> None:
    """Store multipliers as version 3 does."""
    key = next(key for key in arrays if key.endswith(".multiplier"))
    arrays[key] = arrays[key].astype(np.uint32)


CHANGES: dict[str, Callable[[Any, Arrays], Any]] = {
    "layers.0.rounding must be absent from a file of version 2, got half_up": (
        lambda graph, _: graph["layers"][0].update(rounding="half_up")
    ),
    "layers.0.op must be conv, linear, max_pool, average_pool, add, multiply, rescale, concatenate,"
    " table, shortcut in a file of version 2, got reshape": (
        lambda graph, _: graph["layers"][0].update(op="reshape")
    ),
    "conv_0.multiplier must be uint16, got uint32": wide,
    "layers must be a list, got 'conv'": lambda graph, _: graph.update(layers="conv"),
    "layers must be present, got nothing": lambda graph, _: graph.pop("layers"),
}


@pytest.mark.parametrize("sentence", CHANGES)
def test_what_is_newer_or_wrong_is_refused(sentence: str, tmp_path: Path) -> None:
    path = written(tmp_path / "old.npz", draw_joined(0), CHANGES[sentence])
    with pytest.raises(FormatError) as caught:
        load_network(path)
    assert str(caught.value) == f"{sentence} ({path})"
