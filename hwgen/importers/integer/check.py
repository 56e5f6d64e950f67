"""What of an integer graph a quantized network cannot hold: every node, before any computation.

Tests: `tests/importers/integer/test_lower.py`.
"""

import math
from collections.abc import Iterator

import numpy as np

from hwgen.errors import Refusal
from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.arithmetic import exponentials, squared_factor
from hwgen.importers.integer.constants import Operand
from hwgen.importers.integer.factors import FACTOR_LIMIT
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.refused import advice, mask_cure
from hwgen.network.layer_norm import MOST_CHANNELS as MOST_NORM_CHANNELS
from hwgen.network.layer_norm import SUMS as NORM_SUMS
from hwgen.network.maps import BYTE_BITS, MAP_BITS
from hwgen.network.softmax import GREATEST

Complaint = tuple[str, str, object]
"""A property, what it must be, what it is."""

OF_BYTES = ir.MatrixProduct | ir.SoftmaxOfGroups | ir.LayerNormalization
"""Nodes that onnxruntime computes as stated for bytes without sign."""
WEIGHT_BITS = 16
LEAST_SCALE, MOST_SCALE = 2.0**-60, 2.0**40
"""Of a map: products of two and their ratios are float32 numbers, and shifts are below 63."""
LEAST_RATIO = 2.0**-31
"""Of the scales of operands and their sum; from smaller ones every element rounds to zero."""
SIDE_LIMIT = 65535
OFFSET_LIMIT = 1 << 24
"""Constant offset at most, in steps of the map times the factor; a sum has 31 bits."""
SUM_LIMIT = 1 << 28
"""Of a mean: its factor 1 / n has 31 bits where n is a quarter of the window."""
WEIGHT_LIMIT = 1 << 25
"""Weights at most of a layer that is filled with zeros: of dilation, padding or selection."""


def refusals_of(graph: IntegerGraph) -> list[Refusal]:
    """Return every node that cannot be imported, in order; nodes behind one are not repeated."""
    found: list[Refusal] = []
    unknown: set[str] = set()
    for node in graph.nodes:
        if isinstance(node, ir.Unsupported):
            unknown.add(node.output)
            if not (node.dependent and not unknown.isdisjoint(node.inputs)):
                found.append(refusal(node, (node.what, node.allowed, node.given)))
            continue
        if not unknown.isdisjoint(node.inputs):
            unknown.add(node.output)
            continue
        complaints = list(complaints_of(graph, node))[:1]
        found += [refusal(node, each) for each in complaints]
        if complaints:
            unknown.add(node.output)
    # A constant that several nodes read is one thing.
    return list(dict.fromkeys(found))


def refusal(node: ir.Node, complaint: Complaint) -> Refusal:
    """Return the refusal of a node for a complaint."""
    what, allowed, given = complaint
    return Refusal(
        node=node.name, operator=node.operator, what=what, allowed=allowed, given=str(given)
    )


def complaints_of(graph: IntegerGraph, node: ir.Node) -> Iterator[Complaint]:
    """Yield what of one node a quantized network cannot hold; each check relies on those before."""
    for role, name in (*(("input", name) for name in node.inputs), ("output", node.output)):
        if name not in graph.maps:
            yield f"its {role} {name}", "quantized", "a map without scale"
            return
        yield from map_complaints(role, graph.maps[name])
    sources = [graph.maps[name] for name in node.inputs]
    output = graph.maps[node.output]
    if any(source.raw for source in sources):
        yield "its input", "requantized", "raw sums"
    if isinstance(node, ir.Convolution | ir.FullyConnected):
        yield from weight_complaints(node, sources[0], output)
    elif output.raw:
        yield "its output", "quantized", "raw sums"
    if isinstance(node, ir.WINDOWS):
        yield from window_complaints(node, sources[0])
    if graph.format == "ONNX" and isinstance(node, OF_BYTES):
        yield from sign_complaints([*sources, output])
    yield from kind_complaints(node, sources, output)


