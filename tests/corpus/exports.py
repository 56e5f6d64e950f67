"""The exports of the corpus: each network in the ways in which people quantize and write it."""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from hwgen.importers.onnx.calibrate import Images, checked_image, quantized_model
from hwgen.importers.onnx.external import read_whole_model
from hwgen.importers.onnx.inputs import joined_inputs
from hwgen.importers.onnx.layout import image_shape
from hwgen.importers.onnx.qdq.values import Layout
from hwgen.importers.onnx.session_graph import quiet
from hwgen.importers.onnx.token_ids import rows_of_ids
from tests.corpus import draws, popular, torch_draws, torch_networks, torch_quantizers
from tests.corpus.brevitas_networks import BITS, FORMS, exported
from tests.corpus.brevitas_networks import NETWORKS as BREVITAS
from tests.corpus.draws import Draw, draw
from tests.zoo.exports import export

HWGEN, ONNXRUNTIME, KERAS_TFLITE, FX, PT2E, QCDQ, QONNX, LITERT = TOOLS = (
    "hwgen --calibrate", "onnxruntime static", "Keras to TFLite", "torch.ao FX", "pt2e",
    "Brevitas QCDQ", "Brevitas QONNX", "LiteRT transformers",
)  # fmt: skip
"""What quantizes and writes the files."""
CALIBRATE = "hwgen --calibrate"
STATIC = "onnxruntime, QDQ"
OPERATORS = "onnxruntime, QOperator"
BESIDE = "torch, default"
"""By torch's exporter as people call it: the weights lie in a file beside."""
FEW = 16
"""Images that show the ranges."""

SHOWN = 24
"""Inputs that show the ranges of popular networks."""
UNSIGNED = "onnxruntime, QDQ, uint8"
UNSIGNED_WEIGHTS = "onnxruntime, QDQ, uint8 weights"
BOTH_ENDS = "onnxruntime, QDQ, uint8 weights, zero points at both ends"
"""Weights of one sign a layer: their zero point is 0 or 255, and so is that of most maps."""
POPULAR_BACKEND, POPULAR_QUANTIZER = "x86", "xnnpack"
"""Settings of torch.ao and torchao with which popular networks are quantized."""
LONGEST_CAUSE = 160
"""Characters that are kept of what a tool says where it writes no file."""
NOT_IN_SCRIPT = ("rms_torch",)
"""What torch's older exporter does not write."""

IN_DEFAULTS = (
    "resnet", "mobilenet_v2", "eca_resnet", "densenet", "shufflenet", "squeezenet",
    "unet_nearest", "unet_transposed", "yolo_neck", "signal", "leaky",
)  # fmt: skip
"""Networks that onnxruntime quantizes with its own settings, too."""
BESIDE_FILES = ("resnet", "mobilenet_v2", "squeezenet")
"""Networks whose weights lie in a file beside the ONNX file."""
IN_FX = ("resnet", "mobilenet_v2", "squeezenet")
"""Networks that torch.ao quantizes."""
DRAWN = {ONNXRUNTIME: 11, FX: 10, PT2E: 11, KERAS_TFLITE: 22}
"""How many networks are drawn for a tool: seeds from 0 on."""
BYTES = ("cnn", "resnet", "mobilenet", "with_rescaling", "with_normalization")
"""Networks of Keras that are written with uint8 image and answer, too."""


@dataclass(frozen=True)
class Export:
    """One file of the corpus; tool: of `TOOLS`; make: writes it into a folder.

    cure: writes there, once it is made, what `hwgen import --calibrate` makes of the float file,
        or of the file itself; None: there is no float file
    """

    tool: str
    network: str
    source: str
    way: str
    make: Callable[[Path], Path]
    cure: Callable[[Path, bool], Path] | None = None

    @property
    def name(self) -> str:
        """The name of the file without its suffix."""
        return file_name(self.network, self.source, self.way)


def file_name(*words: str) -> str:
    """Return words as a name of a file, without its suffix."""
    return "-".join(word.replace(" ", "_").replace(",", "").replace(":", "") for word in words)


def torch_network(network: str | Draw) -> torch_networks.Given:
    """Return a float network of torch or torchvision, or a drawn one, and its image's shape."""
    if isinstance(network, Draw):
        return torch_draws.network(network)
    if network in torch_quantizers.VISION:
        return torch_quantizers.torchvision_network(network)
    return torch_networks.network(network)


def torch_file(network: str | Draw, exporter: str, folder: Path) -> tuple[Path, np.ndarray]:
    """Write a float network; also return images, channels first."""
    module, shape = torch_network(network)
    path = folder / f"{name_of(network)}-{exporter}.float.onnx"
    beside = exporter == "default"
    path = export(module, shape, path, "dynamo" if beside else exporter, beside=beside)
    images = np.random.default_rng(0).random((FEW, *shape), np.float32)
    return path, images


