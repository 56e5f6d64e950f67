"""What the MRAM chip runs of a quantized network; the rest is refused in one sentence.

Tests: `tests/mram/compiler/test_refused.py`.
"""

from collections.abc import Iterator

from hwgen import network as net
from hwgen.errors import CompileError, Reasons
from hwgen.mram.compiler.walks import KERNEL_LIMIT, conv_walk
from hwgen.mram.facts.arch import (
    FACTOR_BITS,
    MOST_ENTRIES,
    MOST_MODES,
    ROUNDINGS,
    TAPS,
    WINDOW,
    Arch,
)
from hwgen.mram.facts.records import FIXED_FIELDS, record_fields
from hwgen.network.factors import factor_refusals
from hwgen.network.quantization import SIGNIFICANT_BITS

Refusal = tuple[str, str, object]
"""A property, what the chip runs, what was given."""

TRANSFORMER = (
    "no transformer's (rows can hold keys and values, but no path leads from maps to rows)"
)
MOST_TAPS = TAPS * MOST_ENTRIES
"""Taps of a kernel at most, on any chip."""
ANY_KERNEL = (
    f"at most {WINDOW} x {WINDOW}, or {MOST_TAPS} taps of a side of at most {KERNEL_LIMIT} on a"
    " chip of any kernels"
)
GROUPS = f"1, or those of a depthwise layer of at most {TAPS} taps on a chip of any kernels"
OPS = ("conv", "linear", "max_pool", "average_pool", "add", "rescale", "shortcut")


def field_limit(name: str, arch: Arch | None = None) -> int:
    """Return the largest value of a field of a record; without a chip that of every chip."""
    fields = record_fields(arch) if arch else FIXED_FIELDS
    return next((1 << field.bits) - 1 for field in fields if field.name == name)


def check_supported(network: net.QuantizedNetwork, arch: Arch) -> None:
    """Raise CompileError, or RefusedNodesError with a sentence for each thing that does not run."""
    reasons = Reasons(network.graph.name)
    for what, allowed, given in refusals(network, arch):
        with reasons.among():
            raise CompileError(f"{what} must be {allowed} on an mram chip, got {given}")
    reasons.check()


def refusals(network: net.QuantizedNetwork, arch: Arch) -> Iterator[Refusal]:
    """Yield everything that the chip does not run."""
    graph = network.graph
    if newer := network.newer_layers():
        yield "the layers", TRANSFORMER, newer
        return
    if len(graph.modes) > MOST_MODES:
        yield "the modes of a network", f"at most {MOST_MODES}", len(graph.modes)
    yield from map_refusals("the image", graph.input, arch)
    for layer in network.layers:
        yield from layer_refusals(network, layer, arch)
        if layer.name not in graph.outputs or not layer.output.raw:
            yield from map_refusals(f"layer {layer.name}: the output", layer.output, arch)
        if layer.name in graph.outputs:
            yield from answer_refusals(layer, arch)


def answer_refusals(layer: net.Layer, arch: Arch) -> Iterator[Refusal]:
    """Yield what of an output the chip cannot hold."""
    output = layer.output
    if isinstance(layer, net.Shortcut):
        yield "an output", "computed by itself", f"the shortcut {layer.name}"
    if output.raw and output.bits > arch.answer_bits:
        yield f"layer {layer.name}: raw sums", f"of {arch.answer_bits} bits", f"{output.bits} bits"
    most = (arch.pixel_blocks if arch.any_kernel else field_limit("blocks")) * arch.block
    if output.channels > most:
        yield f"layer {layer.name}: channels of the answer", f"at most {most}", output.channels
    size = output.height * output.width * answer_blocks(output.channels, arch) * arch.block
    if size > arch.answer_entries:
        allowed = f"at most {arch.answer_entries} elements with padding"
        yield f"layer {layer.name}: the answer", allowed, size


def answer_blocks(channels: int, arch: Arch) -> int:
    """Return the blocks from one pixel of an answer to the next: a power of two."""
    blocks = 1
    while blocks * arch.block < channels:
        blocks *= 2
    return blocks


def layer_refusals(
    network: net.QuantizedNetwork, layer: net.Layer, arch: Arch | None = None
) -> Iterator[Refusal]:
    """Yield everything in one layer that the chip does not run; without one, that none runs."""
    what = f"layer {layer.name}: "
    if isinstance(layer, net.Conv):
        channels = network.map_of(layer.inputs[0]).channels, layer.output.channels
        depthwise = channels == (layer.groups, layer.groups) and not_above(layer.kernel, TAPS)
        if layer.groups != 1 and arch is not None and not arch.any_kernel:
            yield f"{what}groups", "1", layer.groups
        elif layer.groups != 1 and not depthwise:
            yield f"{what}groups", GROUPS, groups_of(layer, channels)
        else:
            yield from kernel_refusals(network, layer, arch)
    if isinstance(layer, net.MaxPool | net.AveragePool):
        most = field_limit("kernel_height")
        if max(layer.kernel) > most:
            yield f"{what}kernel", f"at most {most} x {most}", sides(layer.kernel)
        most = field_limit("pad_top")
        if max(layer.padding[:2]) > most:
            yield f"{what}padding", f"at most {most}", max(layer.padding[:2])
    if isinstance(layer, net.Conv | net.MaxPool | net.AveragePool | net.Shortcut):
        most, stride = field_limit("stride_y"), used_stride(layer)
        if max(stride) > most:
            yield f"{what}stride", f"at most {most} x {most}", sides(stride)
    yield from operation_refusals(network, layer, arch)


