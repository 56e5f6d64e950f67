"""Equal arrays are one in memory and stand once in the file; a file of version 5 says of which."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.errors import FormatError
from hwgen.files.shipped import network_file
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network, save_network
from hwgen.network.shared import LEAST_BYTES, SharedArrays
from tests.golden.drawn import draw_images, draw_tokens
from verif.dbpim.network_builder import NetworkBuilder

Arrays = dict[str, np.ndarray]
SIDE = 32
FIRST, SECOND, THIRD = (f"linear_{place}" for place in range(3))


def steps_of_one_weight() -> QuantizedNetwork:
    """Return three layers of 32 inputs and filters: the weights of two are equal, small arrays."""
    build = NetworkBuilder(name="steps", shape=(1, 1, SIDE), seed=3)
    rng = np.random.default_rng(5)
    same, other = (rng.integers(-20, 21, (SIDE, SIDE)).astype(np.int8) for _ in range(2))
    last = "input"
    for weights in (same, other, same.copy()):
        last = build.linear(last, weights)
    return build.build()


def members(path: Path) -> tuple[Any, Arrays]:
    """Return the graph of a file and its other arrays."""
    with np.load(path) as file:
        arrays = dict(file)
    return json.loads(arrays.pop("graph").tobytes()), arrays


def written(path: Path, graph: Any, arrays: Arrays) -> Path:
    """Write a file of a graph and arrays."""
    np.savez(path, graph=np.frombuffer(json.dumps(graph).encode(), np.uint8), **arrays)
    return path


def is_shared(network: QuantizedNetwork) -> bool:
    one, other, third = (network.parameters[name].weights for name in (FIRST, SECOND, THIRD))
    return one is third and one is not other and not one.flags.writeable


@pytest.mark.promise("equal arrays of layers stand once in a network file and in memory")
def test_equal_arrays_are_stored_once(tmp_path: Path) -> None:
    network = steps_of_one_weight()
    save_network(network, tmp_path / "steps.npz")
    graph, arrays = members(tmp_path / "steps.npz")
    assert graph["version"] == 5
    assert json.loads(arrays["shared"].tobytes()) == {f"{THIRD}.weights": f"{FIRST}.weights"}
    assert {f"{FIRST}.weights", f"{SECOND}.weights", f"{THIRD}.bias"} <= set(arrays)
    assert f"{THIRD}.weights" not in arrays
    assert network.parameters[FIRST].weights.flags.writeable
    loaded = load_network(tmp_path / "steps.npz")
    assert is_shared(loaded)
    assert loaded.graph.version == 3
    assert loaded.digest == network.digest
    images = draw_images(network, 2, seed=0)
    before, after = infer(network, images), infer(loaded, images)
    assert all(np.array_equal(before[key], after[key]) for key in before)
    save_network(loaded, tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "steps.npz").read_bytes()


def test_an_older_file_loads_as_it_did_and_shares_in_memory(tmp_path: Path) -> None:
    network = steps_of_one_weight()
    save_network(network, tmp_path / "steps.npz")
    graph, _ = members(tmp_path / "steps.npz")
    path = written(tmp_path / "old.npz", graph | {"version": 3}, network.arrays())
    loaded = load_network(path)
    assert loaded.digest == network.digest
    assert is_shared(loaded)


def test_layers_of_newer_kinds_come_back_as_version_4(tmp_path: Path) -> None:
    network = draw_tokens(2)
    name, given = next(iter(network.parameters.items()))
    more = np.zeros((1, LEAST_BYTES // 8), np.int64)
    pair = SharedArrays().all_of({"one": more, "other": more.copy()})
    assert pair["one"] is pair["other"]
    save_network(network, tmp_path / "tokens.npz")
    graph, arrays = members(tmp_path / "tokens.npz")
    assert graph["version"] == 4 and name in {layer["name"] for layer in graph["layers"]}
    kept = {key: array for key, array in arrays.items() if key != f"{name}.bias"}
    kept["shared"] = np.frombuffer(json.dumps({f"{name}.bias": "free"}).encode(), np.uint8)
    path = written(tmp_path / "new.npz", graph | {"version": 5}, kept | {"free": given.bias})
    with pytest.raises(FormatError, match="every array must be of a layer, got free"):
        load_network(path)
    all_stored = arrays | {"shared": np.frombuffer(b"{}", np.uint8)}
    loaded = load_network(written(tmp_path / "new.npz", graph | {"version": 5}, all_stored))
    assert loaded.digest == network.digest


@pytest.mark.parametrize("change", ["type", "shape", "content", "small"])
def test_other_arrays_stay_apart(change: str) -> None:
    size = LEAST_BYTES - (change == "small")
    one = np.arange(size, dtype=np.uint8)
    other = one.copy()
    if change == "type":
        other = one.view(np.int8)
    elif change == "shape":
        other = one.reshape(2, -1)
    elif change == "content":
        other[-1] ^= 1
    shared = SharedArrays()
    assert shared.one(one) is one
    assert shared.one(other) is other
    assert one.flags.writeable and other.flags.writeable


def test_memory_order_does_not_keep_equal_arrays_apart() -> None:
    one = np.arange(LEAST_BYTES, dtype=np.uint8).reshape(2, -1)
    shared = SharedArrays()
    assert shared.one(one) is shared.one(np.asfortranarray(one))
    with pytest.raises(ValueError, match="read-only"):
        one[0, 0] = 1


@pytest.mark.parametrize("name", ["cifar10_resnet20_digits", "digits_vit"])
def test_networks_that_ship_keep_their_version(name: str, tmp_path: Path) -> None:
    save_network(load_network(Path(name)), tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == network_file(Path(name)).read_bytes()


def with_shared(change: dict[str, Any]) -> Callable[[Arrays], Any]:
    """Return what adds entries to `shared`."""

    def changed(arrays: Arrays) -> None:
        shared = json.loads(arrays["shared"].tobytes()) | change
        arrays["shared"] = np.frombuffer(json.dumps(shared).encode(), np.uint8)

    return changed


MAPPING = "shared must be a mapping of names of arrays in a file of version 5, got"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda arrays: arrays.pop("shared"), f"{MAPPING} nothing"),
        (
            lambda arrays: arrays.update(shared=np.frombuffer(b"[1]", np.uint8)),
            f"{MAPPING} [1]",
        ),
        (
            lambda arrays: arrays.update(shared=np.frombuffer(b"{", np.uint8)),
            "shared must be JSON, got other bytes",
        ),
        (
            with_shared({f"{THIRD}.weights": "nowhere"}),
            f"shared.{THIRD}.weights must be an array that is stored, got nowhere",
        ),
        (
            with_shared({f"{THIRD}.weights": 3}),
            f"shared.{THIRD}.weights must be an array that is stored, got 3",
        ),
        (
            with_shared({f"{THIRD}.weights": f"{THIRD}.weights"}),
            f"shared.{THIRD}.weights must be an array that is stored, got {THIRD}.weights",
        ),
        (
            with_shared({f"{SECOND}.weights": f"{FIRST}.weights"}),
            f"shared.{SECOND}.weights must be absent: it is stored, got {FIRST}.weights",
        ),
        (
            with_shared({"more.weights": f"{FIRST}.weights"}),
            "every array must be of a layer, got more.weights",
        ),
        (
            with_shared({f"{THIRD}.weights": f"{THIRD}.bias"}),
            f"{THIRD}.weights must be int8, got int64",
        ),
    ],
)
def test_wrong_files(change: Callable[[Arrays], Any], sentence: str, tmp_path: Path) -> None:
    save_network(steps_of_one_weight(), tmp_path / "steps.npz")
    graph, arrays = members(tmp_path / "steps.npz")
    change(arrays)
    path = written(tmp_path / "wrong.npz", graph, arrays)
    with pytest.raises(FormatError) as caught:
        load_network(path)
    assert str(caught.value) == f"{sentence} ({path})"


def test_the_network_that_is_written_stays_as_it_is(tmp_path: Path) -> None:
    network = steps_of_one_weight()
    own = replace(network.parameters[FIRST], weights=network.parameters[FIRST].weights.copy())
    network.parameters[FIRST] = own
    save_network(network, tmp_path / "steps.npz")
    assert own.weights.flags.writeable
    own.weights[0, 0] += 1
    save_network(network, tmp_path / "other.npz")
    assert members(tmp_path / "other.npz")[0]["version"] == 3
