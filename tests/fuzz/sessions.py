"""Drawn quantized networks whose answers must be those of a default session of onnxruntime.

`pairs` in a row, `biases` of any scale, files as Brevitas writes them, those `calibrated`,
`rewritten` ones (transposes, padding and pairs of unlike scales anywhere), `means` of any count,
`heads` for the host, operands that are `constants`, `older` opsets and operators, `sequences`,
`unsigned` weights, results on `halves`, and `states`.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from hwgen.commands.imports import ImportNetwork
from hwgen.errors import HwgenError
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.report.import_tables import judged_line
from hwgen.report.imports import ImportReport
from hwgen.report.plans import PlanReport
from tests.quantized_onnx import Model, saved

SIDE, INPUTS = 5, 20
IMAGES = 20


class Drawn(Model):
    """A model that draws its numbers; maps are (1, channels, rows, columns) or (1, channels).

    tensor, scale, channels: of the last map; flat: whether it has no rows and columns
    sides: rows and columns, or a length; per_filter: whether weights may have a scale a filter
    unsigned: whether they are uint8 with a zero point
    """

    def __init__(
        self,
        random: Random,
        *,
        flat: bool,
        sides: tuple[int, ...] = (SIDE, SIDE),
        opset: int = 17,
        behind: bool = False,
    ) -> None:
        """Begin a model; behind: the file's image has its channels last, and is turned at once."""
        self.random, self.flat, self.sides = random, flat, sides
        self.channels = INPUTS if flat else 3
        image = (1, self.channels) if flat else (1, self.channels, *sides)
        if behind:
            image = (1, *sides, self.channels)
        super().__init__(image, seed=random.randrange(1 << 30), opset=opset)
        self.tensor, self.scale, self.per_filter = "x", 1.0, opset >= 13
        self.unsigned = False
        if behind:
            self.tensor = self.node(
                "Transpose", "x", perm=[0, len(sides) + 1, *range(1, len(sides) + 1)]
            )

    def pair(
        self, *, signed: bool = False, bits: int = 8, centred: bool = False, same: bool = False
    ) -> None:
        """Quantize the last tensor; fewer bits: by a Clip of integers, as Brevitas does.

        same: by the scale of the last pair
        """
        kind = np.int8 if signed else np.uint8
        if not same:
            self.scale = float(np.float32(self.random.uniform(0.02, 0.1)))
        low = -(1 << bits - 1) if signed else 0
        zero = 0 if centred else self.random.randrange(1 << bits) + low
        grid = [self.constant(self.scale), self.constant(zero, kind)]
        now = self.node("QuantizeLinear", self.tensor, *grid)
        if bits < 8:
            ends = [self.constant(each, kind) for each in (low, low + (1 << bits) - 1)]
            now = self.node("Clip", now, *ends)
        self.tensor = self.node("DequantizeLinear", now, *grid)

    def layer(self, outputs: int, *, bits: int = 8, ratio: float = 1.0) -> str:
        """Return the sums of a convolution or Gemm; ratio: of the scale of its bias."""
        kernel = () if self.flat else (self.random.choice((1, 3)),) * len(self.sides)
        most = (1 << bits - 1) - 1
        shape = (outputs, self.channels, *kernel)
        filters = self.per_filter and self.random.random() < 0.6
        scales = self.rng.uniform(0.001, 0.006, outputs if filters else 1)
        integers, zero = self.rng.integers(-most, most + 1, shape), 0
        if self.unsigned:
            integers, zero = integers + 128, self.random.randrange(96, 160)
        weights = self.stored(integers, scales, np.uint8 if zero else np.int8, zero)
        bias = self.rng.integers(-2000, 2000, outputs)
        steps = np.float32(ratio * self.scale) * scales.astype(np.float32)
        inputs = [self.tensor, weights, self.stored(bias, steps, np.int32)]
        inputs = inputs if self.random.random() < 0.8 else inputs[:2]
        self.channels = outputs
        if self.flat:
            return self.node("Gemm", *inputs, transB=1)
        pads = [kernel[0] // 2] * (2 * len(kernel))
        return self.node("Conv", *inputs, pads=pads, kernel_shape=list(kernel))

    def stored(self, integers: Any, scales: Any, kind: Any, zero: int = 0) -> str:
        """Store integers behind a DequantizeLinear, with one scale or one a row."""
        one = len(scales) == 1
        zeros = zero if one else np.full(len(scales), zero)
        parts = [self.constant(scales[0] if one else scales), self.constant(zeros, kind)]
        axis = {} if one else {"axis": 0}
        return self.node("DequantizeLinear", self.constant(integers, kind), *parts, **axis)

    def linear(self, outputs: int) -> str:
        """Return the real numbers of a QLinear operator, in steps of their own."""
        kernel = () if self.flat else (self.random.choice((1, 3)),) * len(self.sides)
        grid = [self.constant(self.scale), self.constant(0, np.uint8)]
        given = [self.node("QuantizeLinear", self.tensor, *grid), *grid]
        shape = (self.channels, outputs) if self.flat else (outputs, self.channels, *kernel)
        weights = self.constant(self.rng.integers(-127, 128, shape), np.int8)
        given += [weights, self.constant(self.rng.uniform(0.001, 0.006)), self.constant(0, np.int8)]
        self.scale = float(np.float32(self.random.uniform(0.02, 0.1)))
        made = [self.constant(self.scale), self.constant(128, np.uint8)]
        self.channels = outputs
        if self.flat:
            now = self.node("QLinearMatMul", *given, *made)
        else:
            pads = [kernel[0] // 2] * (2 * len(kernel))
            bias = self.constant(self.rng.integers(-2000, 2000, outputs), np.int32)
            now = self.node("QLinearConv", *given, *made, bias, pads=pads)
        return self.node("DequantizeLinear", now, *made)

    def widths(self) -> list[int]:
        """Return the outputs of some layers."""
        return [self.random.randrange(1, 8) for _ in range(self.random.choice((1, 2, 3)))]


def pairs(model: Drawn) -> None:
    """One to three pairs behind each layer, sums and maxima between."""
    for outputs in (0, *model.widths()):
        if outputs:
            model.tensor = model.layer(outputs)
        for _ in range(model.random.choice((1, 2, 3))):
            model.pair()
            if model.random.random() < 0.1:
                model.tensor = model.node("Identity", model.tensor)
        before, width = model.tensor, model.channels
        if outputs and model.random.random() < 0.4:
            model.tensor = model.layer(width)
            model.pair()
            model.tensor = model.node("Add", model.tensor, before)
            model.pair()
        elif not model.flat and model.random.random() < 0.2:
            model.tensor = model.node("MaxPool", before, kernel_shape=[2, 2], pads=[1, 1, 0, 0])
            model.pair()


def biases(model: Drawn) -> None:
    """Biases whose scale is not that of the sums; the last layer may have no pair."""
    model.pair()
    for outputs in model.widths():
        ratio = model.random.choice((1.0, model.random.uniform(0.2, 5)))
        model.tensor = model.layer(outputs, ratio=ratio)
        if model.random.random() < 0.3:
            model.tensor = model.node("Relu", model.tensor)
        model.pair(centred=model.random.random() < 0.5)
    if model.random.random() < 0.3:
        model.tensor = model.layer(5, ratio=model.random.uniform(0.2, 5))


def brevitas(model: Drawn) -> None:
    """Maps and weights of few bits, a head of sums with a scale a channel."""
    bits = model.random.choice((3, 4, 8))
    model.pair(signed=True, centred=True)
    for outputs in model.widths():
        model.tensor = model.node("Relu", model.layer(outputs, bits=bits))
        model.pair(bits=bits, centred=True)
    model.tensor = model.layer(5, bits=bits)


TURNED = ([0, 2, 3, 1], [0, 3, 1, 2], [0, 3, 2, 1], [0, 1, 3, 2])
"""What a transpose makes of a map: channels last, and back, all sides turned, rows and columns."""


def rewritten(model: Drawn) -> None:
    """Layers whose neighbours a session moves, joins or removes."""
    random = model.random
    if model.flat:
        biases(model)
        return
    nearly = random.choice((1.0, random.uniform(0.98, 1.02), random.uniform(0.2, 5)))
    for outputs in (0, *model.widths()):
        if outputs:
            model.tensor = model.layer(outputs, ratio=nearly)
        if outputs and random.random() < 0.25:
            padded(model)
        model.pair()
        for _ in range(random.choice((0, 1, 2))):
            moved(model, random)
    if random.random() < 0.4:
        model.tensor = model.node("GlobalAveragePool", model.tensor)
        model.pair()


def padded(model: Drawn) -> None:
    """Pad by zeros, without a pair, in front of a maximum."""
    ends = [model.random.randrange(2) for _ in range(4)]
    sides = model.constant([0, 0, *ends[:2], 0, 0, *ends[2:]], np.int64)
    now = model.node("Pad", model.tensor, sides, model.constant(0.0))
    model.tensor = model.node("MaxPool", now, kernel_shape=[2, 2])


def moved(model: Drawn, random: Random) -> None:
    """Turn the map, once or there and back, with pairs between and behind as they fall."""
    first = random.choice(TURNED)
    back = [first.index(side) for side in range(4)]
    model.tensor = model.node("Transpose", model.tensor, perm=first)
    for _ in range(random.choice((0, 1, 1, 2))):
        model.pair()
    model.tensor = model.node("Transpose", model.tensor, perm=back)
    for _ in range(random.choice((0, 0, 1, 2))):
        model.pair()


def means(model: Drawn) -> None:
    """A mean over all positions, of any count, between equal scales and unlike ones."""
    random = model.random
    model.pair()
    if random.random() < 0.4:
        model.tensor = model.layer(random.randrange(1, 8))
        model.pair()
    if random.random() < 0.6:
        model.tensor = model.node("GlobalAveragePool", model.tensor)
        model.pair(same=random.random() < 0.5)
        return
    kept = random.choice((0, 1))
    model.tensor = model.node("ReduceMean", model.tensor, axes=[2, 3], keepdims=kept)
    model.pair(same=random.random() < 0.5)
    model.flat = not kept
    if random.random() < 0.5:
        model.tensor = model.layer(5)
        model.pair()


def heads(model: Drawn) -> None:
    """What a host computes of the last map: classes, the largest, lengths, shares."""
    random = model.random
    biases(model)
    end = random.choice(("Softmax", "Softmax", "ArgMax", "TopK", "ReduceL2", "Abs", "LogSoftmax"))
    if end == "TopK":
        count = model.constant([min(2, model.channels)], np.int64)
        model.tensor = model.node("TopK", model.tensor, count, axis=1, outputs=2).split()[0]
    elif end == "ReduceL2":
        model.tensor = model.node(end, model.tensor, axes=[1])
    else:
        model.tensor = model.node(end, model.tensor, **({} if end == "Abs" else {"axis": 1}))
    if end == "Softmax" and random.random() < 0.7:
        model.tensor = model.quantized(model.tensor, 1 / 256, 0)


def constants(model: Drawn) -> None:
    """Sums and products with constants that have few values, of each shape that broadcasts."""
    random = model.random
    model.pair()
    for outputs in model.widths():
        model.tensor = model.layer(outputs)
        model.pair()
        shape = (1,) if model.flat else random.choice(((1, 1), (1, SIDE), model.sides))
        few = model.rng.integers(0, 256, random.choice((1, 2, 3)))
        integers = model.rng.choice(few, (1, random.choice((1, outputs)), *shape))
        integers = integers.reshape(integers.shape[: 2 if model.flat else 4])
        grid = float(np.float32(random.uniform(0.005, 0.1)))
        other = model.stored(integers, [grid], np.uint8)
        if random.random() < 0.3:
            other = model.constant(integers * np.float32(grid))
        operands = (model.tensor, other) if random.random() < 0.7 else (other, model.tensor)
        model.tensor = model.node(random.choice(("Add", "Mul", "Sub")), *operands)
        if random.random() < 0.3:
            model.tensor = model.node("Relu", model.tensor)
        model.pair()


def older(model: Drawn) -> None:
    """Operators as they were: axes as attributes, a Softmax over all behind, QLinear operators."""
    random = model.random
    model.pair()
    for outputs in model.widths():
        model.tensor = (model.layer if random.random() < 0.5 else model.linear)(outputs)
        model.pair(same=random.random() < 0.2)
    if not model.flat and random.random() < 0.5:
        model.tensor = model.node("MaxPool", model.tensor, kernel_shape=[2, 2])
        model.pair(same=True)
    if not model.flat and random.random() < 0.5:
        model.tensor = model.node("ReduceMean", model.tensor, axes=[2, 3])
        model.pair()
        model.tensor = model.node("Squeeze", model.tensor, axes=[2, 3])
    if random.random() < 0.3:
        model.tensor = model.node("Softmax", model.tensor, axis=1)


def sequences(model: Drawn) -> None:
    """Convolutions along a length: causal padding, with a pair and without; sums without one."""
    random = model.random
    model.pair()
    for outputs in model.widths():
        before, width = model.tensor, model.channels
        if random.random() < 0.5:
            sides = model.constant([0, 0, random.choice((1, 2)), 0, 0, 0], np.int64)
            model.tensor = model.node("Pad", model.tensor, sides, model.constant(0.0))
            if random.random() < 0.7:
                model.pair(same=random.random() < 0.5)
            model.tensor = model.layer(outputs)
        else:
            model.tensor = model.layer(outputs)
            if outputs == width and random.random() < 0.5:
                model.tensor = model.node("Add", model.tensor, before)
        if random.random() < 0.3:
            model.tensor = model.node("Relu", model.tensor)
        if random.random() < 0.8:
            model.pair()


def unsigned(model: Drawn) -> None:
    """Weights of uint8 with a zero point; layers of a part of the channels, and of a sum."""
    model.unsigned = True
    model.pair()
    for outputs in model.widths():
        before, width = model.tensor, model.channels
        if width > 1 and model.random.random() < 0.4:
            ends = sorted(model.random.sample(range(width + 1), 2))
            first, last = (model.constant([each], np.int64) for each in ends)
            model.tensor = model.node("Slice", before, first, last, model.constant([1], np.int64))
            model.channels = ends[1] - ends[0]
        model.tensor = model.layer(outputs)
        model.pair()
        if outputs == width and model.random.random() < 0.5:
            model.tensor = model.node("Add", model.tensor, before)
            model.pair()


def halves(model: Drawn) -> None:
    """Sums and products on scales that are powers of two, whose results lie on halves."""
    random = model.random
    model.pair()
    for outputs in model.widths():
        model.tensor = model.layer(outputs)
        on_grid(model)
        other = model.tensor
        if random.random() < 0.6:
            grid = float(2.0 ** -random.randrange(3, 7))
            shape = (1, outputs) if model.flat else (1, outputs, 1, 1)
            other = model.stored(model.rng.integers(0, 256, shape), [grid], np.uint8)
            if random.random() < 0.3:
                other = model.constant(model.rng.integers(-64, 65, shape) * np.float32(grid))
        else:
            model.tensor = model.layer(outputs)
            on_grid(model)
        model.tensor = model.node(random.choice(("Add", "Mul", "Sub")), model.tensor, other)
        on_grid(model)


def on_grid(model: Drawn) -> None:
    """Quantize the last tensor by a power of two."""
    model.scale = float(2.0 ** -model.random.randrange(3, 7))
    model.pair(same=True)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a kind draws, and the models that it begins with.

    flat: the share of those without rows and columns
    """

    draw: Callable[[Drawn], None]
    flat: float = 0.4
    sides: Callable[[Random], tuple[int, ...]] = lambda _: (SIDE, SIDE)
    opsets: tuple[int, ...] = (13, 17)
    behind: float = 0.0


LONGEST = 20
WRITTEN = Path("written.npz")
DRAWN = {
    "pairs": Kind(draw=pairs),
    "biases": Kind(draw=biases),
    "brevitas": Kind(draw=brevitas),
    "calibrated": Kind(draw=brevitas),
    "rewritten": Kind(draw=rewritten),
    "means": Kind(
        draw=means,
        flat=0,
        sides=lambda random: (random.randint(1, LONGEST), random.randint(1, LONGEST)),
    ),
    "heads": Kind(draw=heads),
    "constants": Kind(draw=constants),
    "older": Kind(draw=older, opsets=(11, 12)),
    "sequences": Kind(
        draw=sequences, flat=0, sides=lambda random: (random.randint(3, LONGEST),), behind=0.3
    ),
    "unsigned": Kind(draw=unsigned),
    "halves": Kind(draw=halves),
}
STATES = "states"
"""A kind of float files with an input that an output becomes, quantized by `--calibrate`."""


def begun(kind: Kind, random: Random) -> Drawn:
    """Return a model of a kind without a node."""
    return Drawn(
        random,
        flat=random.random() < kind.flat,
        sides=kind.sides(random),
        opset=random.choice(kind.opsets),
        behind=random.random() < kind.behind,
    )


def cell(random: Random) -> ImportNetwork:
    """Return the import of a drawn cell whose output goes to the next call."""
    inputs, held = random.randrange(2, 9), random.randrange(2, 9)
    model = Model((1, inputs), seed=random.randrange(1 << 30))

    def linear(tensor: str, rows: int, columns: int) -> str:
        weights = model.constant(model.rng.normal(size=(rows, columns)) / np.sqrt(rows))
        return model.node("Gemm", tensor, weights, model.constant(model.rng.normal(size=columns)))

    both = model.node("Add", linear("x", inputs, held), linear("h", held, held))
    after = model.node(random.choice(("Tanh", "Sigmoid", "Relu")), both)
    if random.random() < 0.5:
        gate = model.node("Sigmoid", linear("x", inputs, held))
        after = model.node("Mul", gate, after)
    answer = linear(after, held, random.randrange(1, 6))
    made = model.build(answer, after)
    made.graph.input.append(helper.make_tensor_value_info("h", TensorProto.FLOAT, (1, held)))
    path = saved(made, Path())
    images = model.rng.normal(size=(IMAGES, 1, 1, inputs + held)).astype(np.float32)
    np.savez("images.npz", images=images)
    return ImportNetwork(path, WRITTEN, calibrate=Path("images.npz"), state=(f"h={after}",))


def network(kind: str, random: Random) -> ImportNetwork:
    """Return the import of a drawn network of a kind."""
    model = begun(DRAWN[kind], random)
    DRAWN[kind].draw(model)
    made = model.build(model.tensor)
    if made.graph.node[-1].op_type == "ArgMax":
        made.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    if kind == "calibrated":
        shape = (1, 1, INPUTS) if model.flat else (SIDE, SIDE, 3)
        images = model.rng.uniform(-3, 3, (IMAGES, *shape)).astype(np.float32)
        made = quantized_model(saved(made, Path()), images)
    return ImportNetwork(saved(made, Path()), WRITTEN)


def same_answers(kind: str, random: Random) -> int:
    """Judge a drawn network by its file; 1: another answer that no line allows."""
    request = None
    try:
        request = cell(random) if kind == STATES else network(kind, random)
        report = request.run()
    except HwgenError as error:
        print(f"hwgen: {error}", file=sys.stderr)
        return 2
    finally:
        for each in (WRITTEN, Path("images.npz"), *([] if request is None else [request.file])):
            Path(each).unlink(missing_ok=True)
    return told(report)


def told(report: ImportReport | PlanReport) -> int:
    """Say what no line allows; 1: there is something."""
    if isinstance(report, PlanReport):
        print("" if report.equal else f"the plan is equal: {report.equal}", file=sys.stderr)
        return 0 if report.equal else 1
    found = report.content.judged
    assert found is not None
    if found.unjudged or found.unforeseen:
        print("; ".join([judged_line(found), *found.unforeseen]), file=sys.stderr)
        return 1
    return 0