def not_above(kernel: tuple[int, int], taps: int) -> bool:
    """Return whether a kernel has at most so many taps."""
    return kernel[0] * kernel[1] <= taps


def groups_of(layer: net.Conv, channels: tuple[int, int]) -> str:
    """Return groups, channels and kernel of a convolution as text."""
    each = f"{layer.groups} of {channels[0]} and {channels[1]} channels"
    return f"{each}, {sides(layer.kernel)}"


def kernel_refusals(
    network: net.QuantizedNetwork, layer: net.Conv, arch: Arch | None
) -> Iterator[Refusal]:
    """Yield a kernel that no window, and on a chip of any kernels no walk holds; or its padding."""
    what, taps = f"layer {layer.name}: ", layer.kernel[0] * layer.kernel[1]
    feature = network.map_of(layer.inputs[0])
    wide = arch is not None and arch.any_kernel and feature.channels > arch.row_blocks * arch.block
    if max(layer.kernel) <= WINDOW and (layer.groups > 1 or not wide):
        return
    most = field_limit("pad_top")
    if max(layer.padding[:2]) > most:
        yield f"{what}padding", f"at most {most}", max(layer.padding[:2])
    if layer.groups > 1:
        return
    if arch is None:
        if max(layer.kernel) > KERNEL_LIMIT or taps > MOST_TAPS:
            yield f"{what}kernel", ANY_KERNEL, sides(layer.kernel)
    elif not arch.any_kernel:
        yield f"{what}kernel", f"at most {WINDOW} x {WINDOW}", sides(layer.kernel)
    elif conv_walk(layer, feature, arch) is None:
        most = arch.most_places // -(-feature.channels // arch.block)
        if not most:
            yield f"{what}input channels", f"at most {dot_channels(arch)}", feature.channels
            return
        allowed = f"of at most {most} taps of {feature.channels} channels"
        allowed += f", and at most {KERNEL_LIMIT} x {KERNEL_LIMIT},"
        yield f"{what}kernel", allowed, sides(layer.kernel)


def dot_channels(arch: Arch) -> int:
    """Return the channels that kernels of one tap may have on a chip of any kernels."""
    return min(arch.most_places, arch.pixel_blocks) * arch.block


def operation_refusals(
    network: net.QuantizedNetwork, layer: net.Layer, arch: Arch | None
) -> Iterator[Refusal]:
    """Yield an operation, a rounding or a divisor that the chip does not have."""
    what = f"layer {layer.name}: "
    if layer.op not in OPS:
        yield f"{what}op", f"{', '.join(OPS[:-1])} or {OPS[-1]}", layer.op
    scales = factor_refusals(
        network,
        layer,
        roundings=arch.rounding if arch else ROUNDINGS[-1],
        multiplier_bits=arch.multiplier_bits if arch else SIGNIFICANT_BITS,
        factor_bits=arch.factor_bits if arch else FACTOR_BITS,
    )
    for field, allowed, given in scales:
        yield f"{what}{field}", allowed, given
    if isinstance(layer, net.AveragePool) and layer.divisor != "window":
        yield f"{what}divisor", "window", layer.divisor


def used_stride(layer: net.Conv | net.MaxPool | net.AveragePool | net.Shortcut) -> tuple[int, int]:
    """Return the strides of a layer; 1 where it has one window, which moves nowhere."""
    height, width, _ = layer.output.shape
    down, across = layer.stride
    return down if height > 1 else 1, across if width > 1 else 1


def sides(pair: tuple[int, int]) -> str:
    """Return a height and a width as text."""
    return f"{pair[0]} x {pair[1]}"


def map_refusals(what: str, feature: net.FeatureMap, arch: Arch) -> Iterator[Refusal]:
    """Yield the bits of a map and sizes beyond the fields of a record."""
    if feature.bits > arch.element_bits:
        yield f"{what}'s bits", f"at most {arch.element_bits}", feature.bits
    limits = {
        "height": field_limit("in_height"),
        "width": field_limit("in_width"),
        "channels": field_limit("channels", arch),
    }
    for name, limit in limits.items():
        if getattr(feature, name) > limit:
            yield f"{what}'s {name}", f"at most {limit}", getattr(feature, name)
    pixels, most = feature.height * feature.width, field_limit("loads")
    if pixels > most:
        yield f"{what}'s pixels", f"at most {most}", pixels