def name_of(network: str | Draw) -> str:
    """Return the name of a network."""
    return network.name if isinstance(network, Draw) else network


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


def with_unsigned_weights(network: str, *, one_signed: bool = False) -> Callable[[Path], Path]:
    """Return what quantizes maps and weights by onnxruntime as unsigned bytes.

    one_signed: the weights of a layer have one sign, those of the next the other
    """

    def make(folder: Path) -> Path:
        path, images = torch_file(network, "script", folder)
        if one_signed:
            path = with_one_sign(path, folder / f"{network}-one-sign.onnx")
        made = folder / f"{network}-unsigned-{one_signed}.onnx"
        return quantize(path, images, made, form=QDQ, maps=UINT8, per_channel=False, weights=UINT8)

    return make


def with_one_sign(path: Path, made: Path) -> Path:
    """Write a float file whose matrices and kernels have no weight below zero, or none above."""
    model, sign = onnx.load(path), 1
    for tensor in model.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.ndim > 1:
            one = (sign * np.abs(array)).astype(array.dtype)
            tensor.CopyFrom(onnx.numpy_helper.from_array(one, tensor.name))
            sign = -sign
    onnx.save(model, made)
    return made


def quantize(
    path: Path,
    images: np.ndarray,
    made: Path,
    *,
    form: QuantFormat,
    maps: QuantType,
    per_channel: bool,
    beside: bool = False,
    weights: QuantType = QuantType.QInt8,
    **others: Any,
) -> Path:
    """Quantize a float file by onnxruntime; images show the ranges.

    beside: the weights are written into a file of their own; others: of `quantize_static`
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
            weight_type=weights,
            **others,
        )
    return made


QDQ, OPERATOR = QuantFormat.QDQ, QuantFormat.QOperator
INT8, UINT8 = QuantType.QInt8, QuantType.QUInt8
WAYS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "QDQ, int8, a scale a filter": {"form": QDQ, "maps": INT8, "per_channel": True},
        "QDQ, int8, one scale": {"form": QDQ, "maps": INT8, "per_channel": False},
        "QDQ, uint8, a scale a filter": {"form": QDQ, "maps": UINT8, "per_channel": True},
        "QDQ, uint8, one scale": {"form": QDQ, "maps": UINT8, "per_channel": False},
        "QDQ, int8 around zero": {
            "form": QDQ,
            "maps": INT8,
            "per_channel": True,
            "extra_options": {"ActivationSymmetric": True},
        },
        "QOperator, a scale a filter": {"form": OPERATOR, "maps": UINT8, "per_channel": True},
        "QOperator, one scale": {"form": OPERATOR, "maps": UINT8, "per_channel": False},
    }
)
"""The ways of onnxruntime in which drawn networks are quantized."""


def in_way(network: Draw, exporter: str, way: str) -> Callable[[Path], Path]:
    """Return what quantizes a drawn network in one of `WAYS`."""

    def make(folder: Path) -> Path:
        path, images = torch_file(network, exporter, folder)
        return quantize(path, images, folder / f"{file_name(network.name, way)}.onnx", **WAYS[way])

    return make


def keras(network: str | Draw, *, bytes_: bool = False) -> Callable[[Path], Path]:
    """Return what converts a network of Keras; bytes_: image and answer are uint8, else int8."""

    def make(folder: Path) -> Path:
        path = folder / f"{name_of(network)}{'-bytes' if bytes_ else ''}.tflite"
        with in_quiet():
            from tests.corpus import keras_draws, keras_networks

            if isinstance(network, Draw):
                drawn = keras_draws.network(network)
                return keras_networks.convert(*drawn, path, seed=network.seed, bytes_=bytes_)
            return keras_networks.export(network, path, bytes_=bytes_)

    return make


def transformer(network: str) -> Callable[[Path], Path]:
    """Return what converts a transformer of Keras."""

    def make(folder: Path) -> Path:
        with in_quiet():
            from tests.corpus import keras_draws, keras_networks

            made = keras_draws.TRANSFORMERS[network]
            path = folder / f"{network}-transformer.tflite"
            return keras_networks.convert(*made, path, seed=0, bytes_=False)

    return make


@contextlib.contextmanager
def in_quiet() -> Iterator[None]:
    """Without what TensorFlow prints."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
        yield


def exports() -> Iterator[Export]:
    """Yield all exports; a network that is converted needs its framework only then."""
    yield from own_exports()
    yield from foreign_exports()
    yield from drawn_exports()