def map_complaints(role: str, values: QuantizedMap) -> Iterator[Complaint]:
    """Check sides, bits, scale and zero point of a map."""
    if not all(1 <= side <= SIDE_LIMIT for side in values.shape):
        yield f"the shape of its {role}", f"from 1 to {SIDE_LIMIT} a side", list(values.shape)
    if not (1 <= values.bits <= MAP_BITS or values.raw):
        yield f"the bits of its {role}", f"from 1 to {MAP_BITS}", values.bits
    elif not (math.isfinite(values.scale) and values.scale > 0):
        yield f"the scale of its {role}", "a positive number", values.scale
    elif not (values.raw or LEAST_SCALE <= values.scale <= MOST_SCALE):
        allowed = f"from {LEAST_SCALE:.3g} to {MOST_SCALE:.3g}"
        mask = mask_cure() if values.scale > MOST_SCALE else ""
        yield f"the scale of its {role}", allowed, f"{values.scale:.3g}{mask}"
    elif not values.raw and not 0 <= values.zero_point + values.offset < 1 << values.bits:
        yield f"the zero point of its {role}", f"of {values.bits} bits", values.zero_point


def weight_complaints(
    node: ir.Convolution | ir.FullyConnected, source: QuantizedMap, output: QuantizedMap
) -> Iterator[Complaint]:
    """Check scales, range and shape of weights, and the factors that follow."""
    weights = node.weights
    if not weights.integers.size:
        yield "its weights", "at least one", "none"
        return
    if not (np.isfinite(weights.scales).all() and (weights.scales >= 0).all()):
        yield "the scales of its weights", "positive numbers", "others"
        return
    centred = weights.centred
    if max(int(centred.max()), -int(centred.min()) - 1) >= 1 << (WEIGHT_BITS - 1):
        yield "weights minus zero point", f"of at most {WEIGHT_BITS} bits", "more"
    if output.raw and not (weights.scales > 0).all():
        allowed = "positive numbers, as no quantization follows"
        yield "the scales of its weights", allowed, "others"
    if not output.raw:
        yield from factor_complaints(float(weights.scales.max()) * source.scale / output.scale)


def factor_complaints(factor: float, least: float = 0) -> Iterator[Complaint]:
    """Check that a factor has a 16-bit multiplier."""
    if not least <= factor < FACTOR_LIMIT:
        allowed = f"from {least:.3g} to below {FACTOR_LIMIT:.0f}"
        yield "the ratio of its scales", allowed, f"{factor:.3g}"


def window_complaints(node: ir.WINDOWS, source: QuantizedMap) -> Iterator[Complaint]:
    """Check sizes, that sums of a mean have room, and that every window overlaps the map."""
    height, width = ir.window_of(node)
    if not all(1 <= each <= SIDE_LIMIT for each in (height, width, *node.stride)):
        given = [height, width, *node.stride]
        yield "its window and stride", f"from 1 to {SIDE_LIMIT}", given
        return
    if isinstance(node, ir.AveragePooling) and height * width << source.bits > SUM_LIMIT:
        allowed = f"of at most {SUM_LIMIT >> source.bits} pixels of {source.bits} bits"
        yield "its window", allowed, f"{height} x {width}"
    if isinstance(node, ir.Convolution) and node.dilation != (1, 1):
        outputs, _, _, inputs = node.weights.integers.shape
        if outputs * height * width * inputs > WEIGHT_LIMIT:
            yield "its window with dilation", f"of at most {WEIGHT_LIMIT} weights", "more"
    top, left, bottom, right = node.padding
    if min(node.padding) < 0 or max(top, bottom) >= height or max(left, right) >= width:
        allowed = f"below its window {height} x {width}: put the rest into a Pad before it"
        yield "its padding", allowed, list(node.padding)


