"""The exports of the corpus: each network in the ways in which people quantize and write it."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from hwgen.importers.onnx.calibrate import Images, quantized_model, quiet
from tests.corpus import torch_networks
from tests.zoo.exports import export

CALIBRATE = "hwgen --calibrate"
STATIC = "onnxruntime, QDQ"
OPERATORS = "onnxruntime, QOperator"
FEW = 16
"""Images that show the ranges."""

IN_DEFAULTS = (
    "resnet", "mobilenet_v2", "eca_resnet", "densenet", "shufflenet", "squeezenet",
    "unet_nearest", "unet_transposed", "yolo_neck", "signal", "leaky",
)  # fmt: skip
"""Networks that onnxruntime quantizes with its own settings, too."""
BYTES = ("cnn", "resnet", "mobilenet")
"""Networks of Keras that are written with uint8 image and answer, too."""


@dataclass(frozen=True)
class Export:
    """One file of the corpus; make: writes it into a folder."""

    network: str
    source: str
    way: str
    make: Callable[[Path], Path]

    @property
    def name(self) -> str:
        """The name of the file without its suffix."""
        return "-".join(
            word.replace(" ", "_").replace(",", "")
            for word in (self.network, self.source, self.way)
        )


def torch_file(network: str, exporter: str, folder: Path) -> tuple[Path, np.ndarray]:
    """Write a float network of torch; also return images, channels first."""
    module, shape = torch_networks.network(network)
    path = export(module, shape, folder / f"{network}-{exporter}.float.onnx", exporter)
    images = np.random.default_rng(0).random((FEW, *shape), np.float32)
    return path, images


def calibrated(network: str, exporter: str) -> Callable[[Path], Path]:
    """Return what quantizes a network as `hwgen import --calibrate` does."""

    def make(folder: Path) -> Path:
        path, images = torch_file(network, exporter, folder)
        wide = images if images.ndim == 4 else images[..., np.newaxis]
        model = quantized_model(path, np.ascontiguousarray(wide.transpose(0, 2, 3, 1)))
        made = folder / f"{network}-{exporter}-calibrated.onnx"
        made.write_bytes(model.SerializeToString())
        return made

    return make


def quantized(network: str, form: QuantFormat) -> Callable[[Path], Path]:
    """Return what quantizes a network by onnxruntime with its own settings."""

    def make(folder: Path) -> Path:
        path, images = torch_file(network, "script", folder)
        made, whole = folder / f"{network}-{form.name}.onnx", form == QuantFormat.QDQ
        maps = QuantType.QInt8 if whole else QuantType.QUInt8
        return quantize(path, images, made, form=form, maps=maps, per_channel=whole)

    return make


def quantize(
    path: Path,
    images: np.ndarray,
    made: Path,
    *,
    form: QuantFormat,
    maps: QuantType,
    per_channel: bool,
) -> Path:
    """Quantize a float file by onnxruntime, with int8 weights; images show the ranges."""
    ready = made.with_suffix(".ready.onnx")
    with quiet():
        quant_pre_process(path, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            made,
            Images(onnx.load(ready).graph.input[0].name, images, 1),
            quant_format=form,
            per_channel=per_channel,
            activation_type=maps,
            weight_type=QuantType.QInt8,
        )
    return made


def keras(network: str, *, bytes_: bool = False) -> Callable[[Path], Path]:
    """Return what converts a network of Keras."""

    def make(folder: Path) -> Path:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        from tests.corpus import keras_networks

        path = folder / f"{network}{'-bytes' if bytes_ else ''}.tflite"
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
            return keras_networks.export(network, path, bytes_=bytes_)

    return make


def exports() -> Iterator[Export]:
    """Yield all exports; a network that is converted needs its framework only then."""
    for network in torch_networks.NETWORKS:
        for exporter in ("script", "dynamo"):
            source = f"torch, {exporter}"
            yield Export(network, source, CALIBRATE, calibrated(network, exporter))
    for network in IN_DEFAULTS:
        yield Export(network, "torch, script", STATIC, quantized(network, QuantFormat.QDQ))
        form = QuantFormat.QOperator
        yield Export(network, "torch, script", OPERATORS, quantized(network, form))
    for network in KERAS:
        yield Export(network, "Keras", "TFLite, int8", keras(network))
    for network in BYTES:
        yield Export(network, "Keras", "TFLite, uint8", keras(network, bytes_=True))


KERAS = (
    "cnn", "resnet", "mobilenet", "gated", "densenet", "unet_repeated", "unet_transposed",
    "signal", "signal_growing", "slopes", "leaky", "means", "merged", "cropped", "subpixels",
    "smooth",
)  # fmt: skip
"""Networks of Keras; their module is opened only where one is made."""
