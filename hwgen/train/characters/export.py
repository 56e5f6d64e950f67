"""From a trained language model to its network file: integers of two digits, uint8 maps.

Tests: `tests/train/characters/test_train.py`.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hwgen.importers.integer import lower
from hwgen.importers.integer import nodes as ir
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.maps import QuantizedMap, Shape, quantized_map
from hwgen.network import QuantizedNetwork
from hwgen.network.decoding import decode
from hwgen.network.tokens import PLACES, TokenRows
from hwgen.train.characters.model import STEPS, CausalBlock, CharacterModel, Range, grid_of
from hwgen.train.characters.text import CLASS_NAMES
from hwgen.train.transformer.model import Dense

SHARES = (0.0, STEPS / 256)
"""Range of the shares of a softmax, in steps of 1/256."""
RARE = 1e-4
"""Part of the values of a sum at either end that its range leaves out."""

PREPROCESSING = (
    "the row of the character plus that of its place, over 256, to the nearest integer, plus the "
    "zero point"
)


def step_network(model: CharacterModel, *, name: str) -> QuantizedNetwork:
    """Return the network of one character a call, of a model with its maps on their grids."""
    lowered = lower(Graph(model, model.ranges).graph(name), class_names=CLASS_NAMES).network
    step = decode(lowered)
    values = step.graph.input.quantization[0]
    letters, places = (
        np.rint(table.detach().numpy().astype(np.float64) / values.scale * (1 << PLACES))
        .clip(-(1 << 15), (1 << 15) - 1)
        .astype(np.int16)
        for table in (model.letters, model.places)
    )
    return replace(
        step,
        graph=replace(step.graph, preprocessing=PREPROCESSING),
        token_rows=TokenRows(name="", rows=letters, places=places),
    )


@torch.no_grad()
def ranges_of(model: CharacterModel, codes: Tensor) -> dict[str, Range]:
    """Return a range that nearly all values of each map lie in; of scores those that count.

    codes: (n, context). What is added up all along has few values far outside: they are clipped.
    """
    found: dict[str, Range] = {}

    def see(name: str, values: Tensor) -> Tensor:
        kind = name.rpartition(".")[2]
        given = values
        if kind == "scores":
            given = values[..., torch.ones(values.shape[-2:], dtype=torch.bool).tril()]
        ends = given.flatten().sort().values
        cut = round(len(ends) * RARE) if kind in ("sum_1", "sum_2", "write", "narrow") else 0
        low, high = float(ends[cut]), float(ends[len(ends) - 1 - cut])
        found[name] = SHARES if kind == "shares" else (min(0.0, low), max(0.0, high))
        return values

    model.seen(functional.embedding(codes, model.letters) + model.places[: codes.shape[1]], see)
    return found


def gelu(values: np.ndarray) -> np.ndarray:
    """Return x times the share of a normal distribution below x."""
    found: np.ndarray = functional.gelu(torch.from_numpy(np.asarray(values, np.float64))).numpy()
    return found


class Graph:
    """The nodes of a model of all its tokens, and their maps."""

    def __init__(self, model: CharacterModel, ranges: Mapping[str, Range]) -> None:
        self.model, self.ranges = model, ranges
        self.tokens, self.width = model.places.shape
        self.maps: dict[str, QuantizedMap] = {}
        self.nodes: list[ir.Node] = []

    def graph(self, name: str) -> IntegerGraph:
        """Return all of it."""
        self.map("input", self.width)
        now = "input"
        for number, block in enumerate(self.model.blocks):
            assert isinstance(block, CausalBlock)
            now = self.block(f"block_{number}", block, now)
        self.norm("norm", self.model.norm, now)
        self.dense("logits", self.model.head, "norm")
        return IntegerGraph(
            name=name,
            source=name,
            format="hwgen",
            input="input",
            outputs=("logits",),
            maps=self.maps,
            nodes=tuple(self.nodes),
        )

    def map(self, name: str, channels: int) -> None:
        """Add a map of bytes that holds its range."""
        scale, zero_point = grid_of(self.ranges[name])
        self.put(name, (self.tokens, 1, channels), scale, zero_point)

    def put(self, name: str, shape: Shape, scale: float, zero_point: int) -> None:
        """Add a map."""
        self.maps[name] = quantized_map(shape, signed=False, scale=scale, zero_point=zero_point)

    def block(self, at: str, block: CausalBlock, now: str) -> str:
        """Add a block; return its output."""
        attention, heads = block.attention, block.attention.heads
        self.norm(f"{at}.norm_1", block.before_attention, now)
        for part in ("query", "key", "value"):
            self.dense(f"{at}.{part}", getattr(attention, part), f"{at}.norm_1")
        self.product(f"{at}.scores", f"{at}.query", f"{at}.key", heads, transposed=True)
        self.map(f"{at}.shares", heads * self.tokens)
        self.add(ir.SoftmaxOfGroups, f"{at}.shares", f"{at}.scores", groups=heads, causal=True)
        self.product(f"{at}.mixed", f"{at}.shares", f"{at}.value", heads, transposed=False)
        self.dense(f"{at}.write", attention.write, f"{at}.mixed")
        self.map(f"{at}.sum_1", self.width)
        self.add(ir.Addition, f"{at}.sum_1", now, f"{at}.write")
        self.norm(f"{at}.norm_2", block.before_layers, f"{at}.sum_1")
        self.dense(f"{at}.wide", block.wide, f"{at}.norm_2")
        self.map(f"{at}.gelu", self.maps[f"{at}.wide"].shape[2])
        self.add(ir.Lookup, f"{at}.gelu", f"{at}.wide", function=gelu)
        self.dense(f"{at}.narrow", block.narrow, f"{at}.gelu")
        self.map(f"{at}.sum_2", self.width)
        self.add(ir.Addition, f"{at}.sum_2", f"{at}.sum_1", f"{at}.narrow")
        return f"{at}.sum_2"

    def add(self, kind: type, name: str, *inputs: str, **keys: object) -> None:
        """Add a node whose output is the map of its name."""
        operator = kind.__name__
        self.nodes.append(kind(name=name, operator=operator, inputs=inputs, output=name, **keys))

    def product(self, name: str, first: str, second: str, heads: int, *, transposed: bool) -> None:
        """Add a product of two maps."""
        self.map(name, heads * self.tokens if transposed else self.width)
        self.add(ir.MatrixProduct, name, first, second, groups=heads, transposed=transposed)

    def norm(self, name: str, layer: nn.LayerNorm, source: str) -> None:
        """Add a layer norm."""
        self.map(name, self.width)
        self.add(
            ir.LayerNormalization,
            name,
            source,
            eps=np.float32(layer.eps),
            gamma=layer.weight.detach().numpy().astype(np.float32),
            beta=layer.bias.detach().numpy().astype(np.float32),
        )

    def dense(self, name: str, layer: Dense, source: str) -> None:
        """Add a layer that reads each token alone; its gain goes into the scales."""
        integers, steps = layer.chip.integers(layer.kept())
        scales = steps.numpy().astype(np.float64) * layer.gain
        bias = layer.bias.detach().numpy().astype(np.float64) * layer.gain
        self.map(name, len(scales))
        weights = ir.weights_of(
            integers.numpy().astype(np.int8).reshape(len(scales), 1, 1, -1),
            scales=scales,
            bias=np.rint(bias / (scales * self.maps[source].scale)),
        )
        self.add(ir.Convolution, name, source, weights=weights, stride=(1, 1), padding=(0, 0, 0, 0))
