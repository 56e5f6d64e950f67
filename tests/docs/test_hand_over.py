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

from golden.dbpim.csd import phi
from golden.network import infer
from hwgen.spec.network import (
    PARAMETER_TYPES,
    Add,
    AveragePool,
    Conv,
    FeatureMap,
    Graph,
    Linear,
    MaxPool,
)
from hwgen.spec.network.file import load_network, save_network
from hwgen.spec.schema import SCHEMAS, schema_text, write_schemas
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.random_network import random_images

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = DOCS / "write_network.py"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that the script writes."""
    path = tmp_path_factory.mktemp("hand-over") / "mine.npz"
    subprocess.run([sys.executable, str(SCRIPT), str(path)], check=True, cwd=path.parent)
    return path


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
    assert len(set(maps["head"].argmax(axis=1))) > 3


def test_scales_and_multipliers_of_the_script_agree(written: Path) -> None:
    network = load_network(written)
    conv, scales = network.parameters["conv"], network.map_of("input").scale
    ratio = scales * conv.weight_scale / network.map_of("conv").scale
    assert np.allclose(conv.multiplier / 2.0**conv.shift, ratio)
    head = network.parameters["head"].weight_scale * network.map_of("conv").scale
    assert np.allclose(head, network.map_of("head").scale)


@pytest.mark.parametrize("kind", [Graph, FeatureMap, Conv, Linear, MaxPool, AveragePool, Add])
def test_the_page_names_every_key(kind: Any) -> None:
    page = (DOCS / "hand-over.md").read_text()
    missing = [field.name for field in fields(kind) if f"`{field.name}`" not in page]
    assert not missing


def test_the_page_names_every_array() -> None:
    page = (DOCS / "hand-over.md").read_text()
    for key, dtype in PARAMETER_TYPES.items():
        assert f"| `NAME.{key}` | {np.dtype(dtype).name} |" in page


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_up_to_date(name: str, tmp_path: Path) -> None:
    again = "python -m hwgen.spec.schema docs/schema"
    assert (DOCS / "schema" / name).read_text() == schema_text(name), again
    write_schemas(tmp_path / "new")
    assert (tmp_path / "new" / name).read_text() == schema_text(name)


@pytest.mark.parametrize("name", DIRECTED)
def test_the_schema_accepts_what_is_written(name: str) -> None:
    graph = json.loads(TypeAdapter(Graph).dump_json(directed(name).graph))
    jsonschema.validate(graph, json.loads(schema_text("network.schema.json")))


def test_the_schema_refuses_what_is_wrong() -> None:
    schema = json.loads(schema_text("network.schema.json"))
    for key, value in (("op", "softmax"), ("stride", 0), ("colour", "red")):
        graph = json.loads(TypeAdapter(Graph).dump_json(directed("narrow").graph))
        graph["layers"][0][key] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(graph, schema)
