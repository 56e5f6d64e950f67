"""The exports of the corpus: each network in the ways in which people quantize and write it."""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from hwgen.importers.onnx.calibrate import Images, quantized_model, quiet
from tests.corpus import torch_networks, torch_quantizers
from tests.corpus.brevitas_networks import BITS, FORMS, exported
from tests.corpus.brevitas_networks import NETWORKS as BREVITAS
from tests.zoo.exports import export

CALIBRATE = "hwgen --calibrate"
STATIC = "onnxruntime, QDQ"
OPERATORS = "onnxruntime, QOperator"
BESIDE = "torch, default"
"""By torch's exporter as people call it: the weights lie in a file beside."""
FEW = 16
"""Images that show the ranges."""

IN_DEFAULTS = (
    "resnet", "mobilenet_v2", "eca_resnet", "densenet", "shufflenet", "squeezenet",
    "unet_nearest", "unet_transposed", "yolo_neck", "signal", "leaky",
)  # fmt: skip
"""Networks that onnxruntime quantizes with its own settings, too."""
BESIDE_FILES = ("resnet", "mobilenet_v2", "squeezenet")
"""Networks whose weights lie in a file beside the ONNX file."""
IN_FX = ("resnet", "mobilenet_v2", "squeezenet")
"""Networks that torch.ao quantizes."""
BYTES = ("cnn", "resnet", "mobilenet", "with_rescaling", "with_normalization")
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
    """Write a float network of torch or torchvision; also return images, channels first."""
    if network in torch_quantizers.VISION:
        module, shape = torch_quantizers.torchvision_network(network)
    else:
        module, shape = torch_networks.network(network)
    path = folder / f"{network}-{exporter}.float.onnx"
    beside = exporter == "default"
    path = export(module, shape, path, "dynamo" if beside else exporter, beside=beside)
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


def quantized(network: str, form: QuantFormat, exporter: str = "script") -> Callable[[Path], Path]:
    """Return what quantizes a network by onnxruntime with its own settings.

    Of weights in a file beside the float file, those of integers lie in one again.
    """

    def make(folder: Path) -> Path:
        path, images = torch_file(network, exporter, folder)
        suffix = "" if exporter == "script" else f"-{exporter}"
        made, whole = folder / f"{network}{suffix}-{form.name}.onnx", form == QuantFormat.QDQ
        maps, beside = QuantType.QInt8 if whole else QuantType.QUInt8, exporter == "default"
        return quantize(path, images, made, form=form, maps=maps, per_channel=whole, beside=beside)

    return make


def quantize(
    path: Path,
    images: np.ndarray,
    made: Path,
    *,
    form: QuantFormat,
    maps: QuantType,
    per_channel: bool,
    beside: bool = False,
) -> Path:
    """Quantize a float file by onnxruntime, with int8 weights; images show the ranges.

    beside: the weights are written into a file of their own
    """
    ready = made.with_suffix(".ready.onnx")
    with quiet():
        if beside:
            ready = path  # the preparation does not find the file beside
        else:
            quant_pre_process(path, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            made,
            Images(onnx.load(ready, load_external_data=False).graph.input[0].name, images, 1),
            use_external_data_format=beside,
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
    yield from own_exports()
    yield from foreign_exports()


def foreign_exports() -> Iterator[Export]:
    """Yield the files of which neither the network nor the quantization is ours."""
    for network in BESIDE_FILES:
        yield Export(network, BESIDE, CALIBRATE, calibrated(network, "default"))
        made = quantized(network, QuantFormat.QDQ, "default")
        yield Export(network, BESIDE, STATIC, made)
    for network in torch_quantizers.VISION:
        source = "torchvision, script"
        yield Export(network, source, CALIBRATE, calibrated(network, "script"))
        for way, form in ((STATIC, QuantFormat.QDQ), (OPERATORS, QuantFormat.QOperator)):
            yield Export(network, source, way, quantized(network, form))
    for network in IN_FX:
        for backend in torch_quantizers.BACKENDS:
            made = by_fx(network, backend)
            yield Export(network, "torch, script", f"torch.ao FX, {backend}", made)
    for scales in torch_quantizers.HEADS:
        made = by_brevitas(scales)
        yield Export("cnn", "Brevitas, script", f"Brevitas, scales of the head: {scales}", made)
    for form, network, bits in itertools.product(FORMS, BREVITAS, BITS):
        source = f"Brevitas, {form.upper()}"
        yield Export(network, source, f"Brevitas, {bits} bits", of_brevitas(network, bits, form))


def by_fx(network: str, backend: str) -> Callable[[Path], Path]:
    """Return what quantizes a network by torch.ao."""
    name = f"{network}-fx-{backend}.onnx"
    return lambda folder: torch_quantizers.by_fx(network, backend, folder / name)


def by_brevitas(scales: str) -> Callable[[Path], Path]:
    """Return what trains a network of Brevitas."""
    name = f"cnn-brevitas-{scales.replace(' ', '_')}.onnx"
    return lambda folder: torch_quantizers.by_brevitas(scales, folder / name)


def of_brevitas(network: str, bits: int, form: str) -> Callable[[Path], Path]:
    """Return what writes a network of Brevitas of 4 or 8 bits in one of its two forms."""

    def make(folder: Path) -> Path:
        path = folder / f"{network}-{bits}-{form}.onnx"
        exported(network, bits, form, path)
        return path

    return make


def own_exports() -> Iterator[Export]:
    """Yield small networks in the usual ways, as onnxruntime, Keras and hwgen quantize them."""
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
    "smooth", "with_rescaling", "with_normalization", "with_slope",
)  # fmt: skip
"""Networks of Keras; their module is opened only where one is made."""
