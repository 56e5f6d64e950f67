"""What the DB-PIM chip runs of a quantized network; the rest is refused in one sentence."""

from collections.abc import Iterator

import numpy as np

from hwgen import network as net
from hwgen.dbpim.compiler.lower_conv import is_depthwise
from hwgen.dbpim.compiler.lower_product import stored_tokens
from hwgen.dbpim.compiler.lower_row import exponents_of
from hwgen.dbpim.compiler.lower_stack import along
from hwgen.dbpim.facts.addressing import channel_words
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, ROUNDINGS, WEIGHT_BITS, Arch
from hwgen.dbpim.facts.instructions import FACTOR_BITS, Opcode, field_limit
from hwgen.dbpim.facts.timing import NORM_CHANNELS, SUM_SPAN, TAP_WORDS
from hwgen.errors import CompileError, Reasons
from hwgen.network import quantization
from hwgen.network.factors import factor_refusals
from hwgen.network.layer_norm import GREATEST_VALUE
from hwgen.network.squared_difference import FINER

Refusal = tuple[str, str, object]
"""A property, what the chip runs, what was given."""

TRANSFORMER = "no transformer's (no unit multiplies two maps, or reads a whole pixel first)"

ROW_UNIT_OPS = (
    "matmul",
    "constant",
    "stack",
    "softmax",
    "layer_norm",
    "append",
    "rows",
    "causal_softmax",
)
"""What a chip with a row unit runs beside `OPS`."""

TFLITE_OPS = ("squared_difference",)
"""What a chip with `simd_tflite` runs beside them."""

OF_LANES = (net.MatMul, net.Multiply, net.Rescale, net.SquaredDifference)
"""Layers whose sums the SIMD unit scales by one multiplier of the instruction."""

WITH_TFLITE = "set `simd_tflite: true` in the architecture, or import it with `--kernels half_up`"

OF_PRODUCTS = "`simd_tflite` rounds products, factors and squares of maps so, and no other layer"

LEAST, GREATEST = 2.0**-90, 2.0**127
"""Between them the row unit rounds no quotient to a subnormal number, and no sum to an infinity."""

GREATEST_SCALE = 2.0**100
"""Of a layer norm's output: an infinity over it is beyond every byte."""

GROUP_LIMIT = 4095
"""Channels of a group of a softmax at most."""

SCALING = (": rounding", ": multipliers", ": shifts")
"""End the properties of a layer that no step but the last of a compilation looks at."""

OPS = (
    "conv",
    "linear",
    "max_pool",
    "average_pool",
    "add",
    "multiply",
    "rescale",
    "concatenate",
    "table",
    "shortcut",
    "upsample",
    "state",
)

GROWTH = 1 << field_limit(Opcode.SIMD, "grow_y")
"""Times by which rows and columns of a map grow at most."""

COUNTED_TAPS = (1 << ACTIVATION_BITS) - 1
"""Pixels of a window of a mean that leaves padding out: their count is a byte."""

MAP_LIMIT = field_limit(Opcode.CONV, "input_height")
"""Rows, columns and channel words of a map at most: all have fields of one width."""


def collect_supported(reasons: Reasons, network: net.QuantizedNetwork, arch: Arch) -> bool:
    """Add to the reasons each thing that does not run; return whether the rest can be looked at.

    A network that is scaled as the chip does not can be lowered, so that what of its sizes and
    weights stands in the way is said at once.
    """
    found = list(refusals(network, arch))
    for what, allowed, given in found:
        with reasons.among():
            raise CompileError(f"{what} must be {allowed} on a dbpim chip, got {given}")
    return all(what.endswith(SCALING) for what, _, _ in found)


def refusals(network: net.QuantizedNetwork, arch: Arch) -> Iterator[Refusal]:
    """Yield everything that the chip does not run."""
    graph, last = network.graph, network.layers[-1]
    if (newer := network.newer_layers()) and arch.row_unit is None:
        yield "the layers", TRANSFORMER, newer
        return
    if len(graph.modes) > 1:
        yield "the modes of a network", "one", f"{len(graph.modes)} ({', '.join(graph.modes)})"
    yield from map_refusals("the image", graph.input, arch)
    for layer in network.layers:
        yield from layer_refusals(network, layer, arch)
        if isinstance(layer, net.MatMul):
            yield from product_refusals(network, layer, arch)
        if isinstance(layer, net.Stack):
            yield from stack_refusals(network, layer, arch)
        if isinstance(layer, net.Rows):
            yield from stack_refusals(network, layer, arch)
        if isinstance(layer, net.Append):
            yield from append_refusals(network, layer, arch)
        if isinstance(layer, net.Softmax | net.LayerNorm):
            yield from row_refusals(network, layer, arch)
        if layer is not last or not layer.output.raw:
            yield from map_refusals(f"layer {layer.name}: the output", layer.output, arch)
    yield from answer_refusals(network, arch)


