"""The four networks of MLPerf Tiny, where their files are at hand, against LiteRT."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from hwgen.commands.against import Compare
from hwgen.commands.context import Context
from hwgen.commands.imports import ImportNetwork
from hwgen.report.agreement import AgreementReport

SHARED = Path(os.environ.get("HWGEN_SHARED", Path(__file__).parents[4] / "shared/data"))
FILES = SHARED / "mlperf_tiny"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not FILES.is_dir(), reason="the files of MLPerf Tiny are not here"),
]


class Published(NamedTuple):
    """File, layers, images, least fraction of equal elements and largest step of the answer."""

    file: str
    layers: int
    images: int
    equal: float
    largest: int


NETWORKS = (
    Published("autoencoder_toycar_int8", 10, 200, 0.98, 2),
    Published("dscnn_kws_int8", 11, 200, 0.7, 4),
    Published("mobilenetv1_vww_int8", 29, 40, 0.35, 7),
)
"""The camera network sees CIFAR-10 images, enlarged; the others see the whole range."""


def compared(
    file: str, images: np.ndarray, labels: np.ndarray | None, folder: Path
) -> AgreementReport:
    """Return how golden on the imported file agrees with LiteRT."""
    source, network = FILES / f"{file}.tflite", folder / "net.npz"
    content = ImportNetwork(source, network).run().content
    assert not content.refused and content.largest_steps < 0.01
    data = folder / "images.npz"
    known = {} if labels is None else {"labels": labels}
    np.savez(data, images=images, **known)
    context = Context(work=folder, console=None)
    return Compare(network, source, data=data, context=context).run()


def cifar(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first test images of CIFAR-10, and their labels."""
    pillow = pytest.importorskip("PIL.Image")
    mosaic = np.asarray(pillow.open(SHARED / "cifar10/test.webp").convert("RGB"))
    tiles = mosaic.reshape(100, 32, 100, 32, 3).transpose(0, 2, 1, 3, 4).reshape(-1, 32, 32, 3)
    labels = np.load(SHARED / "cifar10/labels.npz")["test"].astype(np.int64)
    return tiles[:count], labels[:count]


SHAPES = {"autoencoder_toycar_int8": (1, 1, 640), "dscnn_kws_int8": (49, 10, 1)}


@pytest.mark.parametrize("network", NETWORKS, ids=[each.file for each in NETWORKS])
def test_a_published_network_agrees_with_litert(network: Published, tmp_path: Path) -> None:
    if network.file in SHAPES:
        shape = (network.images, *SHAPES[network.file])
        images = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    else:
        images = cifar(network.images)[0].repeat(3, axis=1).repeat(3, axis=2)
    report = compared(network.file, images, None, tmp_path)
    assert len(report.layers) == network.layers
    assert report.largest_step == 1
    assert report.output is not None
    assert report.output.equal >= network.equal
    assert report.output.largest <= network.largest


def test_resnet8_is_as_accurate_as_in_litert(tmp_path: Path) -> None:
    images, labels = cifar(500)
    report = compared("resnet8_cifar10_int8", images, labels, tmp_path)
    assert len(report.layers) == 14
    assert report.largest_step == 1
    assert report.accuracy_golden is not None and report.accuracy_runtime is not None
    assert abs(report.accuracy_golden - report.accuracy_runtime) <= 0.006
    assert report.top_class is not None and report.top_class >= 0.97
