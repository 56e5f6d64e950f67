"""The network file comes back as it went; everything else is refused in one sentence."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.errors import FormatError, OutputError
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network, save_network
from tests.golden.drawn import draw_every_operation, draw_joined, draw_tokens
from verif.dbpim.directed_network import DIRECTED, directed

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def network() -> QuantizedNetwork:
    """A small network with every kind of layer."""
    return directed("zero_points")


def same(a: QuantizedNetwork, b: QuantizedNetwork) -> bool:
    pairs = [(array, b.arrays().get(name)) for name, array in a.arrays().items()]
    return (
        a.graph == b.graph
        and list(a.arrays()) == list(b.arrays())
        and all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in pairs)
    )


NETWORKS = {
    **DIRECTED,
    "every_operation": lambda: draw_every_operation(0),
    "joined": lambda: draw_joined(0),
    "tokens": lambda: draw_tokens(2),
}


@pytest.mark.promise(
    "a network file comes back as it went; a damaged or foreign one is one sentence"
)
@pytest.mark.parametrize("name", NETWORKS)
def test_round_trip(name: str, tmp_path: Path) -> None:
    written = NETWORKS[name]()
    path = tmp_path / "new" / "folder" / "network.npz"
    save_network(written, path)
    read = load_network(path)
    assert same(written, read)
    assert written.digest == read.digest
    assert [file.name for file in path.parent.iterdir()] == ["network.npz"]


def test_same_content_same_bytes(network: QuantizedNetwork, tmp_path: Path) -> None:
    save_network(network, tmp_path / "a.npz")
    backwards = QuantizedNetwork(
        graph=network.graph, parameters=dict(reversed(network.parameters.items()))
    )
    save_network(backwards, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert network.digest == backwards.digest


def test_memory_order_does_not_show(network: QuantizedNetwork, tmp_path: Path) -> None:
    save_network(network, tmp_path / "a.npz")
    turned = load_network(tmp_path / "a.npz")
    for parameters in turned.parameters.values():
        weights = np.asfortranarray(parameters.weights)
        object.__setattr__(parameters, "weights", weights)
    save_network(turned, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert turned.digest == network.digest


def test_a_file_needs_no_pickle(network: QuantizedNetwork, tmp_path: Path) -> None:
    save_network(network, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert json.loads(file["graph"].tobytes())["format"] == "hwgen.network"
        assert file["conv_0.weights"].dtype == np.int8


def test_a_folder_that_cannot_be_written(network: QuantizedNetwork, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="the network must be writable at"):
        save_network(network, tmp_path / "file" / "network.npz")


def refused(path: Path) -> str:
    """Return the sentence about the file, without its name."""
    with pytest.raises(FormatError) as caught:
        load_network(path)
    sentence = str(caught.value)
    assert sentence.endswith(f" ({path})")
    assert "\n" not in sentence
    return sentence.removesuffix(f" ({path})")


WHOLE = "the network must be a whole hwgen.network file (.npz)"


def test_every_truncation_is_refused(network: QuantizedNetwork, tmp_path: Path) -> None:
    save_network(network, tmp_path / "whole.npz")
    content = (tmp_path / "whole.npz").read_bytes()
    path = tmp_path / "part.npz"
    for length in range(0, len(content), 101):
        path.write_bytes(content[:length])
        assert refused(path).startswith(WHOLE)


def test_damaged_bytes_never_escape(network: QuantizedNetwork, tmp_path: Path) -> None:
    save_network(network, tmp_path / "whole.npz")
    content = (tmp_path / "whole.npz").read_bytes()
    path = tmp_path / "damaged.npz"
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        # Zip has bytes without a meaning; where one was hit, the network is the same.
        try:
            assert same(load_network(path), network)
        except FormatError as error:
            assert "\n" not in str(error)


def test_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "foreign.npz"
    assert refused(path) == f"{WHOLE}, got no file"
    assert refused(tmp_path) == f"{WHOLE}, got a folder"
    for content in (b"", b"hello, world\n", pickle.dumps([1, 2, 3])):
        path.write_bytes(content)
        assert refused(path).startswith(f"{WHOLE}, got a truncated or foreign file")
    np.save(tmp_path / "array.npy", np.zeros(3))
    assert refused(tmp_path / "array.npy").startswith(WHOLE)
    np.savez(path, a=np.zeros(3))
    assert refused(path) == "the file must be a hwgen.network file, got no graph inside"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("graph", "{}")
    assert refused(path) == "every member must be an array, got graph"


def test_pickles_are_not_opened(network: QuantizedNetwork, tmp_path: Path) -> None:
    path = tmp_path / "pickle.npz"
    np.savez(path, graph=np.array([{"format": "hwgen.network"}], dtype=object))
    assert refused(path) == f"{WHOLE}, got a damaged file"


def rewritten(network: QuantizedNetwork, path: Path, change: Callable[[Arrays], Any]) -> str:
    """Return the complaint about a file whose arrays were changed."""
    save_network(network, path)
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(path, **arrays)
    return refused(path)


def set_graph(arrays: Arrays, graph: Any) -> None:
    arrays["graph"] = np.frombuffer(json.dumps(graph).encode(), np.uint8)


def regraphed(network: QuantizedNetwork, path: Path, change: Callable[[Any], Any]) -> str:
    """Return the complaint about a file whose graph was changed."""

    def change_graph(arrays: Arrays) -> None:
        graph = json.loads(arrays["graph"].tobytes())
        change(graph)
        set_graph(arrays, graph)

    return rewritten(network, path, change_graph)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda arrays: arrays.update(extra=np.zeros(1)),
            "every array must be of a layer, got extra",
        ),
        (
            lambda arrays: arrays.pop("conv_0.bias"),
            "conv_0.bias must be present, got nothing",
        ),
        (
            lambda arrays: arrays.update({"conv_0.weights": np.zeros((8, 3, 3, 3))}),
            "conv_0.weights must be int8, got float64",
        ),
        (
            lambda arrays: arrays.update({"conv_0.bias": np.zeros((1, 8), ">i8")}),
            "conv_0.bias must be int64, got >i8",
        ),
        (
            lambda arrays: arrays.update({"conv_0.weights": np.zeros((8, 27), np.int8)}),
            "conv_0.weights must be of shape (8, 3, 3, 3), got (8, 27)",
        ),
        (
            lambda arrays: arrays.update(graph=np.frombuffer(b"{oops", np.uint8)),
            "graph must be JSON, got other bytes",
        ),
        (
            lambda arrays: arrays.update(graph=np.frombuffer(b"[" * 99999, np.uint8)),
            "graph must be JSON, got other bytes",
        ),
        (
            lambda arrays: arrays.update(raw_image=np.frombuffer(b'{"steps": []}', np.uint8)),
            "byte must be present, got nothing",
        ),
        (lambda arrays: set_graph(arrays, [1]), "format must be hwgen.network, got list"),
        (lambda arrays: set_graph(arrays, {}), "format must be hwgen.network, got None"),
    ],
)
def test_wrong_arrays(
    change: Callable[[Arrays], Any], sentence: str, network: QuantizedNetwork, tmp_path: Path
) -> None:
    assert rewritten(network, tmp_path / "changed.npz", change) == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda graph: graph.update(format="other.network"),
            "format must be hwgen.network, got other.network",
        ),
        (lambda graph: graph.update(version=1), "version must be 6, 5, 4, 3 or 2, got 1"),
        (lambda graph: graph.update(version=7), "version must be 6, 5, 4, 3 or 2, got 7"),
        (lambda graph: graph.update(version=True), "version must be 6, 5, 4, 3 or 2, got True"),
        (lambda graph: graph.pop("version"), "version must be 6, 5, 4, 3 or 2, got None"),
        (
            lambda graph: graph["layers"][0].update(op="attention"),
            "layers.0.op must be one of 'conv', 'linear', 'max_pool', 'average_pool', 'add', "
            "'multiply', 'rescale', 'concatenate', 'table', 'shortcut', 'upsample', "
            "'transpose', 'reshape', 'matmul', 'softmax', 'layer_norm', 'constant', 'stack', "
            "'squared_difference', 'fixed_softmax', 'state', 'append', 'rows', "
            "'causal_softmax', got 'attention'",
        ),
        (lambda graph: graph["layers"][0].pop("op"), "layers.0.op must be present, got nothing"),
        (
            lambda graph: graph["layers"][0].pop("stride"),
            "layers.0.conv.stride must be present, got nothing",
        ),
        (
            lambda graph: graph["layers"][0].update(dilation=2),
            "layers.0.conv.dilation must be a known key, got the unknown key dilation",
        ),
        (
            lambda graph: graph["layers"][0].update(stride=[1, 0]),
            "layers.0.conv.stride.1 must be greater than or equal to 1, got 0",
        ),
        (
            lambda graph: graph["layers"][0].update(stride=["1", 1]),
            "layers.0.conv.stride.0 must be a valid integer, got '1'",
        ),
        (
            lambda graph: graph["layers"][0].update(padding=[1, 1]),
            "layers.0.conv.padding.2 must be present, got nothing",
        ),
        (
            lambda graph: graph["input"]["quantization"][0].update(scale=0),
            "input.quantization.0.scale must be greater than 0, got 0",
        ),
        (
            lambda graph: graph["input"]["quantization"][0].update(scale=float("inf")),
            "input.quantization.0.scale must be a finite number, got inf",
        ),
        (
            lambda graph: graph["input"]["quantization"][0].update(zero_point=256),
            "input.quantization.0.zero_point must be at most 255, got 256",
        ),
        (
            lambda graph: graph.pop("class_names"),
            "class_names must be present, got nothing",
        ),
        (
            lambda graph: graph.update(layers=[]),
            "layers must be at least 1 long, got []",
        ),
    ],
)
def test_wrong_graphs(
    change: Callable[[Any], Any], sentence: str, network: QuantizedNetwork, tmp_path: Path
) -> None:
    assert regraphed(network, tmp_path / "changed.npz", change) == sentence


def test_zip_bomb_header_is_refused(network: QuantizedNetwork, tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    save_network(network, path)
    header = io.BytesIO()
    huge = {"descr": "|i1", "fortran_order": False, "shape": (1 << 60,)}
    np.lib.format.write_array_header_1_0(header, huge)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("graph.npy", header.getvalue())
    assert refused(path) == f"{WHOLE}, got a damaged file"
