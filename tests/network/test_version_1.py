"""Files of version 1 load as version 3 and answer as before; what version 1 refused it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.errors import FormatError
from hwgen.network import Add, QuantizedNetwork
from hwgen.network.file import load_network, save_network

HERE = Path(__file__).parent
OLD = HERE / "digits_version_1.npz"
NEW = Path(__file__).parents[2] / "configs" / "networks" / "digits_small_cnn.npz"
Arrays = dict[str, np.ndarray]


def feature_map(height: int, width: int, channels: int, **more: Any) -> dict[str, Any]:
    """Return a map of version 1."""
    values = {"scale": 0.5, "zero_point": 3, "low": 3, "high": 255}
    return {"height": height, "width": width, "channels": channels, **values, **more}


def conv(name: str, source: str, *, height: int = 4, **more: Any) -> dict[str, Any]:
    """Return a convolution of version 1 with one channel."""
    window = {"kernel_height": 1, "kernel_width": 1, "stride": 1, "padding": 0}
    layer = {"name": name, "op": "conv", "input": source, **window, "head": False}
    return {**layer, "output": feature_map(height, 4, 1), **more}


def write(path: Path, layers: list[dict[str, Any]], **changes: Any) -> Path:
    """Write a file of version 1 in which every weight is 1."""
    head = {"name": "head", "op": "linear", "input": layers[-1]["name"], "head": True}
    output = feature_map(1, 1, 2, zero_point=0, low=0)
    graph = {
        **{"format": "hwgen.network", "version": 1, "name": "old", "dataset": "none"},
        **{"class_names": ["a", "b"], "preprocessing": "none", "input": feature_map(4, 4, 1)},
        **{"layers": [*layers, {**head, "output": output}], **changes},
    }
    arrays: Arrays = {}
    for layer in graph["layers"]:
        outputs, pixels = layer["output"]["channels"], 16
        if layer["op"] in ("conv", "linear"):
            weights = (outputs, 1, 1, 1) if layer["op"] == "conv" else (outputs, pixels)
            scaled = 0 if layer["head"] else outputs
            arrays[f"{layer['name']}.weights"] = np.ones(weights, np.int8)
            arrays[f"{layer['name']}.bias"] = np.arange(outputs, dtype=np.int32)
            arrays[f"{layer['name']}.multiplier"] = np.full(scaled, 1 << 15, np.uint16)
            arrays[f"{layer['name']}.shift"] = np.full(scaled, 16, np.uint8)
            arrays[f"{layer['name']}.weight_scale"] = np.ones(outputs, np.float32)
    np.savez(path, graph=np.frombuffer(json.dumps(graph).encode(), np.uint8), **arrays)
    return path


def refused(path: Path) -> str:
    with pytest.raises(FormatError) as caught:
        load_network(path)
    return str(caught.value).removesuffix(f" ({path})")


def test_the_old_file_of_the_shipped_network_is_the_new_one() -> None:
    old, new = load_network(OLD), load_network(NEW)
    assert old.graph == new.graph
    assert old.digest == new.digest
    with np.load(OLD) as file:
        assert json.loads(file["graph"].tobytes())["version"] == 1


def test_a_loaded_file_is_written_as_version_3(tmp_path: Path) -> None:
    network = load_network(OLD)
    save_network(network, tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as file:
        assert json.loads(file["graph"].tobytes())["version"] == 3
        assert file["conv1.bias"].shape == (1, 16) and file["conv1.bias"].dtype == np.int64
    assert load_network(tmp_path / "new.npz").digest == network.digest


def test_every_field_becomes_what_it_meant() -> None:
    network = load_network(OLD)
    first, head = network.layers[0], network.layers[-1]
    with np.load(OLD) as file:
        plain = json.loads(file["graph"].tobytes())["layers"]
    assert first.kernel == (plain[0]["kernel_height"], plain[0]["kernel_width"])
    assert first.stride == (plain[0]["stride"],) * 2
    assert first.padding == (plain[0]["padding"],) * 4
    assert (first.groups, first.weight_bits, first.weight_grid) == (1, 8, "integer")
    values = first.output.quantization[0]
    assert [values.zero_point, values.low, values.high] == [
        plain[0]["output"][key] for key in ("zero_point", "low", "high")
    ]
    assert head.output.bits == 32 and network.graph.outputs == (head.name,)
    assert head.output.quantization[0].high == 0
    assert network.graph.modes == ("1.0x",)


def test_names_become_plain_and_stay_unique(tmp_path: Path) -> None:
    layers = [conv("a/b", "input"), conv("a b", "a/b"), conv("a_b_2", "a b"), conv("é", "a_b_2")]
    network = load_network(write(tmp_path / "old.npz", layers))
    assert [layer.name for layer in network.layers] == ["a_b", "a_b_2", "a_b_2_2", "_", "head"]
    assert [layer.inputs for layer in network.layers] == [
        *(("input",), ("a_b",), ("a_b_2",), ("a_b_2_2",), ("_",))
    ]


def test_small_multipliers_of_an_add_are_doubled_with_the_shift(tmp_path: Path) -> None:
    add = {"name": "add", "op": "add", "a": "c", "b": "input", "shift": 5}
    add |= {"multiplier_a": 7, "multiplier_b": 12, "output": feature_map(4, 4, 1)}
    network = load_network(write(tmp_path / "old.npz", [conv("c", "input"), add]))
    layer = next(layer for layer in network.layers if isinstance(layer, Add))
    (factors,) = layer.requantization
    assert factors.multipliers == (7 << 12, 12 << 12) and factors.shift == 17
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 1)).astype(np.uint8)
    maps = infer(network, images)
    total = (maps["c"].astype(int) - 3) * 7 + (maps["input"].astype(int) - 3) * 12
    assert (maps["add"] == (((total + 16) >> 5) + 3).clip(3, 255)).all()


def without(layers: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in layers[0].items() if name != key}]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda path: write(path, [conv("c", "input", stride=5)]),
            "layers.0.conv.stride must be less than or equal to 4, got 5",
        ),
        (
            lambda path: write(path, without([conv("c", "input")], "stride")),
            "layers.0.conv.stride must be present, got nothing",
        ),
        (
            lambda path: write(path, [conv("c", "input", modes=1)]),
            "layers.0.conv.modes must be a known key, got the unknown key modes",
        ),
        (
            lambda path: write(path, [conv("c", "input"), conv("c", "input")]),
            "layer name must be new, not empty and without a dot, got c",
        ),
        (
            lambda path: write(path, [conv("c.d", "input")]),
            "layer name must be new, not empty and without a dot, got c.d",
        ),
        (
            lambda path: write(path, [conv("c", "nobody")]),
            "c.inputs must be among input, got nobody",
        ),
        (
            lambda path: write(path, [conv("c", "input", head=True)]),
            "head must be the last layer (head) alone, got ['c', 'head']",
        ),
        (
            lambda path: write(path, [conv("c", "input", padding=1, output=feature_map(6, 6, 1))]),
            "c.padding must be below its kernel [1, 1] on every side, got [1, 1, 1, 1]",
        ),
    ],
)
def test_mistakes_are_one_sentence(
    make: Callable[[Path], Path], sentence: str, tmp_path: Path
) -> None:
    assert refused(make(tmp_path / "old.npz")) == sentence


def test_biases_of_version_1_are_int32(tmp_path: Path) -> None:
    path = write(tmp_path / "old.npz", [conv("c", "input")])
    with np.load(path) as file:
        arrays = dict(file)
    arrays["c.bias"] = arrays["c.bias"].astype(np.int64)
    np.savez(path, **arrays)
    assert refused(path) == "c.bias must be int32, got int64"


def test_arrays_of_nobody_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "old.npz", [conv("c", "input")])
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays, extra=np.zeros(1))
    assert refused(path) == "every array must be of a layer, got extra"


def test_the_digest_is_that_of_version_3(tmp_path: Path) -> None:
    def answer(network: QuantizedNetwork) -> str:
        save_network(network, tmp_path / "again.npz")
        return load_network(tmp_path / "again.npz").digest

    network = load_network(write(tmp_path / "old.npz", [conv("a b", "input")]))
    assert answer(network) == network.digest
