"""Networks for synthesis, by name and from files."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from hwgen.crossbar.compiler import ZOO, shipped_network
from hwgen.crossbar.pages.networks import load_network, write_network
from hwgen.errors import ConfigError, OutputError
from hwgen.importers.onnx import read_graph


@pytest.mark.promise(
    "a graph of ONNX says what the file leaves implicit, and reads back from what is written"
)
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


WITHOUT_ONNX = (
    "import sys; sys.modules['onnx'] = None\n"
    "from hwgen.cli import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.mark.parametrize(
    ("network", "code", "said"),
    [("cifar_alexnet", 0, ""), ("mine.onnx", 2, "the package onnx is needed")],
)
def test_only_files_need_onnx(network: str, code: int, said: str) -> None:
    given = [sys.executable, "-c", WITHOUT_ONNX, "info", network]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stderr and done.stderr.count("\n") == bool(said)


def test_unknown_names_are_told_the_known() -> None:
    with pytest.raises(ConfigError) as caught:
        load_network("vgg15")
    assert str(caught.value) == (
        "the network must be an ONNX file, a quantized network (.npz) or a name that ships,"
        " got vgg15: did you mean vgg16 or vgg13? (command line)"
    )
    with pytest.raises(
        ConfigError, match="must be a name that ships, got vgg15: did you mean vgg16"
    ):
        write_network("vgg15", Path("vgg15.onnx"))


def test_an_unwritable_place_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="the network must be writable at"):
        write_network("alexnet", tmp_path / "file" / "alexnet.onnx")