def kind_complaints(
    node: ir.Node, sources: list[QuantizedMap], output: QuantizedMap
) -> Iterator[Complaint]:
    """Check what only one kind of node demands."""
    match node:
        case ir.Head():
            yield "its place", "the head of the network (nothing reads it)", "before other nodes"
        case ir.MatrixProduct() | ir.SoftmaxOfGroups() | ir.LayerNormalization() | ir.Stacking():
            yield from token_complaints(node, sources, output)
        case ir.Addition() | ir.SquaredDifference() | ir.Multiplication() | ir.Concatenation():
            yield from operand_complaints(node, sources, output)
        case ir.Extremum() | ir.Slopes() | ir.Choice() | ir.Border():
            yield "its operands", "of bytes and one shape, or 1 or C slopes", shapes(sources)
        case ir.Lookup():
            yield from function_complaints(node, sources[0], output)
        case ir.PerChannel():
            yield from constant_complaints(node, sources[0], output)
        case ir.Requantization() | ir.AveragePooling():
            yield from factor_complaints(node.gain * sources[0].scale / output.scale)
        case ir.Selection() | ir.Subsampling() | ir.Padding():
            yield from move_complaints(node, sources[0])
        case ir.View() if math.prod(sources[0].shape) != math.prod(output.shape):
            yield "its output", f"of {math.prod(sources[0].shape)} elements", shapes([output])


def function_complaints(
    node: ir.Lookup, source: QuantizedMap, output: QuantizedMap
) -> Iterator[Complaint]:
    """Check the bits of a function's maps, and the factors of one that LiteRT has in integers."""
    bits = max(source.bits, output.bits)
    if bits > BYTE_BITS:
        yield "the bits of a function's input and output", f"at most {BYTE_BITS}", bits
    elif isinstance(getattr(node.steps, "__self__", None), Operand):
        return  # computed as it is, without a factor between the two scales
    elif node.steps is not None or node.slope is not None:
        yield from factor_complaints(source.scale / output.scale)


