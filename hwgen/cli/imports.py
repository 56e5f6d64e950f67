"""The commands that take networks of other formats."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Exit, Option

from hwgen import api
from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import Data, Json, Network, Work
from hwgen.cli.outputs import OUTPUT_FILE
from hwgen.report.import_tables import agreement_table, import_table


class Kernels(StrEnum):
    """Whose arithmetic an imported network computes."""

    default = "default"
    reference = "reference"
    half_up = "half_up"


class Target(StrEnum):
    """Kernels of a runtime to compare with."""

    default = "default"
    reference = "reference"


Foreign = Annotated[Path, Argument(metavar="FILE", help="a quantized network in TFLite or ONNX")]


@app.command(name="import", epilog="Example: hwgen import network.tflite --out build/network.npz")
def import_(
    *,
    file: Foreign,
    out: Annotated[
        Path,
        Option("--out", "-o", metavar="FILE", help="quantized network file to write (.npz)"),
        OUTPUT_FILE,
    ],
    dataset: Annotated[
        str, Option(metavar="NAME", help="images of hwgen run where none are given")
    ] = "",
    classes: Annotated[
        str, Option(metavar="NAMES", help="names of the classes, separated by commas")
    ] = "",
    calibrate: Annotated[
        Path | None,
        Option(
            metavar="IMAGES",
            help="quantize a float ONNX file with these images: a .npz with `images`, NHWC, uint8"
            " (a step is 1/255) or float32 (as the network reads them)",
        ),
    ] = None,
    qdq: Annotated[
        Path | None,
        Option(metavar="FILE", help="write the quantized ONNX file, too (with --calibrate)"),
        OUTPUT_FILE,
    ] = None,
    kernels: Annotated[
        Kernels,
        Option(
            help="how sums round: as the runtime's default kernels (XNNPACK, onnxruntime), as the"
            " reference kernels of LiteRT, or half_up, which every chip runs"
        ),
    ] = Kernels.default,
    json: Json = None,
) -> None:
    """Import a quantized network: TFLite with integers, or ONNX with QDQ, found by its content.

    Signed maps become unsigned by an offset, exactly; sums round as the runtime's do. What is not
    exact is printed with its largest effect. All nodes that are not supported are listed at
    once, before anything is computed.
    """
    names = tuple(name.strip() for name in classes.split(",")) if classes else ()
    if qdq is not None and calibrate is None:
        raise BadParameter("--qdq needs --calibrate")
    report = api.import_network(
        file,
        out,
        dataset=dataset,
        class_names=names,
        calibrate=calibrate,
        qdq=qdq,
        kernels=kernels.value,
    )
    finish(report, import_table(report), json)


@app.command(epilog="Example: hwgen compare network.npz --against network.tflite --data images.npz")
def compare(
    *,
    network: Network,
    against: Annotated[
        Path, Option(metavar="FILE", help="the file that it was imported from (TFLite or ONNX)")
    ],
    data: Data = None,
    images: Annotated[
        int | None, Option("--images", metavar="N", min=1, help="the first N images [default: all]")
    ] = None,
    kernels: Annotated[
        Target | None,
        Option(
            help="default: the answers with the runtime's default kernels; reference: all layers"
            " with LiteRT's reference kernels, with onnxruntime's without optimization"
            " [default: those whose arithmetic the network computes]"
        ),
    ] = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Compare golden with the runtime of the original file: LiteRT or onnxruntime.

    A network that rounds as the runtime does must answer the same in every element: exit code 1 and
    the first element that differs if one does. One that rounds half up differs beside ties: each
    layer is compared on the runtime's own inputs, and end to end; exit code 1 if a layer differs
    by more than one step on the same inputs.
    """
    context = api.Context(work=work)
    report = api.compare(
        network,
        against,
        data=data,
        images=images,
        kernels=kernels.value if kernels else None,
        context=context,
    )
    finish(report, agreement_table(report), json)
    if report.first is not None or (report.largest_step or 0) > 1:
        raise Exit(1)
