"""Networks that were trained elsewhere: imported, compared with their file, fitted, exported."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from hwgen.api.arguments import File, path_of, quiet, text_of
from hwgen.commands.against import compare_with_file
from hwgen.commands.context import Context
from hwgen.commands.exchange import export_onnx as write_onnx
from hwgen.commands.fit import Rule, fit_file
from hwgen.commands.imports import import_file
from hwgen.commands.info import describe_file
from hwgen.commands.lower import lower_file
from hwgen.errors import ConfigError
from hwgen.report.agreement import AgreementReport
from hwgen.report.fit import FitReport
from hwgen.report.imports import ImportReport
from hwgen.report.info import InfoReport

FitRule = Literal["measured", "text", "lowered"]


def import_network(
    file: File,
    out: File,
    *,
    dataset: str = "",
    class_names: Sequence[str] = (),
    calibrate: File | None = None,
    qdq: File | None = None,
) -> ImportReport:
    """Read int8 TFLite, quantized ONNX or float ONNX; write a quantized network file.

    The kind of file is found by its content. `content.notes` says what is not exact, and its
    largest effect.

    out: file to write (.npz)
    dataset: images that `model` and `simulate` take where none are given
    calibrate: a `.npz` with `images` that quantize a float ONNX file
    qdq: where the quantized ONNX model goes then; None: nowhere
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
    )


def info(
    file: File,
    architecture: File | None = None,
    *,
    sparsity: str | None = None,
    image_size: tuple[int, ...] | None = None,
    context: Context | None = None,
) -> InfoReport:
    """Check a file and return its content; with an architecture, how each layer is tiled for it.

    file: a quantized network, a program, an architecture, a TFLite or ONNX file, or the name of a
        network that ships for synthesis
    image_size: sides of the image in the order of the file, where it leaves some open
    """
    return describe_file(
        quiet(context), Path(file), path_of(architecture), sparsity, image_size=image_size
    )


def compare(
    network: File,
    against: File,
    *,
    data: File | None = None,
    images: int | None = None,
    context: Context | None = None,
) -> AgreementReport:
    """Compare golden with the runtime of the file that a network was imported from.

    data: images, as for `model`; images: the first N of them, None: all
    """
    return compare_with_file(
        quiet(context), Path(network), Path(against), data=text_of(data), count=images
    )


def fit(
    network: File,
    out: File,
    *,
    phi: int = 2,
    data: File | None = None,
    calibration: int = 64,
    rule: FitRule = "measured",
    budget: float = 1.0,
    images: int | None = None,
    prune: float = 0.0,
    seed: int = 1,
    context: Context | None = None,
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
    if rule not in get_args(FitRule):
        raise ConfigError(
            field="rule", allowed="measured, text or lowered", given=rule, source="hwgen.api.fit"
        )
    if rule == "lowered":
        return lower_file(
            quiet(context),
            Path(network),
            Path(out),
            phi=phi,
            budget=budget,
            data=text_of(data),
            images=images,
            calibration=calibration,
            seed=seed,
        )
    return fit_file(
        quiet(context),
        Path(network),
        Path(out),
        rule=Rule(phi=phi, text=rule == "text", prune=prune, seed=seed),
        data=text_of(data),
        images=images,
        calibration=calibration,
    )


def export_onnx(network: File, out: File, *, mode: str | None = None) -> str:
    """Write a quantized network as an ONNX model with QuantizeLinear and DequantizeLinear.

    mode: of a network with several; None: the widest
    Returns a sentence that says what was written.
    """
    return write_onnx(Path(network), Path(out), mode=mode)
