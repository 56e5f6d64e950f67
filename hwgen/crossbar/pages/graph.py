"""What `hwgen info` tells of a network without weights.

Tests: `tests/cli/test_synthesize.py`.
"""

from collections.abc import Iterator

from pydantic.dataclasses import dataclass
from rich.console import RenderableType

from hwgen.files.load import EXACT
from hwgen.report.tables import number, size, table
from hwgen.report.types import Count, Digest


@dataclass(frozen=True, kw_only=True, config=EXACT)
class GraphLayer:
    """A layer that takes time on a crossbar accelerator.

    reads: names of the layers that it reads, `image` if none
    shape: of its map, height, width and channels
    kernel, stride, dilation: of rows and of columns
    operations: multiplications and additions for one image
    crossbars: that one copy of its weights takes, see GraphInfo
    """

    name: str
    kind: str
    reads: list[str]
    shape: tuple[int, int, int]
    kernel: tuple[Count, Count]
    stride: tuple[Count, Count]
    dilation: tuple[Count, Count]
    activation: str
    weights: Count
    operations: Count
    crossbars: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class GraphInfo:
    """A network without weights, as synthesis sees it.

    side, cell_bits, weight_bits: of the crossbars and weights that `crossbars` are counted with
    """

    name: str
    digest: Digest
    input_shape: tuple[int, int, int]
    weights: Count
    operations: Count
    crossbars: Count
    side: Count
    cell_bits: Count
    weight_bits: Count
    layers: list[GraphLayer]


def graph_parts(graph: GraphInfo) -> Iterator[RenderableType]:
    """Yield the layers of a network without weights."""
    yield f"network {graph.name}, {graph.digest[:16]}"
    yield (
        f"images: {size(graph.input_shape)}; {graph.weights:,} weights,"
        f" {graph.operations:,} operations an image"
    )
    yield (
        f"one copy of the weights, {graph.weight_bits} bits each: {graph.crossbars:,} crossbars of"
        f" {graph.side} x {graph.side} cells of {graph.cell_bits} bits"
    )
    yield ""
    rows = table(["layer", "kind", "shape", "window", "weights", "operations", "crossbars"], left=3)
    for layer in graph.layers:
        rows.add_row(
            layer.name,
            layer.kind + ("" if layer.activation == "none" else f" {layer.activation}"),
            size(layer.shape),
            window_text(layer),
            number(layer.weights),
            number(layer.operations),
            number(layer.crossbars),
        )
    yield rows


def window_text(layer: GraphLayer) -> str:
    """Return kernel, stride and dilation; one number where rows and columns are alike."""
    kernel, stride, dilation = (
        str(rows) if rows == columns else f"{rows}x{columns}"
        for rows, columns in (layer.kernel, layer.stride, layer.dilation)
    )
    return f"{kernel}/{stride}" + (f" dilated {dilation}" if layer.dilation != (1, 1) else "")
