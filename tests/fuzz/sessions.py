"""Drawn quantized networks whose answers must be those of a default session of onnxruntime.

`pairs` in a row, `biases` of any scale, files as Brevitas writes them, those `calibrated`, and
`rewritten` ones: transposes, padding and pairs of unlike scales anywhere, means and heads.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from hwgen.commands.imports import describe_import
from hwgen.errors import HwgenError
from hwgen.importers.onnx.calibrate import quantized_model
from tests.quantized_onnx import Model, differing, saved

SIDE, INPUTS = 5, 20
IMAGES = 20


class Drawn(Model):
    """A model that draws its numbers; maps are (1, channels, rows, columns) or (1, channels).

    tensor, scale, channels: of the last map; flat: whether it has no rows and columns
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.flat = random.random() < 0.4
        self.channels = INPUTS if self.flat else 3
        image = (1, self.channels) if self.flat else (1, self.channels, SIDE, SIDE)
        super().__init__(image, seed=random.randrange(1 << 30), opset=random.choice((13, 17)))
        self.tensor, self.scale = "x", 1.0

    def pair(self, *, signed: bool = False, bits: int = 8, centred: bool = False) -> None:
        """Quantize the last tensor; fewer bits: by a Clip of integers, as Brevitas does."""
        kind = np.int8 if signed else np.uint8
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
        kernel = () if self.flat else (self.random.choice((1, 3)),) * 2
        most = (1 << bits - 1) - 1
        shape = (outputs, self.channels, *kernel)
        scales = self.rng.uniform(0.001, 0.006, outputs if self.random.random() < 0.6 else 1)
        weights = self.stored(self.rng.integers(-most, most + 1, shape), scales, np.int8)
        bias = self.rng.integers(-2000, 2000, outputs)
        steps = np.float32(ratio * self.scale) * scales.astype(np.float32)
        inputs = [self.tensor, weights, self.stored(bias, steps, np.int32)]
        inputs = inputs if self.random.random() < 0.8 else inputs[:2]
        self.channels = outputs
        if self.flat:
            return self.node("Gemm", *inputs, transB=1)
        return self.node("Conv", *inputs, pads=[kernel[0] // 2] * 4, kernel_shape=list(kernel))

    def stored(self, integers: Any, scales: Any, kind: Any) -> str:
        """Store integers behind a DequantizeLinear, with one scale or one a row."""
        one = len(scales) == 1
        zeros = 0 if one else np.zeros(len(scales))
        parts = [self.constant(scales[0] if one else scales), self.constant(zeros, kind)]
        axis = {} if one else {"axis": 0}
        return self.node("DequantizeLinear", self.constant(integers, kind), *parts, **axis)

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


DRAWN: dict[str, Callable[[Drawn], None]] = {
    "pairs": pairs,
    "biases": biases,
    "brevitas": brevitas,
    "calibrated": brevitas,
    "rewritten": rewritten,
}


def same_answers(kind: str, random: Random) -> int:
    """Compare a drawn network with its session; 1: another answer that no line allows."""
    model = Drawn(random)
    DRAWN[kind](model)
    made = model.build(model.tensor)
    path = saved(made, Path())
    try:
        if kind == "calibrated":
            shape = (1, 1, INPUTS) if model.flat else (SIDE, SIDE, 3)
            images = model.rng.uniform(-3, 3, (IMAGES, *shape)).astype(np.float32)
            path = saved(quantized_model(path, images), Path())
        found = describe_import(path)
        steps = differing(path, IMAGES)
    except HwgenError as error:
        print(f"hwgen: {error}", file=sys.stderr)
        return 2
    finally:
        path.unlink()
    if steps and not found.differences:
        print(f"answers differ by {steps} steps, and nothing says so", file=sys.stderr)
        return 1
    return 0
