"""Networks that were trained elsewhere: imported, compared with their file, fitted, exported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from numpy.typing import NDArray
from pydantic import Field

from hwgen.api.arguments import (
    Count,
    Data,
    File,
    Real,
    Seed,
    Whole,
    Work,
    checked,
    images_of,
    path_of,
    quiet,
)
from hwgen.commands.against import compare_with_file
from hwgen.commands.exchange import export_onnx as write_onnx
from hwgen.commands.fit import Rule, fit_file
from hwgen.commands.imports import import_file
from hwgen.commands.infer import infer_images
from hwgen.commands.info import describe_file
from hwgen.commands.lower import lower_file
from hwgen.report.agreement import AgreementReport
from hwgen.report.fit import FitReport
from hwgen.report.imports import ImportReport
from hwgen.report.info import InfoReport
from hwgen.report.types import Images

Kernels = Literal["default", "reference", "half_up"]
Target = Literal["default", "reference"]
FitRule = Literal["measured", "text", "lowered"]


@checked
def import_network(
    file: File,
    out: File,
    *,
    dataset: str = "",
    class_names: Sequence[str] = (),
    calibrate: File | None = None,
    qdq: File | None = None,
    kernels: Kernels = "default",
) -> ImportReport:
    """Read int8 TFLite, quantized ONNX or float ONNX; write a quantized network file.

    The kind of file is found by its content. `content.notes` says what is not exact, and its
    largest effect.

    out: file to write (.npz)
    dataset: images that `model` and `simulate` take where none are given
    calibrate: a `.npz` with `images` that quantize a float ONNX file
    qdq: where the quantized ONNX model goes then; None: nowhere
    kernels: `default`: sums round as the runtime's default kernels do (XNNPACK of LiteRT, the fused
        ones of onnxruntime); `reference`: as the reference kernels of LiteRT; `half_up`: as every
        chip does
    Raises RefusedNetworkError, which names every node that stands in the way, and FormatError for
    a file that is damaged or of another kind.
    """
    return import_file(
        Path(file),
        Path(out),
        dataset=dataset,
        class_names=tuple(class_names),
        calibrate=path_of(calibrate),
        qdq=path_of(qdq),
        kernels=kernels,
    )


@checked
def info(
    file: File,
    architecture: File | None = None,
    *,
    sparsity: str | None = None,
    image_size: tuple[Count, ...] | None = None,
    context: Work = None,
) -> InfoReport:
    """Check a file and return its content; with an architecture, how each layer is tiled for it.

    file: a quantized network, a program, an architecture, a TFLite or ONNX file, or the name of a
        network that ships for synthesis
    image_size: sides of the image in the order of the file, where it leaves some open
    """
    return describe_file(
        quiet(context), Path(file), path_of(architecture), sparsity, image_size=image_size
    )


@dataclass(frozen=True, kw_only=True)
class Inference:
    """What golden computes of some images.

    answers: the last map, (images, height, width, channels), integers
    maps: of every layer by name, of the same form; the images themselves are `input`
    about: the images
    """

    answers: NDArray[Any]
    maps: Mapping[str, NDArray[Any]]
    about: Images


@checked
def infer(
    network: File, images: Data | None, *, count: Count | None = None, mode: str | None = None
) -> Inference:
    """Return the exact integers of every map, from the NumPy reference; all maps are in memory.

    images: as `data` of `model`; count: the first of them, None: all
    mode: name of a mode; None: the widest
    """
    answers, maps, about = infer_images(Path(network), images_of(images), count=count, mode=mode)
    return Inference(answers=answers, maps=maps, about=about)


@checked
def compare(
    network: File,
    against: File,
    *,
    data: Data | None = None,
    images: Count | None = None,
    kernels: Target | None = None,
    context: Work = None,
) -> AgreementReport:
    """Compare golden with the runtime of the file that a network was imported from.

    kernels: `default`: the answers with the runtime's default kernels; `reference`: all layers with
        LiteRT's reference kernels, or with onnxruntime's without optimization; None: those whose
        arithmetic the network computes
    data: images, as for `model`; images: the first N of them, None: all
    """
    return compare_with_file(
        quiet(context),
        Path(network),
        Path(against),
        data=images_of(data),
        count=images,
        kernels=kernels,
    )


@checked
def fit(
    network: File,
    out: File,
    *,
    phi: Annotated[Whole, Field(ge=1, le=2)] = 2,
    data: Data | None = None,
    calibration: Count = 64,
    rule: FitRule = "measured",
    budget: Annotated[Real, Field(ge=0)] = 1.0,
    images: Count | None = None,
    prune: Annotated[Real, Field(ge=0, le=0.99)] = 0.0,
    seed: Seed = 1,
    context: Work = None,
) -> FitReport:
    """Give every weight at most `phi` signed digits without training; write the network to `out`.

    data: images, as for `model`; the first `calibration` of them measure, the others judge
    rule: `measured` changes the sums on the images least; `text` is the published rule; `lowered`
        takes groups of filters to one digit or none while accuracy stays within `budget` percent
        points, by half of the images that do not measure
    images: the first N of them, None: all
    prune: fraction of the blocks of each layer that become zero
    seed: of the positions that are measured
    """
    if rule == "lowered":
        return lower_file(
            quiet(context),
            Path(network),
            Path(out),
            phi=phi,
            budget=budget,
            data=images_of(data),
            images=images,
            calibration=calibration,
            seed=seed,
        )
    return fit_file(
        quiet(context),
        Path(network),
        Path(out),
        rule=Rule(phi=phi, text=rule == "text", prune=prune, seed=seed),
        data=images_of(data),
        images=images,
        calibration=calibration,
    )


@checked
def export_onnx(network: File, out: File, *, mode: str | None = None) -> str:
    """Write a quantized network as an ONNX model with QuantizeLinear and DequantizeLinear.

    mode: of a network with several; None: the widest
    Returns a sentence that says what was written.
    """
    return write_onnx(Path(network), Path(out), mode=mode)
