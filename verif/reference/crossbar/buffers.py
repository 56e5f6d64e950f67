"""What the scratchpads must hold, from the steps at which blocks are loaded and stored.

Tests: `tests/crossbar/model/test_buffers.py`.
"""

import math

from golden.crossbar.ir import Node
from hwgen.crossbar.facts.layout import first_needed, last_needed, most_arriving
from hwgen.crossbar.facts.network import CrossbarLayer
from verif.reference.crossbar.case import Case
from verif.reference.crossbar.simulator import Trace

PUBLISHED_FILL = 0.9
"""The published code counts this part of the bytes that it finds."""


def kilobytes_of(case: Case, *traces: Trace) -> float:
    """Return the KB that the fullest macro needs for any of some streams, each of some images.

    The published code takes the layer that needs most, as if no two were in one macro, of an image.
    """
    layers = range(len(case.network.layers))
    if case.rules.send_once:
        rings = [[rings_of(case, trace, at) for trace in traces] for at in layers]
        waiting = [max(most_waiting(case, trace, at) for trace in traces) for at in layers]
        most = [[max(each) for each in zip(*of_layer, strict=True)] for of_layer in rings]
        return fullest(case, most, waiting)
    (trace,) = traces
    inputs = [most_loaded(case, place) for place in layers]
    outputs = published_outputs(case, trace)
    elements = PUBLISHED_FILL * max(map(sum, zip(inputs, outputs, strict=True)))
    return elements * case.components.activation_bits / 8 / 1024


def fullest(case: Case, rings: list[list[int]], outputs: list[float]) -> float:
    """Return the KB of the fullest macro (strict rules).

    rings: most elements of each provider of each layer; outputs: most of each layer that wait
    """
    layers = range(len(case.network.layers))
    bits = case.components.activation_bits
    inputs = [
        sum(words_of(case, each, bits) for each in [*rings[at], image_ring(case, at)])
        for at in layers
    ]
    stored = [
        words_of(case, outputs[at], layer.raw_bits or bits)
        for at, layer in enumerate(case.network.layers)
    ]
    words = max(
        sum(inputs[place] for place in layers if macro in case.plan.layers[place].macros)
        + sum(stored[place] for place in layers if macro == case.plan.layers[place].merge_macro)
        for macro in range(case.plan.macros)
    )
    return words * case.components.scratchpads.bus_bits / 8 / 1024