def token_complaints(
    node: ir.MatrixProduct | ir.SoftmaxOfGroups | ir.LayerNormalization | ir.Stacking,
    sources: list[QuantizedMap],
    output: QuantizedMap,
) -> Iterator[Complaint]:
    """Check what a transformer's runtime computes as stated: bytes, whole norms."""
    if isinstance(node, ir.Stacking):
        if len({each.shape[2] for each in sources}) > 1:
            yield "its inputs", "of as many channels", shapes(sources)
        return
    bits = max(each.bits for each in (*sources, output))
    if bits > BYTE_BITS:
        yield "the bits of its maps", f"at most {BYTE_BITS}", bits
        return
    channels = sources[0].shape[2]
    if isinstance(node, ir.LayerNormalization):
        channels = len(node.gamma)
        if channels % NORM_SUMS or channels > MOST_NORM_CHANNELS:
            allowed = f"a multiple of {NORM_SUMS} up to {MOST_NORM_CHANNELS}: pad the width"
            yield "its width", allowed, channels
    elif isinstance(node, ir.SoftmaxOfGroups):
        yield from share_complaints(sources[0], channels // node.groups, output)
    else:
        factor = node.gain * sources[0].scale * sources[1].scale / output.scale
        yield from factor_complaints(factor)


def sign_complaints(maps: list[QuantizedMap]) -> Iterator[Complaint]:
    """Check that maps are bytes without sign, which onnxruntime computes as stated."""
    for each in maps:
        if each.signed or each.bits > BYTE_BITS:
            kind = f"{'int' if each.signed else 'uint'}{each.bits}"
            allowed = (
                f"uint8 (quantize_static with activation_type=QUInt8{advice(', or --calibrate')})"
            )
            yield "the type of its maps", allowed, kind
            return


def squared_complaints(sources: list[QuantizedMap], output: QuantizedMap) -> Iterator[Complaint]:
    """Check shapes, bits and the factor of the square of a difference."""
    bits = max(each.bits for each in (*sources, output))
    if bits > BYTE_BITS:
        yield "the bits of its maps", f"at most {BYTE_BITS}", bits
    if sources[0].shape != sources[1].shape:
        yield "its inputs", ir.ONE_SHAPE, shapes(sources)
    factor = squared_factor(sources[0].scale, sources[1].scale, output)
    if not factor < 1:
        yield (
            "the factor of its squares, 4 * scale^2 / 2^14 / scale of the output,",
            "below 1",
            (f"{factor:.3g}"),
        )


def share_complaints(source: QuantizedMap, count: int, output: QuantizedMap) -> Iterator[Complaint]:
    """Check that a softmax has a whole step in 1, and not so many that float32 overflows."""
    most = int(GREATEST / float(exponentials(source, count)[0]))
    if not 1 / (most + 1) < output.scale <= 1:
        allowed = f"from {1.01 / most:.3g} to 1, so that E[0] x factor is a finite float32"
        yield "the scale of its output", allowed, f"{output.scale:.6g}"


def constant_complaints(
    node: ir.PerChannel, source: QuantizedMap, output: QuantizedMap
) -> Iterator[Complaint]:
    """Check the shape of constants, and the factors that follow."""
    for constant in (node.factor, node.offset):
        if constant.size not in (1, source.shape[2]):
            yield "its constants", f"1 or {source.shape[2]} values", constant.size
        elif not np.isfinite(constant).all():
            yield "its constants", "finite", "others"
    yield from factor_complaints(float(np.abs(node.factor).max()) * source.scale / output.scale)
    smallest = float(np.abs(node.factor[node.factor != 0]).min(initial=np.inf))
    reach = float(np.abs(node.offset).max()) / (min(smallest, source.scale) * source.scale)
    if not reach < OFFSET_LIMIT:
        yield "its offset", f"below {OFFSET_LIMIT} steps of factor and scale", f"{reach:.3g}"


def operand_complaints(
    node: ir.Addition | ir.SquaredDifference | ir.Multiplication | ir.Concatenation,
    sources: list[QuantizedMap],
    output: QuantizedMap,
) -> Iterator[Complaint]:
    """Check the shapes of several inputs, and the factors between their scales."""
    first, second = sources[0], sources[-1]
    if isinstance(node, ir.SquaredDifference):
        yield from squared_complaints(sources, output)
        return
    if isinstance(node, ir.Concatenation):
        if len({each.shape[:2] for each in sources}) > 1:
            yield "its inputs", "of one height and width", shapes(sources)
        factors = [each.scale / output.scale for each in sources]
    elif isinstance(node, ir.Addition):
        if first.shape != second.shape:
            yield "its inputs", ir.ONE_SHAPE, shapes(sources)
        scales = zip(node.gains, sources, strict=True)
        factors = [gain * each.scale / output.scale for gain, each in scales]
        yield from factor_complaints(max(factors), least=LEAST_RATIO)
    else:
        larger, other = sorted((each.shape for each in sources), key=math.prod, reverse=True)
        if other not in (larger, (1, 1, larger[2])):
            yield "its inputs", ir.ONE_SHAPE, shapes(sources)
        factors = [node.gain * first.scale * second.scale / output.scale]
    for factor in factors:
        yield from factor_complaints(factor)


def move_complaints(
    node: ir.Selection | ir.Subsampling | ir.Padding, source: QuantizedMap
) -> Iterator[Complaint]:
    """Check what a node selects or adds."""
    channels = source.shape[2]
    if isinstance(node, ir.Selection):
        if not node.channels or not all(0 <= each < channels for each in node.channels):
            yield "its channels", f"from 0 to {channels - 1}", list(node.channels)
        elif len(node.channels) * channels > WEIGHT_LIMIT:
            yield "its channels", "fewer", len(node.channels)
    elif isinstance(node, ir.Subsampling):
        if not all(1 <= each <= SIDE_LIMIT for each in node.stride):
            yield "its stride", f"from 1 to {SIDE_LIMIT}", list(node.stride)
    elif node.lowest:
        yield "its value", "0, or the lowest number before max pools alone", "the lowest number"
    elif not all(0 <= each <= SIDE_LIMIT for each in (*node.sides, *node.channels)):
        yield "its padding", f"from 0 to {SIDE_LIMIT}", [*node.sides, *node.channels]
    elif channels * (sum(node.sides[::2]) + 1) * (sum(node.sides[1::2]) + 1) > WEIGHT_LIMIT:
        yield "its padding", "less, unless a window takes it in", list(node.sides)
    elif node.channels[0] or (any(node.sides) and any(node.channels)):
        yield "its padding", "of rows and columns, or of channels behind", "other channels"


def shapes(sources: list[QuantizedMap]) -> str:
    """Return the shapes of maps, for a message."""
    return " and ".join(" x ".join(str(side) for side in source.shape) for source in sources)