def own_exports() -> Iterator[Export]:
    """Yield small networks in the usual ways, as onnxruntime, Keras and hwgen quantize them."""
    for network in torch_networks.NETWORKS:
        for exporter in ("script", "dynamo"):
            made = calibrated(network, exporter)
            yield Export(HWGEN, network, f"torch, {exporter}", CALIBRATE, made)
    for network in IN_DEFAULTS:
        for way, form in ((STATIC, QDQ), (OPERATORS, OPERATOR)):
            yield Export(ONNXRUNTIME, network, "torch, script", way, quantized(network, form))
        made = with_unsigned_weights(network)
        yield Export(ONNXRUNTIME, network, "torch, script", UNSIGNED_WEIGHTS, made)
    made = with_unsigned_weights("leaky", one_signed=True)
    yield Export(ONNXRUNTIME, "leaky", "torch, script", BOTH_ENDS, made)
    for network in KERAS:
        yield Export(KERAS_TFLITE, network, "Keras", "TFLite, int8", keras(network))
    for network in BYTES:
        made = keras(network, bytes_=True)
        yield Export(KERAS_TFLITE, network, "Keras", "TFLite, uint8", made)


def foreign_exports() -> Iterator[Export]:
    """Yield the files of which neither the network nor the quantization is ours."""
    for network in BESIDE_FILES:
        yield Export(HWGEN, network, BESIDE, CALIBRATE, calibrated(network, "default"))
        yield Export(ONNXRUNTIME, network, BESIDE, STATIC, quantized(network, QDQ, "default"))
    for network in torch_quantizers.VISION:
        source = "torchvision, script"
        yield Export(HWGEN, network, source, CALIBRATE, calibrated(network, "script"))
        for way, form in ((STATIC, QDQ), (OPERATORS, OPERATOR)):
            yield Export(ONNXRUNTIME, network, source, way, quantized(network, form))
    for network in IN_FX:
        yield from fx_exports(network)
    for scales in torch_quantizers.HEADS:
        way, made = f"Brevitas, scales of the head: {scales}", by_brevitas(scales)
        yield Export(QCDQ, "cnn", "Brevitas, script", way, made)
    for form, network, bits in itertools.product(FORMS, BREVITAS, BITS):
        tool = QONNX if form == "qonnx" else QCDQ
        source, made = f"Brevitas, {form.upper()}", of_brevitas(network, bits, form)
        yield Export(tool, network, source, f"Brevitas, {bits} bits", made)


def drawn_exports() -> Iterator[Export]:
    """Yield drawn networks by each tool that brings no networks of its own, and transformers."""
    for seed, way in itertools.product(range(DRAWN[ONNXRUNTIME]), WAYS):
        network, exporter = draw(seed, draws.TORCH), ("script", "dynamo")[seed % 2]
        source, made = f"torch, {exporter}", in_way(network, exporter, way)
        yield Export(ONNXRUNTIME, network.name, source, f"onnxruntime, {way}", made)
    for seed in range(DRAWN[FX]):
        yield from fx_exports(draw(seed, draws.FX))
    for seed, quantizer in itertools.product(range(DRAWN[PT2E]), torch_quantizers.QUANTIZERS):
        network = draw(seed, draws.PT2E, draws.PT2E_HEADS)
        made = by_pt2e(network, quantizer)
        yield Export(PT2E, network.name, "torch, dynamo", f"pt2e, {quantizer}", made)
    for seed in range(DRAWN[KERAS_TFLITE]):
        network, bytes_ = draw(seed, draws.KERAS), bool(seed % 2)
        way, made = f"TFLite, {'u' * bytes_}int8", keras(network, bytes_=bytes_)
        yield Export(KERAS_TFLITE, network.name, "Keras", way, made)
    for name in KERAS_TRANSFORMERS:
        yield Export(LITERT, name, "Keras, attention", "TFLite, int8", transformer(name))


def popular_exports() -> Iterator[Export]:
    """Yield the popular networks by torch's newer exporter and ours, and by the older one."""
    for name in popular.POPULAR:
        source = "torch, dynamo"
        yield Export(HWGEN, name, source, CALIBRATE, popular_calibrated(name, "dynamo"))
    for name in popular.POPULAR:
        if name not in NOT_IN_SCRIPT:
            made, cure = popular_quantized(name), popular_cure(name)
            yield Export(ONNXRUNTIME, name, "torch, script", UNSIGNED, made, cure)
    for name in popular.POPULAR:
        made = popular_by(torch_quantizers.by_fx, name, POPULAR_BACKEND)
        yield Export(FX, name, "torch, script", f"torch.ao FX, {POPULAR_BACKEND}", made)
    for name in popular.POPULAR:
        made = popular_by(torch_quantizers.by_pt2e, name, POPULAR_QUANTIZER)
        yield Export(PT2E, name, "torch, dynamo", f"pt2e, {POPULAR_QUANTIZER}", made)


