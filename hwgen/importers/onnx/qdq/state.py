"""The graph that a reader fills: maps, nodes, and how tensors become maps.

Tests: `tests/importers/onnx/test_quantized.py`.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import onnx

from hwgen.importers.integer import Node, Note, QuantizedMap, raw_sums
from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.constants import Operand
from hwgen.importers.integer.graph import BIAS_NOTE
from hwgen.importers.integer.maps import quantized_map
from hwgen.importers.integer.moves import ZERO, Places, lines_of, moving_nodes, view_node
from hwgen.importers.integer.refused import RefusedError, advice
from hwgen.importers.onnx.check import node_name
from hwgen.importers.onnx.qdq.joining import nodes_of_sequences
from hwgen.importers.onnx.qdq.values import (
    Image,
    ImageParts,
    Layout,
    Numbers,
    Operation,
    Real,
    Reals,
    Step,
    Value,
)
from hwgen.importers.onnx.qdq.weights import STEP_TOLERANCE, scaled_weights
from hwgen.importers.onnx.qdq.wide_sums import wide_sum

Shape = tuple[int, int, int]
RAW_BITS = {True: 32, False: 64}
NARROW_BITS = 17
BYTE_BITS, BYTE = 8, 255
LARGEST = 1 << 26
"""Elements of a map at most."""
TURN_NOTE = "what it joins has another scale in front, and is rounded"
SUMS = (
    "is sums with a scale for each channel: multiply each by its weight_scale before you compare"
    " channels; hwgen does so where it names classes"
)
NO_IMAGE = Image(places=np.zeros(0, np.int64))


def quantized() -> str:
    """Return what is allowed where a map lacks numbers."""
    more = advice("; --calibrate adds what lacks")
    return f"quantized (a QuantizeLinear and a DequantizeLinear before it{more})"


@dataclass(kw_only=True)
class State:
    """A reading under way.

    opset: of the model; source: its path, for messages
    refine: returns a map with what the notes of the file say besides, by the tensor of the map
    values: by name of the tensor
    grids: scale and zero point of each map as the file has them
    place: of the node that is read, for messages
    batch: images in the tensors of the file; computed: elements that were computed of constants
    unknown_constants: some are not computed here, and may be of any size
    image_name: of the input of the model; layout: of its axes, None before it is known
    given: the image there
    input: name of the quantized image, empty before it is known; image: before its quantization
    image_shape: rows, columns, channels; image_type: where the image comes as integers
    endings: tensors behind which no layer stands
    order: of the elements of the answer; None: that of its map
    behind: sentences, what the host does behind the chip; remarks: of what one should know
    causal: tensors of softmaxes in front of which a causal mask stood
    parts: of an image whose channels are quantized apart
    readers: of each tensor, how many inputs of nodes and outputs of the file read it
    stacked: maps that lie one behind the other in a map, each of a sequence
    whole: functions at the ends are kept, of which a network else answers the order alone
    """

    opset: int
    source: str
    refine: Callable[[str, QuantizedMap, bool], QuantizedMap]
    values: dict[str, Value] = field(default_factory=dict)
    maps: dict[str, QuantizedMap] = field(default_factory=dict)
    grids: dict[str, Numbers] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    place: str = ""
    batch: int = 1
    computed: int = 0
    unknown_constants: bool = False
    input: str = ""
    image_shape: Shape = (1, 1, 1)
    image_type: np.dtype[Any] | None = None
    image_name: str = ""
    layout: Layout | None = None
    given: Image = NO_IMAGE
    image: Image = NO_IMAGE
    endings: frozenset[str] = frozenset()
    order: Places | None = None
    behind: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    causal: frozenset[str] = frozenset()
    parts: ImageParts = field(default_factory=ImageParts)
    readers: Counter[str] = field(default_factory=Counter)
    stacked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    whole: bool = False

    def places(self, shape: Shape) -> Places:
        """Return the places of a map as (batch, rows, columns, channels)."""
        sides = (self.batch, *shape)
        elements = math.prod(sides)
        if elements > LARGEST:
            raise RefusedError("a map", f"of at most {LARGEST} elements", elements)
        return np.arange(elements, dtype=np.int64).reshape(sides)

    def planes(self, shape: Shape) -> Places:
        """Return the places of a map as (batch, channels, rows, columns)."""
        return self.places(shape).transpose(0, 3, 1, 2)

    def shape_of(self, real: Real) -> Shape:
        """Return rows, columns and channels of what a tensor comes from."""
        if isinstance(real.base, Operation):
            return real.base.shape
        return self.maps[real.base].shape

    def emit(self, node: Node, output: QuantizedMap, like: str | None = None) -> str:
        """Append a node and its map; like: a map with the same numbers in the file."""
        self.nodes.append(node)
        self.maps[node.output] = output
        if like is not None and like in self.grids:
            self.grids[node.output] = self.grids[like]
        return node.output

    def settled(self, real: Real, reader: onnx.NodeProto) -> Real:
        """Return a tensor whose base is a map and to which only rearranging is done.

        What moves or clips integers is exact without another quantization; all else is refused.
        """
        base = real.base
        if isinstance(base, Operation):
            if base.kind not in (ir.MaxPooling, ir.Concatenation) or not self.alike(base.inputs):
                given = f"real numbers of node {base.name} ({base.operator})"
                raise RefusedError(f"what {node_name(reader)} reads", quantized(), given)
            same = self.maps[base.inputs[0]]
            made = self.finish(
                real, replace(same, shape=base.shape), base.tensor, like=base.inputs[0]
            )
            return made
        if real.plain:
            return real
        if real.function is not None or real.factor is not None or real.offset is not None:
            step = last_step(real)
            given = f"real numbers of node {step.name} ({step.operator})"
            raise RefusedError(f"what {node_name(reader)} reads", quantized(), given)
        output = self.new_name(f"{node_name(reader)}/{base}/clipped")
        return self.finish(real, self.maps[base], output, like=base)

    def new_name(self, wanted: str) -> str:
        """Return a name that no map has; a node may read two parts of one map."""
        name, count = wanted, 1
        while name in self.maps:
            count += 1
            name = f"{wanted}/{count}"
        return name

    def alike(self, names: tuple[str, ...]) -> bool:
        """Return whether maps have the same numbers."""
        return len({self.maps[name].same_numbers for name in names}) == 1

    def planar(self, real: Real, reader: onnx.NodeProto) -> str:
        """Return the map whose (channels, rows, columns) are those of a tensor of rank 2 to 4."""
        places = real.places
        if not 2 <= places.ndim <= 4:
            raise RefusedError("the rank of its input", "from 2 to 4", places.ndim)
        places = places.reshape(*places.shape, *(1,) * (4 - places.ndim))
        return self.arranged(replace(real, places=places.transpose(0, 2, 3, 1)), reader)

    def arranged(self, real: Real, reader: onnx.NodeProto, output: str = "") -> str:
        """Return the map whose rows, columns and channels are those of a tensor."""
        if real.places.shape[0] != self.batch:
            allowed = f"with the batch of {self.batch} in front"
            raise RefusedError("its input", allowed, list(real.places.shape))
        real = self.settled(real, reader)
        base, places = str(real.base), real.places
        values = self.maps[base]
        shape: Shape = (places.shape[1], places.shape[2], places.shape[3])
        name = output or self.new_name(f"{node_name(reader)}/{base}/arranged")
        step = next((each for each in real.trail if each.moves), None)
        about = {
            "source": base,
            "output": name,
            "name": step.name if step else node_name(reader),
            "operator": step.operator if step else reader.op_type,
        }
        if np.array_equal(places.reshape(-1), np.arange(places.size)) and places.size == (
            self.batch * values.shape[0] * values.shape[1] * values.shape[2]
        ):
            if shape == values.shape and not output:
                return base
            return self.emit(view_node(**about), values.reshaped(shape), like=base)
        first = self.first_of(places, values.shape)
        try:
            moved = moved_in_sequence(first, values.shape, about)
        except RefusedError as error:
            raise error.of(about["name"], about["operator"]) from None
        for node, made in moved:
            self.emit(node, values.reshaped(made), like=base)
        return name

    def in_lines(self, real: Real, places: Places) -> bool:
        """Return whether places (batch, rows, columns, channels) are those of a tensor's map."""
        shape = self.shape_of(real)
        try:
            lines_of(self.first_of(places, shape), shape)
        except RefusedError:
            return False
        return True

    def part(self, real: Real, reader: onnx.NodeProto) -> Real:
        """Return a tensor of some channels of a map, or of some pixels, as one of their own map."""
        base, sides = str(real.base), self.shape_of(real)
        first = self.first_of(self.by_images(real.places), sides).reshape(-1)
        chosen = np.unique(first)
        pixels, channels = (np.unique(each) for each in np.divmod(chosen, sides[2]))
        if first.size != chosen.size or chosen.size != pixels.size * channels.size:
            raise RefusedError("what it selects", "whole channels or pixels, each once", "others")
        whole = pixels.size == sides[0] * sides[1]
        shape: Shape = (*(sides[:2] if whole else (pixels.size, 1)), channels.size)
        images = np.arange(self.batch).reshape(-1, 1, 1, 1) * math.prod(sides)
        moved = Real(base=base, places=chosen.reshape(shape) + images, trail=real.trail)
        name = self.arranged(moved, reader)
        steps = np.arange(self.batch)[:, np.newaxis] * chosen.size
        places = np.searchsorted(chosen, first) + steps
        return replace(
            real,
            base=name,
            places=places.reshape(real.places.shape),
            factor=None if real.factor is None else real.factor[channels],
            offset=None if real.offset is None else real.offset[channels],
        )

    def by_images(self, places: Places) -> Places:
        """Return places with the batch in front, of rows that stand for images and what is in them.

        Layers on a sequence have its pixels in rows: images x steps rows of channels.
        """
        if places.shape[0] == self.batch or places.shape[0] % self.batch:
            return places
        return places.reshape(self.batch, -1, *places.shape[1:])

    def first_of(self, places: Places, shape: Shape) -> Places:
        """Return the places of one image; every image of the batch must have the same."""
        size = shape[0] * shape[1] * shape[2]
        first: Places = places[0]
        for count, part in enumerate(places):
            if not np.array_equal(np.where(part == ZERO, part, part - count * size), first):
                raise RefusedError("the images of a batch", "apart from each other", "mixed")
        return first

    def finish(
        self, real: Real, output: QuantizedMap, name: str, *, like: str | None = None
    ) -> Real:
        """Append the node of a tensor that is quantized here; return the integer map.

        output: with the shape of the base; name: of the new map
        """
        if real.low is not None or real.high is not None:
            output = output.clipped(real.low, real.high)
        if isinstance(real.base, Operation) and real.base.kind is ir.MaxPooling:
            output = output.within(self.maps[real.base.inputs[0]])
        if isinstance(real.base, Operation) and "sums" in real.base.keys:
            real = self.with_sums(real, real.base, output, name)
        moving = isinstance(real.base, Operation) and real.base.kind in (
            ir.MaxPooling,
            ir.Concatenation,
            ir.Lookup,
        )
        output = self.refine(name, output, moving or real.function is not None)
        node = self.node_of(real, output, name)
        if isinstance(real.base, Operation) and real.base.sequences:
            self.emit_sequences(real.base, node, output, like)
        else:
            self.emit(node, output, like)
        return Real(base=name, places=real.places, integer=real.integer)

    def emit_sequences(
        self, base: Operation, node: Node, output: QuantizedMap, like: str | None
    ) -> None:
        """Append what computes an operation sequence by sequence; node: of the first of them."""
        parts, joining = nodes_of_sequences(base, node, self.maps, output.shape)
        for each, shape in (*parts, *joining):
            if isinstance(each, ir.ConstantMap):
                ones = quantized_map(shape, signed=False, scale=1.0, zero_point=0)
                self.emit(each, ones)
            else:
                self.emit(each, output.reshaped(shape), like or node.output)
        if base.order is None:
            self.stacked[node.output] = tuple(part.output for part, _ in parts)

    def with_sums(self, real: Real, base: Operation, output: QuantizedMap, name: str) -> Real:
        """Return the sum of a map and of sums: one layer where that is exact, else two.

        The sums of two are quantized to 8 bits first. Their range is what the answer can show:
        beyond it the sum is clipped whatever is added.
        """
        keys = dict(base.keys)
        sums, other = keys.pop("sums"), self.maps[base.inputs[0]]
        if (one := self.in_one(sums, replace(base, tensor=name))) is not None:
            layer, note = one
            self.notes.append(replace(note, steps=note.steps / output.scale))
            return replace(real, base=layer)
        sums_gain, gain = keys["gains"]
        added = sorted(gain * each for each in other.real_range)
        low, high = output.real_range
        ends = sorted(each / sums_gain for each in (low - added[1], high - added[0]))
        scale = (ends[1] - ends[0]) / BYTE
        numbers = Numbers(
            bits=8, signed=False, scale=scale, zero_point=min(max(round(-ends[0] / scale), 0), BYTE)
        )
        made = self.finish(sums, numbers.map(base.shape), f"{name}/sums")
        what = "the sums that it adds are rounded first"
        effect = scale / output.scale / 2
        note = Note(node=base.name, what=what, steps=effect, operator=base.operator)
        self.notes.append(note)
        return replace(real, base=replace(base, inputs=(str(made.base), *base.inputs), keys=keys))

    def in_one(self, sums: Real, base: Operation) -> tuple[Operation, Note] | None:
        """Return the sum of sums and a map as one layer, if the sums are of a vector of bytes."""
        product = sums.base
        assert isinstance(product, Operation)
        added, source = (self.maps[each.inputs[0]] for each in (base, product))
        other = source.shape[:2] != (1, 1) or max(added.bits, source.bits) > BYTE_BITS
        if product.kind is not ir.FullyConnected or other:
            return None
        factor, offset = self.affine(sums)
        weights, _ = scaled_weights(product.keys["stored"], source.scale, factor, offset)
        return wide_sum(base, product, weights, self.maps, self.emit)

    def node_of(self, real: Real, output: QuantizedMap, name: str) -> Node:
        """Return the node of a tensor that is quantized."""
        base = real.base
        if isinstance(base, Operation):
            if real.function is not None:
                given = f"real numbers of node {base.name} ({base.operator})"
                raise RefusedError(f"what {last_step(real).name} reads", quantized(), given)
            return self.operation_node(base, real, output, name)
        step = last_step(real)
        common: dict[str, Any] = {
            "name": step.name,
            "operator": step.operator,
            "inputs": (base,),
            "output": name,
        }
        if real.function is not None:
            return ir.Lookup(**common, function=real.function)
        gain, narrow = gain_of(real), max(self.maps[base].bits, output.bits) <= BYTE_BITS
        operand = operand_of(real, output) if narrow else None
        if gain is not None and gain >= 0 and operand is None:
            return ir.Requantization(**common, gain=gain)
        factor, offset = self.affine(real)
        uniform = len(np.unique(factor)) == 1 and len(np.unique(offset)) == 1
        if uniform and narrow:
            one, added = float(factor[0]), float(offset[0])
            steps = None if operand is None else operand.table
            return ir.Lookup(**common, function=lambda x: x * one + added, steps=steps)
        return ir.PerChannel(**common, factor=factor, offset=offset, operand=operand)

    def affine(self, real: Real) -> tuple[Reals, Reals]:
        """Return factor and offset of each channel."""
        channels = self.shape_of(real)[2]
        factor = np.ones(channels) if real.factor is None else real.factor
        offset = np.zeros(channels) if real.offset is None else real.offset
        return factor, offset

    def operation_node(self, base: Operation, real: Real, output: QuantizedMap, name: str) -> Node:
        """Return the node of an operation with what follows it."""
        common = {
            "name": base.name,
            "operator": base.operator,
            "inputs": base.inputs,
            "output": name,
        }
        if base.kind in (ir.Convolution, ir.FullyConnected):
            factor, offset = self.affine(real)
            source = self.maps[base.inputs[0]]
            keys = dict(base.keys)
            if keys.pop("turns", False) and output.scale != source.scale:
                note = Note(node=base.name, what=TURN_NOTE, steps=1.0, operator=base.operator)
                self.notes.append(note)
            weights, steps = scaled_weights(keys.pop("stored"), source.scale, factor, offset)
            effect = 0.0
            if output.raw:
                effect = steps if steps > STEP_TOLERANCE else 0.0
            elif weights.rest is None:
                effect = steps * source.scale * float(weights.scales.max()) / output.scale
            if effect > 0:
                note = Note(node=base.name, what=BIAS_NOTE, steps=effect, operator=base.operator)
                self.notes.append(note)
            node: Node = base.kind(**common, weights=weights, **keys)
            return node
        gain = gain_of(real)
        if gain is None:
            given = "constants that are added or differ by channel"
            raise RefusedError(f"what follows {base.name}", "one factor, then a range", given)
        keys = dict(base.keys)
        if gain != 1:
            if "gains" in keys:
                keys["gains"] = tuple(gain * each for each in keys["gains"])
            elif "gain" not in {each.name for each in fields(base.kind)}:
                raise RefusedError(f"what follows {base.name}", quantized(), "a factor")
            else:
                keys["gain"] = gain
        made: Node = base.kind(**common, **keys)
        return made

    def raw(self, real: Real, tensor: str) -> Real:
        """Append the raw sums of a layer with weights, the answer of the network."""
        base = real.base
        if not isinstance(base, Operation) or base.kind not in (ir.Convolution, ir.FullyConnected):
            raise RefusedError("an output", "quantized, or sums of a Conv, Gemm or MatMul", "other")
        if real.low is not None or real.high is not None or real.function is not None:
            raise RefusedError("an output", "quantized, or without activation", "neither")
        stored = base.keys["stored"]
        factor, _ = self.affine(real)
        source = self.maps[base.inputs[0]]
        narrow = source.bits + stored.bits_needed <= NARROW_BITS
        if len(np.unique(stored.scales * np.abs(factor))) > 1:
            self.behind.append(f"the answer {base.tensor} {SUMS}")
        scale = source.scale * float(stored.scales[0]) * abs(float(factor[0]))
        return self.finish(real, raw_sums(base.shape, scale=scale, bits=RAW_BITS[narrow]), tensor)


