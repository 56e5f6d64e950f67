"""Networks for synthesis, by name and from files."""

from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from hwgen.compiler.crossbar import ZOO, shipped_network
from hwgen.errors import ConfigError, OutputError
from hwgen.flow.crossbar.networks import load_network, write_network
from hwgen.importers.onnx import read_graph


@pytest.mark.parametrize("name", ZOO)
def test_files_are_small_and_read_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / f"{name}.onnx"
    said = write_network(name, path)
    assert said.startswith(f"{path}: {name}, ") and said.endswith(" layers with weights")
    assert path.stat().st_size < 12_000
    onnx.checker.check_model(str(path))
    assert load_network(str(path)) == load_network(name) == shipped_network(name)
    assert read_graph(path) == replace(ZOO[name](), source=str(path))
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_file_of_any_name_is_read(tmp_path: Path) -> None:
    write_network("cifar_vgg16", tmp_path / "network")
    assert load_network(str(tmp_path / "network")).layers == shipped_network("cifar_vgg16").layers


def test_unknown_names_are_told_the_known() -> None:
    known = ", ".join(ZOO)
    with pytest.raises(ConfigError) as caught:
        load_network("vgg15")
    assert str(caught.value) == (
        f"the network must be an ONNX file or one of {known}, got vgg15 (command line)"
    )
    with pytest.raises(ConfigError, match="the network must be one of alexnet, vgg13"):
        write_network("vgg15", Path("vgg15.onnx"))


def test_an_unwritable_place_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="the network must be writable at"):
        write_network("alexnet", tmp_path / "file" / "alexnet.onnx")
