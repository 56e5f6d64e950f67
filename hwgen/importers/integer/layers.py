"""Make the layers of a quantized network one by one: names, maps, arrays, notes.

Tests: `tests/importers/integer/test_lower.py`.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hwgen.importers.integer.arithmetic import Kernels, Scaling, rescaling
from hwgen.importers.integer.constants import whole
from hwgen.importers.integer.graph import Difference, IntegerGraph, Note
from hwgen.importers.integer.maps import QuantizedMap
from hwgen.importers.integer.nodes import ConstantMap, Node
from hwgen.network import INPUT, Layer, Parameters, Requantization, Table
from hwgen.network import Rescale as RescaleLayer
from hwgen.network.maps import BYTE_BITS
from hwgen.network.shared import SharedArrays

FACTOR_NOTE = "its factor is rounded"
TABLE_ENTRIES = 256
FORBIDDEN = re.compile(r"[^A-Za-z0-9_.-]")

ADDED: dict[type[Any], Callable[["Layers", Any], None]] = {}
"""What adds the layers of each kind of node: the functions that `adds` marks."""
Adding = TypeVar("Adding", bound=Callable[..., None])


def adds(*kinds: type[Any]) -> Callable[[Adding], Adding]:
    """Return a decorator of what adds the layers of some kinds of nodes."""

    def kept(function: Adding) -> Adding:
        ADDED.update(dict.fromkeys(kinds, function))
        return function

    return kept


@dataclass(kw_only=True)
class Layers:
    """The layers made so far.

    graph: what is lowered
    kernels: whose arithmetic the layers compute
    names: name of a layer by the name of the map of the graph that it writes
    shared: arrays so far, of which equal ones are one
    """

    graph: IntegerGraph
    kernels: Kernels
    names: dict[str, str]
    layers: list[Layer] = field(default_factory=list)
    parameters: dict[str, Parameters] = field(default_factory=dict)
    tables: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    held: dict[str, dict[str, NDArray[Any]]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    used: set[str] = field(default_factory=lambda: {INPUT})
    shared: SharedArrays = field(default_factory=SharedArrays)

    def name_for(self, wanted: str) -> str:
        """Return a new name for a layer, from a name of the file."""
        base = FORBIDDEN.sub("_", wanted) or "layer"
        name, count = base, 1
        while name in self.used:
            count += 1
            name = f"{base}_{count}"
        self.used.add(name)
        return name

    def sources(self, node: Node) -> list[QuantizedMap]:
        """Return the maps that a node reads."""
        return [self.graph.maps[name] for name in node.inputs]

    def output(self, node: Node) -> QuantizedMap:
        """Return the map that a node writes."""
        return self.graph.maps[node.output]

    def inputs(self, node: Node) -> tuple[str, ...]:
        """Return the names of the layers that a node reads."""
        return tuple(self.names[name] for name in node.inputs)

    def base(self, node: Node, output: QuantizedMap, inputs: tuple[str, ...]) -> dict[str, Any]:
        """Return what every layer has, and make it the writer of the node's output."""
        name = self.name_for(node.name)
        self.names[node.output] = name
        return {
            "name": name,
            "inputs": inputs,
            "output": output.feature_map(),
            "source": node.output,
        }

    def note(self, node: Node, what: str, steps: float) -> None:
        """Note what a layer does not hold exactly, unless it does."""
        if steps > 0:
            note = Note(node=node.name, what=what, steps=float(steps), operator=node.operator)
            self.notes.append(note)

    def present(self, node: Node) -> list[NDArray[np.int64] | None]:
        """Return of each map that a node reads the integers that a constant has; None: every one.

        Without sign: a session turns signed bytes into unsigned ones.
        """
        writers = [self.graph.writer(name) for name in node.inputs]
        return [
            np.unique(each.integers).astype(np.int64) + self.graph.maps[each.output].offset
            if isinstance(each, ConstantMap)
            else None
            for each in writers
        ]

    def pairs_differ(self, node: Node, count: int) -> None:
        """Say how many pairs of elements of two maps have another result in the runtime, if any."""
        if not count:
            return
        pairs = math.prod(
            1 << source.bits if present is None else len(present)
            for source, present in zip(self.sources(node), self.present(node), strict=True)
        )
        what = f"node {node.name}, in {count:,} of all {pairs:,} pairs of elements"
        difference = Difference(operator=node.operator, nodes=1, what=what, steps=1)
        self.differences.append(difference)

    def add_table(self, node: Node, results: NDArray[np.int64]) -> None:
        """Add the table of a node; results: integers of its output for all of its input's range."""
        source, output = self.sources(node)[0], self.output(node)
        base = self.base(node, output, self.inputs(node))
        self.layers.append(Table(op="table", **base))
        entries = whole(results, source)
        table = np.zeros((1, TABLE_ENTRIES), np.uint8)
        table[0, : len(entries)] = entries + output.offset
        self.tables[base["name"]] = table

    def results_differ(self, node: Node, count: int, everything: int) -> None:
        """Say how many results of a map and constants the runtime has otherwise, if any."""
        if count:
            what = f"node {node.name}, in {count:,} of all {everything:,} results"
            difference = Difference(operator=node.operator, nodes=1, what=what, steps=1)
            self.differences.append(difference)

    def sums_differ(self, node: Node, count: int) -> None:
        """Say how many sums of a mean the runtime rounds to another step, if any."""
        if count:
            what = f"node {node.name}, in {count:,} of all sums of its window, beside halves"
            difference = Difference(operator=node.operator, nodes=1, what=what, steps=1)
            self.differences.append(difference)

    def growth_differs(self, node: Node) -> None:
        """Say that onnxruntime computes linear means of a growth in float32."""
        what = f"node {node.name}, whose means are float32 there and go up at halves here"
        self.differences.append(Difference(operator=node.operator, nodes=1, what=what, steps=1))

    def moved(
        self, node: Node, make: Any, source: QuantizedMap, inputs: tuple[str, ...], **keys: Any
    ) -> None:
        """Add a layer that moves integers, and a rescaling where the output is quantized anew."""
        output = self.output(node)
        if output.holds(source):
            self.layers.append(make(**self.base(node, output, inputs), **keys))
            return
        between = replace(source, shape=output.shape)
        base = self.base(node, between, inputs)
        self.layers.append(make(**{**base, "source": ""}, **keys))
        self.rescale(node, between, base["name"])

    def rescale(self, node: Node, source: QuantizedMap, name: str) -> None:
        """Add the rescaling of a layer's map to the output of a node."""
        output = self.output(node)
        self.add_rescaling(node, self.base(node, output, (name,)), source, output)

    def add_rescaling(
        self,
        node: Node,
        base: dict[str, Any],
        source: QuantizedMap,
        output: QuantizedMap,
        *,
        gain: float = 1.0,
    ) -> None:
        """Add a layer with another quantization: a rescaling, or the table of a runtime.

        onnxruntime divides by the scale of the output; where no factor does the same, a table does.
        """
        scaling = self.scaling(source, output, gain=gain)
        given = scaling.requantization
        if scaling.rounding == "float32":
            integers, divided = divided_by_scale(source, output, gain)
            if (divided != multiplied(integers, given, output)).any():
                self.layers.append(Table(op="table", **base))
                table = np.zeros((1, TABLE_ENTRIES), np.uint8)
                table[0, : len(divided)] = divided + output.offset
                self.tables[base["name"]] = table
                return
        layer = RescaleLayer(
            op="rescale", requantization=(given,), rounding=scaling.rounding, **base
        )
        self.layers.append(layer)
        self.note(node, FACTOR_NOTE, scaling.error * source.reach)

    def scaling(self, source: QuantizedMap, output: QuantizedMap, *, gain: float = 1.0) -> Scaling:
        """Return how elements of a map times a gain become those of another."""
        return rescaling(self.kernels_for(source, output), source, output, gain=gain)

    def kernels_for(self, *maps: QuantizedMap) -> Kernels:
        """Return whose arithmetic a layer between maps computes; beyond bytes every sum goes up."""
        return self.kernels if all(each.bits <= BYTE_BITS for each in maps) else "half_up"


def divided_by_scale(
    source: QuantizedMap, output: QuantizedMap, gain: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each integer of a map, centred, and what onnxruntime makes of it times a gain."""
    integers = np.arange(1 << source.bits) - source.offset - source.zero_point
    real = (integers.astype(np.float32) * np.float32(source.scale)).astype(np.float64) * gain
    divided = np.rint(real.astype(np.float32) / np.float32(output.scale)) + output.zero_point
    return integers, divided.clip(output.low, output.high).astype(np.int64)


def multiplied(
    integers: NDArray[np.int64], given: Requantization, output: QuantizedMap
) -> NDArray[np.int64]:
    """Return what a factor that rounds as float32 makes of centred integers."""
    factor = np.float32(given.multipliers[0] * 2.0**-given.shift)
    scaled = np.rint(integers.astype(np.float32) * factor) + output.zero_point
    clipped: NDArray[np.int64] = scaled.clip(output.low, output.high).astype(np.int64)
    return clipped