class NotExportedError(Exception):
    """A tool does not quantize or write a network; the message is the first line of its own."""


def popular_by(quantizer: Callable[..., Path], name: str, setting: str) -> Callable[[Path], Path]:
    """Return what quantizes a popular network by a tool of torch; raises NotExportedError."""

    def make(folder: Path) -> Path:
        path = folder / f"popular-{name}-{quantizer.__name__}-{setting}.onnx"
        try:
            return quantizer(popular.network(name), setting, path, popular.inputs(name, SHOWN))
        except Exception as error:  # each tool raises what it likes
            said = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            raise NotExportedError(said[:LONGEST_CAUSE]) from error

    return make


def popular_file(name: str, exporter: str, folder: Path) -> Path:
    """Write a popular network with real numbers."""
    module, shape = popular.network(name)
    ids = popular.inputs(name, 1) if name == popular.IDS else None
    path = folder / f"popular-{name}-{exporter}.float.onnx"
    return export(module, shape, path, exporter, image=ids)


def popular_calibrated(name: str, exporter: str) -> Callable[[Path], Path]:
    """Return what quantizes a popular network as `hwgen import --calibrate` does."""
    return lambda folder: calibrated_popular(name, popular_file(name, exporter, folder))


def popular_cure(name: str) -> Callable[[Path, bool], Path]:
    """Return what quantizes what onnxruntime did not, or the float file in its place."""

    def cure(folder: Path, from_float: bool) -> Path:
        kind = "script.float" if from_float else "static"
        return calibrated_popular(name, folder / f"popular-{name}-{kind}.onnx")

    return cure


def calibrated_popular(name: str, path: Path) -> Path:
    """Quantize a popular network as `hwgen import --calibrate` does."""
    given = popular.inputs(name, SHOWN).numpy()
    if name == popular.IDS:
        images = rows_of_ids(path, given, "ids")
    else:
        model = joined_inputs(read_whole_model(path)).model
        images = images_of(given, checked_image(model, str(path))[1])
    made = path.with_name(f"{path.name.removesuffix('.onnx')}-calibrated.onnx")
    made.write_bytes(quantized_model(path, images).SerializeToString())
    return made


def images_of(given: np.ndarray, layout: Layout) -> np.ndarray:
    """Return inputs of a network as images: rows, columns and channels."""
    sides = given.shape[1:]
    if layout == "planes":
        wide = given.reshape(*given.shape, *(1,) * (4 - given.ndim))
        return np.ascontiguousarray(wide.transpose(0, 2, 3, 1))
    return np.ascontiguousarray(given.reshape(len(given), *image_shape((1, *sides), layout)))


def popular_quantized(name: str) -> Callable[[Path], Path]:
    """Return what quantizes a popular network by onnxruntime: uint8 maps, a scale a filter."""

    def make(folder: Path) -> Path:
        path, given = popular_file(name, "script", folder), popular.inputs(name, SHOWN).numpy()
        made = folder / f"popular-{name}-static.onnx"
        return quantize(path, given, made, form=QDQ, maps=UINT8, per_channel=True)

    return make


def fx_exports(network: str | Draw) -> Iterator[Export]:
    """Yield a network as torch.ao quantizes it with the settings of each backend."""
    for backend in torch_quantizers.BACKENDS:
        way, made = f"torch.ao FX, {backend}", by_fx(network, backend)
        yield Export(FX, name_of(network), "torch, script", way, made)


def by_fx(network: str | Draw, backend: str) -> Callable[[Path], Path]:
    """Return what quantizes a network by torch.ao."""
    name = f"{name_of(network)}-fx-{backend}.onnx"
    return lambda folder: torch_quantizers.by_fx(torch_network(network), backend, folder / name)


def by_pt2e(network: Draw, quantizer: str) -> Callable[[Path], Path]:
    """Return what quantizes a network by torchao."""
    name = f"{network.name}-pt2e-{quantizer}.onnx"
    return lambda folder: torch_quantizers.by_pt2e(torch_network(network), quantizer, folder / name)


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


KERAS = (
    "cnn", "resnet", "mobilenet", "gated", "densenet", "unet_repeated", "unet_transposed",
    "signal", "signal_growing", "slopes", "leaky", "means", "merged", "cropped", "subpixels",
    "smooth", "with_rescaling", "with_normalization", "with_slope",
)  # fmt: skip
"""Networks of Keras; their module is opened only where one is made."""
KERAS_TRANSFORMERS = (
    "vit", "vit_two_blocks", "vit_one_head", "vit_relu", "vit_class_token", "encoder", "decoder",
    "mixer",
)  # fmt: skip
"""Transformers of Keras, as there."""
