"""The documented format is the one that is read: script, page and schema."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from pydantic import TypeAdapter

from golden.network import infer
from hwgen.network import PARAMETER_TYPES, FeatureMap, Graph, MapQuantization, Requantization
from hwgen.network.file import load_network, save_network
from hwgen.network.graph import KINDS
from hwgen.network.schema import graph_schema
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.random_network import random_images
from verif.reference.dbpim.csd import phi

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = DOCS / "write_network.py"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that the script writes."""
    path = tmp_path_factory.mktemp("written") / "mine.npz"
    subprocess.run([sys.executable, str(SCRIPT), str(path)], check=True, cwd=path.parent)
    return path


@pytest.mark.promise(
    "the documented format is the one that is read, and 30 lines of NumPy write it"
)
def test_the_script_is_short_and_needs_numpy_alone() -> None:
    lines = SCRIPT.read_text().splitlines()
    assert len(lines) <= 30
    imports = [line.split()[1] for line in lines if line.startswith(("import", "from"))]
    assert imports == ["json", "sys", "numpy"]


def test_the_script_writes_a_valid_network(written: Path, tmp_path: Path) -> None:
    network = load_network(written)
    save_network(network, tmp_path / "again.npz")
    assert load_network(tmp_path / "again.npz").digest == network.digest
    assert all(phi(each.weights).max() <= 2 for each in network.parameters.values())
    maps = infer(network, random_images(network, 32, seed=0))
    assert len(np.unique(maps["conv"])) > 100
    assert len(np.unique(maps["head"].argmax(axis=3))) > 3


def test_scales_and_multipliers_of_the_script_agree(written: Path) -> None:
    network = load_network(written)
    scale = {name: network.map_of(name).quantization[0].scale for name in ("input", "conv", "head")}
    conv = network.parameters["conv"]
    ratio = scale["input"] * conv.weight_scale / scale["conv"]
    assert np.allclose(conv.multiplier[0] / 2.0 ** conv.shift[0], ratio)
    head = network.parameters["head"].weight_scale * scale["conv"]
    assert np.allclose(head, scale["head"])


@pytest.mark.parametrize(
    "kind", [Graph, FeatureMap, MapQuantization, Requantization, *KINDS.values()]
)
def test_the_page_names_every_key(kind: Any) -> None:
    page = (DOCS / "network-file.md").read_text()
    missing = [field.name for field in fields(kind) if f"`{field.name}`" not in page]
    assert not missing


def test_the_page_names_every_array() -> None:
    page = (DOCS / "network-file.md").read_text()
    for key, types in {**PARAMETER_TYPES, "table": (np.uint8,)}.items():
        names = ", ".join(np.dtype(each).name for each in types)
        assert f"| `NAME.{key}` | {names} |" in page


@pytest.mark.parametrize("op", KINDS)
def test_the_page_names_every_operation(op: str) -> None:
    assert f"| `{op}` |" in (DOCS / "network-file.md").read_text()


@pytest.mark.dear("all_two_digit_values")
@pytest.mark.parametrize("name", DIRECTED)
def test_the_schema_accepts_what_is_written(name: str) -> None:
    graph = json.loads(TypeAdapter(Graph).dump_json(directed(name).graph))
    schema = json.loads(graph_schema())
    jsonschema.validate(graph, schema)
    jsonschema.validate({**graph, "version": 5}, schema)


def test_the_schema_refuses_what_is_wrong() -> None:
    schema = json.loads(graph_schema())
    for key, value in (("op", "softmax"), ("stride", [0, 1]), ("colour", "red")):
        graph = json.loads(TypeAdapter(Graph).dump_json(directed("narrow").graph))
        graph["layers"][0][key] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(graph, schema)