def words_of(case: Case, elements: float, bits: int) -> int:
    """Return the words that hold some elements of so many bits, whole ones in each."""
    in_a_word = max(1, case.components.scratchpads.bus_bits // bits)
    return math.ceil(elements / in_a_word)


def most_loaded(case: Case, place: int) -> float:
    """Return the most input elements that a macro of a layer holds for a block; published code."""
    layer, placed = case.network.layers[place], case.plan.layers[place]
    most = 0.0
    for cnt in range(placed.blocks):
        held = 0.0
        for provider in layer.providers:
            source = case.network.layers[provider]
            pixels = source.pixels
            if layer.kind != "fc":
                pixels = window_of_block(case, place, cnt, source.pixels)
            held += pixels * source.out_channels / placed.row_shares
        most = max(most, held)
    return most


def image_ring(case: Case, place: int) -> int:
    """Return the elements of the image in each macro of a layer: a window, and what comes next."""
    if not case.reads_image(place):
        return 0
    layer, placed = case.network.layers[place], case.plan.layers[place]
    window = 1
    if layer.kind != "fc":
        pixels = math.prod(layer.in_sides)
        window = max(window_of_block(case, place, cnt, pixels) for cnt in range(placed.blocks))
    return (window + most_arriving(layer, placed.copies)) * layer.in_channels


def window_of_block(case: Case, place: int, cnt: int, pixels: int) -> int:
    """Return how many of a provider's pixels lie from the first to the last that a block needs.

    The published code looks at the copies of one macro, and takes the difference, not the count.
    """
    layer, placed = case.network.layers[place], case.plan.layers[place]
    start = cnt * placed.copies
    if not case.rules.send_once:
        last = published_last(layer, start + placed.most_copies)
        return last - published_first(layer, start)
    end = min(layer.pixels, start + placed.copies) - 1
    last = min(pixels, last_needed(layer, case.rules)[end])
    return last - min(pixels, first_of_block(case, place, cnt)) + 1


def first_of_block(case: Case, place: int, cnt: int) -> int:
    """Return the first pixel (from 1) that a block or a later one needs; blocks may be empty."""
    layer = case.network.layers[place]
    if layer.kind == "fc":
        return 1
    return first_needed(layer)[min(layer.pixels - 1, cnt * case.plan.layers[place].copies)]


def most_waiting(case: Case, trace: Trace, place: int) -> float:
    """Return the most output elements of a layer that wait for its readers (strict rules).

    A pixel is there from the start of its store, and may go when every reader has begun to load a
    block that needs neither it nor an earlier one; loads of the same step count. In a stream the
    next image follows behind the last pixel. What nobody reads waits until it is off the chip.
    """
    layer = case.network.layers[place]
    readers = [one for one, reader in enumerate(case.network.layers) if place in reader.providers]
    sent: list[int] = []
    here = {case.plan.layers[place].merge_macro}
    away = [one for one in readers if set(case.plan.layers[one].macros) != here]
    readers = [one for one in readers if one not in away]
    if away or not readers:
        flow = trace.dataflow.layers[place]
        last = len(flow.operations) - 1
        sent = [trace.end(Node(place, cnt, last, 0)) for cnt in range(flow.blocks)]
    return float(most_pixels(case, trace, place, readers, sent) * layer.out_channels)


def rings_of(case: Case, trace: Trace, place: int) -> list[int]:
    """Return the most elements in the ring of each provider, in each macro of a layer."""
    return [
        most_pixels(case, trace, provider, [place], []) * case.network.layers[provider].out_channels
        for provider in case.network.layers[place].providers
        if set(case.plan.layers[place].macros) != {case.plan.layers[provider].merge_macro}
    ]


def most_pixels(case: Case, trace: Trace, place: int, readers: list[int], sent: list[int]) -> int:
    """Return the most pixels of a layer that some readers, or their send, still need at a store.

    sent: when each block is sent; empty: it is not
    """
    layer, copies = case.network.layers[place], case.plan.layers[place].copies
    blocks = case.dataflow.layers[place].blocks
    loads = {reader: trace.steps_of(reader, "load") for reader in readers}
    most = 0
    for cnt, now in enumerate(trace.steps_of(place, "store") if readers or sent else []):
        image, block = divmod(cnt, blocks)
        stored = image * layer.pixels + min(layer.pixels, (block + 1) * copies)
        needed = [
            oldest_needed(case, trace, (place, reader), loads[reader], now) for reader in readers
        ]
        if sent:
            image, block = divmod(sum(end <= now for end in sent), blocks)
            needed.append(image * layer.pixels + min(layer.pixels, block * copies) + 1)
        most = max(most, stored - min(needed) + 1)
    return most


def oldest_needed(
    case: Case, trace: Trace, edge: tuple[int, int], loads: list[int], now: int
) -> int:
    """Return the first pixel of a layer (from 1, on through all images) that a reader needs still.

    When it is through with an image, and another comes, it needs no more of that.

    edge: layer and reader; loads: when each block of the reader loads
    """
    place, reader = edge
    pixels, flow = case.network.layers[place].pixels, case.dataflow.layers[reader]
    begun = sum(step <= now for step in loads)
    if begun == 0:
        return 1
    image, block = divmod(begun - 1, flow.blocks)
    last = Node(reader, begun - 1, len(flow.operations) - 1, 0)
    if block + 1 == flow.blocks and begun < len(loads) and trace.end(last) <= now:
        return (image + 1) * pixels + 1
    return image * pixels + min(pixels, first_of_block(case, reader, block))


def published_outputs(case: Case, trace: Trace) -> list[float]:
    """Return, for each layer, the most output elements that wait, as the published code has it.

    Whoever loaded or stored last says what is still needed of its providers, and stores come after
    later loads; pixels behind the last one count; what nobody reads stays.
    """
    layers = case.network.layers
    needed, stored, most = ([0] * len(layers) for _ in range(3))
    for node in trace.starts:
        operation = case.dataflow.operation(node)
        if operation.ir not in ("load", "store"):
            continue
        layer, placed = layers[node.layer], case.plan.layers[node.layer]
        for provider in layer.providers:
            needed[provider] = published_first(layer, node.cnt * placed.copies)
            most[provider] = max(most[provider], stored[provider] - needed[provider])
        if operation.ir == "store":
            stored[node.layer] = (node.cnt + 1) * placed.copies
            most[node.layer] = max(most[node.layer], stored[node.layer] - needed[node.layer])
    return [float(pixels * layer.out_channels) for pixels, layer in zip(most, layers, strict=True)]


def published_first(layer: CrossbarLayer, pixel: int) -> int:
    """Return the first pixel that a block behind output pixel `pixel` (from 1) still needs.

    The published code takes the window of the pixel before the block; at the beginning, of the last
    pixel of the first row.
    """
    if layer.kind == "fc":
        return 0
    if layer.kind == "eltwise":
        return pixel
    row, column = divmod(pixel - 1 if pixel > 0 else layer.out_side - 1, layer.out_side)
    first_row = row * layer.stride + 1 - layer.padding
    first_column = max(0, column * layer.stride + 1 - layer.padding)
    return (first_row - 1) * layer.in_side + first_column if first_row > 0 else 0


def published_last(layer: CrossbarLayer, pixel: int) -> int:
    """Return the last pixel that output pixel `pixel` (from 1) needs, also behind the last one."""
    if layer.kind == "eltwise":
        return pixel
    row, column = divmod(pixel - 1, layer.out_side)
    reach = layer.kernel - layer.padding
    last_row = min(layer.in_side, row * layer.stride + reach)
    last_column = min(layer.in_side, column * layer.stride + reach)
    return (last_row - 1) * layer.in_side + last_column