def answer_refusals(network: net.QuantizedNetwork, arch: Arch) -> Iterator[Refusal]:
    """Yield what of the answers the chip cannot write."""
    graph, last = network.graph, network.layers[-1]
    held = ("constant", "state", "append")
    output, constants = last.output, {each.name for each in graph.layers if each.op in held}
    if unwritten := [name for name in graph.outputs if name in constants]:
        yield "the outputs", "computed", ", ".join(unwritten)
    if not output.raw:
        return
    if last.name not in graph.outputs:
        yield "raw sums", "an output", f"layer {last.name}, which is none"
    if output.shape[:2] != (1, 1) or output.bits != 32:
        given = f"{output.height} x {output.width} x {output.channels}, {output.bits} bits"
        yield "raw sums of the output", "of 1 x 1 pixel and 32 bits", given
    whole = -(-output.channels // arch.filters) * arch.filters
    if whole > arch.logit_entries:
        allowed = f"at most logit_entries ({arch.logit_entries})"
        yield f"layer {last.name}: classes", allowed, output.channels


def layer_refusals(
    network: net.QuantizedNetwork, layer: net.Layer, arch: Arch | None = None
) -> Iterator[Refusal]:
    """Yield everything in one layer that the chip does not run; without one, that none runs."""
    what = f"layer {layer.name}: "
    if isinstance(layer, net.Weighted) and layer.weight_bits > WEIGHT_BITS:
        yield f"{what}weight_bits", f"at most {WEIGHT_BITS}", layer.weight_bits
    taps = arch.simd_taps if arch else TAP_WORDS
    if isinstance(layer, net.Conv) and is_depthwise(
        layer, network.map_of(layer.inputs[0]).channels, taps
    ):
        if layer.output.raw:
            yield f"{what}a depthwise output", f"of {ACTIVATION_BITS} bits", "raw sums"
    elif isinstance(layer, net.Weighted) and arch is not None:
        yield from weight_refusals(network, layer, arch)
    if isinstance(layer, net.Linear):
        source = network.map_of(layer.inputs[0])
        yield from window_refusals(what, source.shape[:2], (1, 1), (0, 0))
    if isinstance(layer, net.Conv | net.MaxPool | net.AveragePool):
        padding = (layer.padding[0], layer.padding[1])
        yield from window_refusals(what, layer.kernel, layer.stride, padding)
    if isinstance(layer, net.Upsample):
        yield from growth_refusals(what, layer)
    if isinstance(layer, net.Shortcut):
        yield from window_refusals(what, (1, 1), layer.stride, (0, 0))
    yield from operation_refusals(network, layer, arch)


def weight_refusals(
    network: net.QuantizedNetwork, layer: net.Weighted, arch: Arch
) -> Iterator[Refusal]:
    """Yield weights that the cells of a macro do not hold."""
    bits = arch.macro.weight_bits
    weights = network.parameters[layer.name].weights
    low, high = int(weights.min()), int(weights.max())
    if bits < WEIGHT_BITS and not -(1 << bits - 1) <= low <= high < 1 << bits - 1:
        allowed = f"from {-1 << bits - 1} to {(1 << bits - 1) - 1} with macro.weight_bits of {bits}"
        yield f"layer {layer.name}: weights", allowed, f"{low} to {high}"


def product_refusals(
    network: net.QuantizedNetwork, layer: net.MatMul, arch: Arch
) -> Iterator[Refusal]:
    """Yield what of a product does not come in whole words, or not fit an instruction's fields."""
    b, what = network.map_of(layer.inputs[1]), f"layer {layer.name}: "
    size = arch.word
    if layer.output.raw:
        yield f"{what}the output of a product", f"of {ACTIVATION_BITS} bits", "raw sums"
    pixels, tokens = b.height * b.width, stored_tokens(network, layer)
    sides = {
        "channels of a group of its second input": (b.channels // layer.groups, "kernel_height"),
        "pixels of its second input": (tokens, "stride_y"),
    }
    for side, (given, field) in sides.items():
        most = size * field_limit(Opcode.SIMD, field)
        if given % size or given > most:
            yield f"{what}{side}", f"a multiple of {size} and at most {most}", given
    if tokens > pixels:
        yield from copy_refusals(f"{what}pixels of its second input", pixels, size)


def stack_refusals(
    network: net.QuantizedNetwork, layer: net.Stack | net.Rows, arch: Arch
) -> Iterator[Refusal]:
    """Yield the inputs of a stack whose pixels take more words of ones than a product reads."""
    for name in layer.inputs:
        pixels = network.map_of(name).height * network.map_of(name).width
        yield from copy_refusals(f"layer {layer.name}: pixels of an input", pixels, arch.word)


def copy_refusals(what: str, pixels: int, word: int) -> Iterator[Refusal]:
    """Yield pixels that take more words of ones than the product that copies them reads."""
    most, together = field_limit(Opcode.SIMD, "kernel_height"), along(pixels, word)
    if pixels > most * together:
        yield (
            f"{what}, over their largest divisor up to {word},",
            f"at most {most}",
            pixels // together,
        )


def append_refusals(
    network: net.QuantizedNetwork, layer: net.Append, arch: Arch
) -> Iterator[Refusal]:
    """Yield what keeps new pixels from a place behind the others, in whole beats."""
    what, (cache, row) = f"layer {layer.name}: ", layer.inputs
    pixel = channel_words(layer.output.channels, arch) * arch.word
    if pixel % arch.port_bytes:
        yield f"{what}bytes of a pixel", f"whole beats of {arch.port_bytes} bytes", pixel
    others = {
        channel_words(each.output.channels, arch) * arch.word
        for each in network.layers
        if isinstance(each, net.Append)
    }
    if len(others) > 1:
        yield f"{what}bytes of a pixel", "as many as of every append", pixel
    readers = [each.name for each in network.layers if cache in each.inputs]
    if readers != [layer.name]:
        yield f"{what}readers of its state", "this append alone", ", ".join(readers)
    made = {each.name for each in network.layers if each.op not in ("constant", "state", "append")}
    if row not in made:
        yield f"{what}new pixels", "computed by a layer", row


def row_refusals(
    network: net.QuantizedNetwork, layer: net.Softmax | net.LayerNorm, arch: Arch
) -> Iterator[Refusal]:
    """Yield what of a softmax or a layer norm the row unit does not hold, or not round."""
    what, size = f"layer {layer.name}: ", arch.word
    channels = network.map_of(layer.inputs[0]).channels
    arrays = network.arrays_of(layer.name)
    if isinstance(layer, net.Softmax):
        group = channels // layer.groups
        most = min(size * field_limit(Opcode.SIMD, "kernel_width"), GROUP_LIMIT)
        if (layer.groups > 1 and group % size) or group > most:
            several = f"of several groups a multiple of {size}, " if layer.groups > 1 else ""
            yield f"{what}channels of a group", f"{several}at most {most}", group
        if isinstance(layer, net.CausalSoftmax):
            most = network.graph.positions + layer.output.height * layer.output.width
            if most > GROUP_LIMIT:
                yield f"{what}positions and pixels", f"at most {GROUP_LIMIT} together", most
        largest = float(arrays["exponentials"].view(np.float32)[0])
        if not LEAST <= largest <= GREATEST / group:
            yield f"{what}the first exponential", f"{LEAST:.0e} to {GREATEST / group:.0e}", largest
        return
    width = len(arrays["gamma"])
    if width > NORM_CHANNELS or (width < channels and width % size):
        several = f"of several heads a multiple of {size}, " if width < channels else ""
        yield f"{what}channels of a norm", f"{several}at most {NORM_CHANNELS}", width
    eps, scale = arrays["constants"].view(np.float32).tolist()
    for name, value in (("eps", eps), ("scale of the output", scale)):
        if not LEAST <= value <= GREATEST_SCALE:
            yield f"{what}{name}", f"{LEAST:.0e} to {GREATEST_SCALE:.0e}", value
    values = np.abs(arrays["values"].view(np.float32))
    smallest, largest = exponents_of(arrays["values"])
    outside = (values[values > 0] < LEAST).any() or values.max() > GREATEST_VALUE
    if largest - smallest > SUM_SPAN or outside:
        allowed = f"zero or {LEAST:.0e} to {GREATEST_VALUE:.0e}, with {SUM_SPAN + 1} exponents"
        yield f"{what}values", allowed, f"{values[values > 0].min():.2e} to {values.max():.2e}"


def operation_refusals(
    network: net.QuantizedNetwork, layer: net.Layer, arch: Arch | None
) -> Iterator[Refusal]:
    """Yield an operation, a rounding or a divisor that the chip does not have."""
    what = f"layer {layer.name}: "
    ops = OPS if arch and arch.row_unit is None else (*OPS, *ROW_UNIT_OPS)
    if arch is None or arch.simd_tflite:
        ops = (*ops, *TFLITE_OPS)
    if layer.op not in ops:
        yield f"{what}op", f"{', '.join(ops[:-1])} or {ops[-1]}", layer.op
    for field, allowed, given in scale_refusals(network, layer, arch):
        yield f"{what}{field}", allowed, given
    if (
        isinstance(layer, net.SquaredDifference)
        and greatest_square(network, layer) > quantization.ACCUMULATOR_HIGH
    ):
        yield f"{what}squares", "below 2^31", greatest_square(network, layer)
    if isinstance(layer, net.AveragePool) and layer.divisor == "inside":
        taps = layer.kernel[0] * layer.kernel[1]
        if taps > COUNTED_TAPS:
            yield f"{what}window without counted padding", f"at most {COUNTED_TAPS} pixels", taps


def scale_refusals(
    network: net.QuantizedNetwork, layer: net.Layer, arch: Arch | None
) -> Iterator[Refusal]:
    """Yield a rounding or factor that the requantizers of a layer do not have."""
    roundings: tuple[quantization.Rounding, ...] = arch.rounding if arch else ROUNDINGS[-1]
    bits = arch.multiplier_bits if arch else quantization.SIGNIFICANT_BITS
    if isinstance(layer, OF_LANES):
        roundings = arch.simd_roundings if arch else (*roundings, "tflite")
        bits = arch.simd_multiplier_bits if arch else quantization.SIGNED_BITS
    factor_bits = arch.factor_bits if arch else FACTOR_BITS
    found = factor_refusals(
        network, layer, roundings=roundings, multiplier_bits=bits, factor_bits=factor_bits
    )
    for field, allowed, given in found:
        lacks = isinstance(layer, OF_LANES) and layer.rounding == "tflite" != field
        as_tflite = getattr(layer, "rounding", None) == "tflite"
        if arch is not None and arch.simd_tflite and as_tflite and field == "rounding":
            yield field, allowed, f"{given}; {OF_PRODUCTS}"
        else:
            yield field, allowed, f"tflite: {WITH_TFLITE}" if lacks else given


def greatest_square(network: net.QuantizedNetwork, layer: net.SquaredDifference) -> int:
    """Return the largest square of a difference of any two bytes."""
    ends = []
    for name, multiplier, shift in zip(
        layer.inputs, layer.requantization[0].multipliers, layer.operand_shifts, strict=False
    ):
        zero_point = network.map_of(name).quantization[0].zero_point
        reach = [(byte - zero_point) * multiplier for byte in (0, (1 << ACTIVATION_BITS) - 1)]
        ends.append([-(-(abs(each) << FINER) >> shift) + 1 for each in reach])
    (low_a, high_a), (low_b, high_b) = ends
    return max(low_a + high_b, high_a + low_b) ** 2


def growth_refusals(what: str, layer: net.Upsample) -> Iterator[Refusal]:
    """Yield factors that the fields of an instruction do not hold."""
    for side, factor in zip(("vertical", "horizontal"), layer.factor, strict=True):
        if factor > GROWTH or factor & (factor - 1):
            yield f"{what}{side} factor", f"a power of two, at most {GROWTH}", factor


def map_refusals(what: str, feature: net.FeatureMap, arch: Arch) -> Iterator[Refusal]:
    """Yield the bits of a map other than bytes, and sizes beyond the fields of an instruction."""
    if feature.bits != ACTIVATION_BITS:
        yield f"{what}'s bits", f"{ACTIVATION_BITS}", feature.bits
    sizes = {
        "height": (feature.height, MAP_LIMIT),
        "width": (feature.width, MAP_LIMIT),
        "channels": (feature.channels, MAP_LIMIT * arch.word),
    }
    for name, (size, limit) in sizes.items():
        if size > limit:
            yield f"{what}'s {name}", f"at most {limit}", size


def window_refusals(
    what: str, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> Iterator[Refusal]:
    """Yield what of a window does not fit the fields of an instruction."""
    values = {
        "kernel_height": kernel[0],
        "kernel_width": kernel[1],
        "stride_y": stride[0],
        "stride_x": stride[1],
        "padding_top": padding[0],
        "padding_left": padding[1],
    }
    for name, value in values.items():
        limit = field_limit(Opcode.CONV, name)
        if value > limit:
            yield f"{what}{name}", f"at most {limit}", value
