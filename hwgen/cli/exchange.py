"""The commands that turn a network file into another: an ONNX model, or one of few digits."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Option

from hwgen import api
from hwgen.api.arguments import LARGEST_SEED
from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import Data, Json, Network, Work
from hwgen.cli.outputs import OUTPUT_FILE
from hwgen.report.fit import fit_table


class Rules(StrEnum):
    """How weights get few digits."""

    measured = "measured"
    text = "text"
    lowered = "lowered"


@app.command(
    name="export-onnx", epilog="Example: hwgen export-onnx network.npz --out build/network.onnx"
)
def export_onnx(
    *,
    network: Network,
    out: Annotated[
        Path, Option("--out", "-o", metavar="FILE", help="file to write (.onnx)"), OUTPUT_FILE
    ],
    mode: Annotated[
        str | None, Option(metavar="NAME", help="a mode of the network [default: the widest]")
    ] = None,
) -> None:
    """Write a quantized network as an ONNX model with QuantizeLinear and DequantizeLinear.

    Weights are int8 with a scale for each output channel, maps unsigned with NCHW order, biases
    int32. Importing the file gives the same network back.
    """
    print(api.export_onnx(network, out, mode=mode))


@app.command(epilog="Example: hwgen fit network.npz --phi 2 --data images.npz --out build/fit.npz")
def fit(
    *,
    network: Network,
    out: Annotated[
        Path,
        Option("--out", "-o", metavar="FILE", help="quantized network file to write (.npz)"),
        OUTPUT_FILE,
    ],
    phi: Annotated[int, Option(min=1, max=2, help="signed digits of a weight at most")] = 2,
    data: Data = None,
    calibration: Annotated[
        int, Option(metavar="N", min=1, help="measure with the first N images; judge by the others")
    ] = 64,
    rule: Annotated[
        Rules,
        Option(
            help="measured: of least change of the sums; text: as published, no images; lowered:"
            " fewer than the digits given, for the groups of filters that bear it"
        ),
    ] = Rules.measured,
    budget: Annotated[
        float,
        Option(metavar="PERCENT", min=0, help="lowered: points of accuracy that may be lost"),
    ] = 1.0,
    images: Annotated[
        int | None, Option(metavar="N", min=1, help="use the first N images [default: all]")
    ] = None,
    prune: Annotated[
        float, Option(metavar="SHARE", min=0, max=0.99, help="blocks of each layer set to zero")
    ] = 0.0,
    seed: Annotated[
        int, Option(min=0, max=LARGEST_SEED, help="of the positions that are measured")
    ] = 1,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Give every weight few signed digits without training, so that weight_bits can be on.

    measured: each filter takes the scale, finer where it suffers most, that changes its sums on
    the images least, and its weights are rounded so that they make up for each other. lowered: of
    a network whose weights have few digits already, groups of 8 filters get one digit or none,
    those first that change the sums least, until half of the other images lose the budget. Prints
    accuracy, or agreement of the classes, before and after.
    """
    report = api.fit(
        network,
        out,
        phi=phi,
        data=data,
        calibration=calibration,
        rule=rule.value,
        budget=budget,
        images=images,
        prune=prune,
        seed=seed,
        context=api.Context(work=work),
    )
    finish(report, fit_table(report), json)