def moved_in_sequence(
    places: Places, shape: Shape, about: dict[str, str]
) -> list[tuple[Node, Shape]]:
    """Return the nodes that rearrange a map, its pixels in one column where rows are in the way."""
    try:
        return moving_nodes(places, shape=shape, **about)
    except RefusedError:
        column = (shape[0] * shape[1], 1, shape[2])
        if column == shape:
            raise
        name = f"{about['output']}/column"
        moved = moving_nodes(places, shape=column, **{**about, "source": name})
        return [(view_node(**{**about, "output": name}), column), *moved]


def gain_of(real: Real) -> float | None:
    """Return the factor of all channels; None if channels differ or something is added."""
    if real.offset is not None and real.offset.any():
        return None
    if real.factor is None:
        return 1.0
    return float(real.factor[0]) if (real.factor == real.factor[0]).all() else None


def gained(real: Real) -> tuple[float, Real]:
    """Return the constant factor of a map, and the map without it."""
    gain = gain_of(real)
    bounded = real.low is not None or real.high is not None
    if isinstance(real.base, Operation) or real.function is not None or bounded or gain is None:
        return 1.0, real
    return gain, replace(real, factor=None, offset=None)


def operand_of(real: Real, output: QuantizedMap) -> Operand | None:
    """Return the constant of a sum or product of integers in front of a QuantizeLinear, if any.

    Behind a Relu or Clip only where the quantization makes that idle.
    """
    for step in reversed(real.trail[:-1]):
        if step.operand is not None or step.operator not in ("Clip", "Relu") or not output.whole:
            return step.operand
    return None


def last_step(real: Real) -> Step:
    """Return the node that names what is done to a map: the first that computes, else any."""
    computing = [step for step in real.trail if not step.moves]
    named = [step for step in computing if step.operator != "QuantizeLinear"]
    return (named or computing[::-1] or list(real.trail))[0]
