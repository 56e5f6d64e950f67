"""Units: layers that one pass of the chip computes, with the addition that the DPU does on the way.

A convolution or a pooling whose map only an addition reads is never stored: the addition's other
input is its skip map. A shortcut of a stored map needs no pass: the skip map is read with strides.

Tests: `tests/mram/compiler/test_refused.py`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hwgen import network as net
from hwgen.errors import CompileError

Own = net.Conv | net.Linear | net.MaxPool | net.AveragePool | net.Rescale


@dataclass(frozen=True, kw_only=True)
class Skip:
    """The addition at the end of a unit.

    own: index of the unit's own value among the inputs of the addition
    source: stored map that is added; shortcut: through which it is read, if any
    """

    add: net.Add
    own: int
    source: str
    shortcut: net.Shortcut | None


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One pass over an output map.

    layer: with weights or a window; an addition alone takes its own value unchanged
    source: map that it reads; output: layer whose map it writes
    """

    layer: Own | net.Add
    source: str
    output: net.Layer
    skip: Skip | None

    @property
    def name(self) -> str:
        """The layer whose map it writes."""
        return self.output.name

    @property
    def weighted(self) -> net.Conv | net.Linear | None:
        """The layer with weights, if it has any."""
        return self.layer if isinstance(self.layer, net.Conv | net.Linear) else None

    @property
    def reads(self) -> tuple[str, ...]:
        """Maps that it reads."""
        return (self.source, self.skip.source) if self.skip else (self.source,)

    @property
    def fused(self) -> list[str]:
        """Layers whose maps are never stored."""
        names = [] if self.layer is self.output else [self.layer.name]
        if self.skip and self.skip.shortcut:
            names.append(self.skip.shortcut.name)
        return names


def units_of(network: net.QuantizedNetwork) -> list[Unit]:
    """Return the passes of a network in order; CompileError for a shortcut without an addition."""
    layers = {layer.name: layer for layer in network.layers}
    readers = Counter(name for layer in network.layers for name in layer.inputs)
    skips: dict[str, Skip] = {}
    fused: dict[str, Own] = {}
    for layer in network.layers:
        if isinstance(layer, net.Add):
            skip, producer = fusion(layer, layers, readers, network.graph.outputs)
            skips[layer.name] = skip
            if producer is not None:
                fused[layer.name] = producer
    check_shortcuts(network, skips)
    inside = {each.name for each in fused.values()}
    found = []
    for layer in network.layers:
        if layer.name in inside or isinstance(layer, net.Shortcut):
            continue
        own: net.Layer = fused.get(layer.name) or layer
        if not isinstance(own, Own | net.Add):
            raise TypeError(f"layer {layer.name} is no pass")
        addition = skips.get(layer.name)
        source = own.inputs[addition.own if addition and own is layer else 0]
        found.append(Unit(layer=own, source=source, output=layer, skip=addition))
    return found


def unstored(network: net.QuantizedNetwork, program: object, arch: object) -> set[str]:
    """Return the layers that an addition takes in; no program and no chip changes them."""
    return {name for unit in units_of(network) for name in unit.fused}


def fusion(
    add: net.Add, layers: dict[str, net.Layer], readers: Counter[str], outputs: Sequence[str]
) -> tuple[Skip, Own | None]:
    """Return how an addition is done, and the layer that it is fused with, the later one first."""
    places = {name: number for number, name in enumerate(layers)}
    ways = sorted((0, 1), key=lambda own: places.get(add.inputs[own], -1), reverse=True)
    for own in ways:
        producer = layers.get(add.inputs[own])
        skip = skip_of(add, own, layers)
        alone = readers[add.inputs[own]] == 1 and add.inputs[own] not in outputs
        if isinstance(producer, Own) and alone and producer.inputs[0] != skip.source:
            return skip, producer
    for own in ways:
        skip = skip_of(add, own, layers)
        stored = not isinstance(layers.get(add.inputs[own]), net.Shortcut)
        if stored and skip.source != add.inputs[own]:
            return skip, None
    raise CompileError(
        f"layer {add.name}: the maps of an addition must be two stored maps on an mram chip,"
        f" got {add.inputs[0]} and {add.inputs[1]}"
    )


def skip_of(add: net.Add, own: int, layers: dict[str, net.Layer]) -> Skip:
    """Return the addition whose input `own` is the unit's own value."""
    other = layers.get(add.inputs[1 - own])
    if isinstance(other, net.Shortcut):
        return Skip(add=add, own=own, source=other.inputs[0], shortcut=other)
    return Skip(add=add, own=own, source=add.inputs[1 - own], shortcut=None)


def check_shortcuts(network: net.QuantizedNetwork, skips: dict[str, Skip]) -> None:
    """Refuse a shortcut that another layer than an addition reads, or that reads a shortcut."""
    layers = {layer.name: layer for layer in network.layers}
    read_by = {skip.shortcut.name for skip in skips.values() if skip.shortcut}
    for layer in network.layers:
        if isinstance(layer, net.Shortcut) and (
            layer.name not in read_by or isinstance(layers.get(layer.inputs[0]), net.Shortcut)
        ):
            given = f"layer {layer.name} without one"
            raise CompileError(
                f"a shortcut must be an input of an addition on an mram chip, got {given}"
            )
        for name in layer.inputs:
            skip = skips.get(layer.name)
            through = skip.shortcut.name if skip and skip.shortcut else None
            if isinstance(layers.get(name), net.Shortcut) and name != through:
                raise CompileError(
                    "a shortcut must be an input of an addition on an mram chip,"
                    f" got {name} as input of layer {layer.name}"
                )
