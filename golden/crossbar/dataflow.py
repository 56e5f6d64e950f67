"""From a network and the choices of a synthesis to the graph of what is done, and after what.

Seed 003, Section IV-B: each layer becomes operations, repeated by computation block and by bit, and
dependencies between operations, blocks, bits and layers. Macros (Section IV-C) add what travels.
"""

from collections.abc import Iterator

from golden.crossbar.ir import Dataflow, LayerFlow, Operation
from golden.crossbar.results import reader_macros, result_macros
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.holdings import width_of
from hwgen.crossbar.facts.layout import (
    IMAGE_MACRO,
    Choice,
    Floorplan,
    Placement,
    check_rules,
    floorplan,
    is_activated,
    last_needed,
    most_arriving,
)
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import Rules, check_mixture


def compile_dataflow(
    network: CrossbarNetwork, components: Components, point: Point, rules: Rules, choice: Choice
) -> Dataflow:
    """Return the graph of a network on an accelerator; `rules` decide on groups and windows."""
    check_mixture(rules)
    check_rules(network, rules)
    plan = floorplan(network, components, point, rules, choice)
    slices = point.slices(components)
    layers = []
    for place, layer in enumerate(network.layers):
        placed = plan.layers[place]
        pushed = rules.send_once
        operations = [
            *([] if pushed else transfers(layer, placed, plan)),
            *(image_transfer(layer, placed) if rules.image_travels else ()),
            Operation(ir="load", vec_width=loaded(layer, placed, slices)),
            *calculations(layer, placed, width_of(point.side, pairs=point.pairs), slices),
        ]
        width = placed.copies * layer.out_channels
        sources = result_macros(layer, placed, point, slices, rules)
        first = rules.chain_before_activation and layer.has_weights
        if first and placed.chain_macros > 1:
            operations.append(Operation(ir="chain", macro_num=placed.chain_macros))
        if is_activated(network, layer, rules):
            activation = "relu" if layer.activation == "none" else layer.activation
            operations.append(Operation(ir="alu", aluop=activation, vec_width=width))
        if first and set(sources) - {placed.merge_macro}:
            operations.append(Operation(ir="gather", macro_num=len(sources)))
        share = width if first else placed.most_copies * layer.out_channels
        operations.append(Operation(ir="store", vec_width=share))
        if not first and any(plan.hops(macro, placed.merge_macro) for macro in placed.macros):
            macros = len(placed.macros)
            operations.append(Operation(ir="merge", vec_width=share, macro_num=macros))
        targets = reader_macros(network, plan, place)
        src = (placed.merge_macro,)
        if pushed and not targets:
            out = (IMAGE_MACRO,)
            operations.append(Operation(ir="result", vec_width=width, src=src, dst=out))
        elif pushed and set(targets) - {placed.merge_macro}:
            operations.append(Operation(ir="send", vec_width=width, src=src, dst=targets))
        layers.append(
            LayerFlow(
                name=layer.name,
                blocks=placed.blocks,
                operations=tuple(operations),
                needs=needs_of(network, layer, placed, plan, rules),
            )
        )
    return Dataflow(
        network=network.name,
        bits=point.bit_steps(components),
        layers=tuple(layers),
        registers=rules.registers,
    )


def transfers(layer: CrossbarLayer, placed: Placement, plan: Floorplan) -> list[Operation]:
    """Return the transfer of a layer's inputs, if any of them comes from another macro."""
    sources = [plan.layers[provider].merge_macro for provider in layer.providers]
    if not any(plan.hops(source, macro) for source in sources for macro in placed.macros):
        return []
    return [
        Operation(
            ir="transfer",
            vec_width=transferred(layer, placed),
            src=tuple(dict.fromkeys(sources)),
            dst=tuple(placed.macros),
        )
    ]


def image_transfer(layer: CrossbarLayer, placed: Placement) -> Iterator[Operation]:
    """Yield the transfer of the new pixels of the image, if a layer reads that."""
    if not layer.providers:
        width = most_arriving(layer, placed.copies) * layer.in_channels
        source, targets = (IMAGE_MACRO,), tuple(placed.macros)
        yield Operation(ir="transfer", vec_width=width, src=source, dst=targets)


def transferred(layer: CrossbarLayer, placed: Placement) -> int:
    """Return the elements that a block sends to one macro: new columns of the window, and more."""
    channels = -(-layer.in_channels // placed.row_shares)
    if layer.kind == "fc":
        return channels
    if layer.kind == "eltwise":
        return placed.copies * layer.out_channels
    if layer.kind == "pool":
        channels = layer.out_channels
    return (placed.most_copies * layer.strides[1] + layer.spans[1]) * channels


def loaded(layer: CrossbarLayer, placed: Placement, slices: int) -> int:
    """Return the elements that one macro reads for a block; each crossbar reads for itself."""
    if layer.has_weights:
        rows = -(-placed.rows // placed.row_shares)
        return rows * placed.most_copies * placed.column_tiles * slices
    return placed.copies * layer.out_channels * inputs_of(layer)


def inputs_of(layer: CrossbarLayer) -> int:
    """Return the elements that make one output of a layer without weights."""
    return layer.taps if layer.kind == "pool" else layer.operands


def calculations(
    layer: CrossbarLayer, placed: Placement, width: int, slices: int
) -> list[Operation]:
    """Return what turns inputs into outputs, activations excepted.

    width: columns of a crossbar that are converted, at most
    """
    outputs = placed.copies * layer.out_channels
    if not layer.has_weights:
        width = outputs * inputs_of(layer)
        return [Operation(ir="alu", aluop=layer.kind, vec_width=width)]
    crossbars = placed.copies * placed.crossbars
    columns = crossbars * width
    sums = outputs * placed.row_tiles * slices
    return [
        Operation(ir="mvm", per_bit=True, xb_num=crossbars),
        Operation(ir="adc", per_bit=True, vec_width=columns),
        Operation(ir="alu", aluop="shift_add", per_bit=True, vec_width=columns),
        Operation(ir="alu", aluop="addition", vec_width=sums),
    ]


def needs_of(
    network: CrossbarNetwork,
    layer: CrossbarLayer,
    placed: Placement,
    plan: Floorplan,
    rules: Rules,
) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Return, for each provider and block, the last block of the provider that must be done."""
    found = []
    for provider in layer.providers:
        source = plan.layers[provider]
        if layer.kind == "fc":
            blocks = [source.blocks - 1] * placed.blocks
        else:
            pixels = last_needed(layer, rules)
            ends = [min(layer.pixels, (cnt + 1) * placed.copies) for cnt in range(placed.blocks)]
            most = network.layers[provider].pixels
            blocks = [-(-min(pixels[end - 1], most) // source.copies) - 1 for end in ends]
        found.append((provider, tuple(blocks)))
    return tuple(found)
