"""The commands that give networks to other tools and compare with their runtimes."""

from pathlib import Path
from typing import Annotated

from typer import Option

from hwgen.cli.app import app
from hwgen.cli.options import Network
from hwgen.cli.outputs import OUTPUT_FILE
from hwgen.flow.exchange import export_onnx as write_onnx


@app.command(
    name="export-onnx", epilog="Example: hwgen export-onnx network.npz --out build/network.onnx"
)
def export_onnx(
    *,
    network: Network,
    out: Annotated[Path, Option(metavar="FILE", help="file to write (.onnx)"), OUTPUT_FILE],
    mode: Annotated[
        str | None, Option(metavar="NAME", help="a mode of the network [default: the widest]")
    ] = None,
) -> None:
    """Write a quantized network as an ONNX model with QuantizeLinear and DequantizeLinear.

    Weights are int8 with a scale for each output channel, maps unsigned with NCHW order, biases
    int32. Importing the file gives the same network back.
    """
    write_onnx(network, out, mode=mode)
    print(f"{out}: an ONNX model with QuantizeLinear and DequantizeLinear")
