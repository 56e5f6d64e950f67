"""Architectures by torch's exporters: what synthesis makes of them, or every node in the way."""

import re
import time
from collections import Counter
from pathlib import Path

import pytest

from hwgen.commands.context import Context
from hwgen.commands.info import Info
from hwgen.crossbar.pages.graph import GraphInfo
from hwgen.errors import HwgenError

torch = pytest.importorskip("torch")

from tests.zoo.exports import export, with_norms  # noqa: E402 (both need torch)
from tests.zoo.networks import IMAGE, NETWORKS  # noqa: E402

SECONDS = 10
"""For `hwgen info` at most."""

KNOWN = {
    "autoencoder": (0, 4, 0, 0),
    "dilated": (3, 1, 1, 0),
    "dynamic": (6, 1, 1, 2),
    "efficientnet": (17, 1, 4, 4),
    "factorized": (2, 1, 2, 0),
    "gated": (1, 1, 1, 1),
    "gelu": (4, 1, 1, 0),
    "keywords": (3, 1, 1, 0),
    "mobilenet_v2": (11, 1, 1, 1),
    "mobilenet_v3": (10, 1, 2, 2),
    "resnet": (6, 1, 1, 2),
    "rows_first": (6, 1, 1, 2),
    "shufflenet": (12, 1, 1, 0),
    "squeezenet": (8, 0, 3, 0),
    "unfolded": (4, 1, 1, 1),
    "vgg": (3, 2, 3, 0),
}
"""Convolutions, fully connected layers, poolings, additions and products."""

REFUSED = {
    "attention": ["MatMul", "MatMul", "GlobalAveragePool|ReduceMean"],
    "convnext": ["LayerNormalization", "LayerNormalization"],
    "detector": ["Resize"],
}
"""The operators of all nodes in the way."""


def file_of(name: str, exporter: str, folder: Path) -> Path:
    """Export a network of the zoo."""
    if exporter == "dynamo":
        pytest.importorskip("onnxscript")
    make, shape = NETWORKS[name]
    path = folder / f"{name}.onnx"
    return export(with_norms(make()), shape, path, exporter, dynamic=name == "dynamic")


def layers_in_time(path: Path, size: tuple[int, ...] | None) -> GraphInfo:
    """Return what `hwgen info` says, or raise what it raises, in the time that it may take."""
    context = Context(work=path.parent, console=None)
    begin = time.monotonic()
    try:
        graph = Info(path, image_size=size, context=context).run().graph
    finally:
        assert time.monotonic() - begin < SECONDS
    assert graph is not None
    return graph


def check(name: str, exporter: str, folder: Path) -> None:
    """Compare what stands in the way, or the layers, with what is known."""
    path = file_of(name, exporter, folder)
    size = IMAGE if name == "dynamic" else None
    if name in REFUSED:
        with pytest.raises(HwgenError) as caught:
            layers_in_time(path, size)
        found = re.findall(r"of node \S+ \((\w+)\)", str(caught.value))
        assert len(found) == len(REFUSED[name]) and len(str(caught.value).splitlines()) <= 4
        for operator, wanted in zip(found, REFUSED[name], strict=True):
            assert re.fullmatch(wanted, operator)
        return
    kinds = Counter(layer.kind for layer in layers_in_time(path, size).layers)
    assert tuple(kinds[kind] for kind in ("conv", "fc", "pool", "eltwise")) == KNOWN[name]


@pytest.mark.promise(
    "architectures by both of torch's exporters become layers for synthesis, or every node in"
    " the way is told in time"
)
def test_every_network_of_the_zoo_is_known() -> None:
    assert sorted([*KNOWN, *REFUSED]) == sorted(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_exporter_that_traces(name: str, tmp_path: Path) -> None:
    check(name, "script", tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_the_exporter_on_torch_export(name: str, tmp_path: Path) -> None:
    check(name, "dynamo", tmp_path)


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        (
            None,
            "input image must be of known channels, rows and columns, or its size given"
            " (--image-size), got 1 x 3 x rows x columns",
        ),
        ((4, 32, 32), "the given size of input image must be as the file has it,"
                      " 3 x rows x columns, got 4 x 32 x 32"),
        ((32, 32), "the given size of input image must be as the file has it,"
                   " 3 x rows x columns, got 32 x 32"),
    ],
)  # fmt: skip
def test_open_sides_need_a_size(
    size: tuple[int, ...] | None, sentence: str, tmp_path: Path
) -> None:
    path = file_of("dynamic", "script", tmp_path)
    with pytest.raises(HwgenError) as caught:
        layers_in_time(path, size)
    assert str(caught.value) == f"{sentence} ({path})"
    other = layers_in_time(path, (3, 24, 40))
    assert other.input_shape == (24, 40, 3)
    assert other.layers[0].shape == (24, 40, 16)
