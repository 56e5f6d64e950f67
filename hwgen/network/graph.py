"""A quantized network: layers, maps and modes as a graph, and the integers of its layers.

It is the only thing that training or an import gives to hardware. `docs/network-file.md` describes
its file; `hwgen/network/quantization.py` the arithmetic.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import field
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.add import Add
from hwgen.network.append import Append, pixels_of
from hwgen.network.average_pool import AveragePool
from hwgen.network.causal_softmax import CausalSoftmax
from hwgen.network.concatenate import Concatenate
from hwgen.network.constant import Constant
from hwgen.network.conv import Conv
from hwgen.network.fixed_softmax import FixedSoftmax
from hwgen.network.host import RawImage
from hwgen.network.layer import Arrays
from hwgen.network.layer_norm import LayerNorm
from hwgen.network.linear import Linear
from hwgen.network.maps import Count, FeatureMap
from hwgen.network.matmul import MatMul
from hwgen.network.max_pool import MaxPool
from hwgen.network.moves import Reshape, Transpose
from hwgen.network.multiply import Multiply
from hwgen.network.quantization import HALF_UP, Rounding
from hwgen.network.rescale import Rescale
from hwgen.network.rows import Rows
from hwgen.network.shortcut import Shortcut
from hwgen.network.softmax import Softmax
from hwgen.network.squared_difference import SquaredDifference
from hwgen.network.stack import Stack
from hwgen.network.state import State
from hwgen.network.table import Table
from hwgen.network.tokens import TOKEN_PLACES, TOKEN_ROWS, TOKEN_TABLE, TokenRows
from hwgen.network.upsample import Upsample
from hwgen.network.weights import Parameters

FORMAT = "hwgen.network"
VERSION: Final = 3
"""Of a file whose layers are all of the older kinds."""
VERSION_4: Final = 4
"""Of a file with a layer of `NEWER_KINDS`."""
VERSION_6: Final = 6
"""Of a file with a layer of `KINDS_OF_CALLS`, with or without shared arrays."""
INPUT = "input"
"""Name of the image in the graph."""
RAW_IMAGE, ANSWER_PLACES, TOKENIZER = "raw_image", "answer_places", "tokenizer"
"""Arrays of what the host does, in a file that has them."""
ONE_MODE = ("1.0x",)
"""Modes of a network without reduced modes."""

Layer = (
    Conv
    | Linear
    | MaxPool
    | AveragePool
    | Add
    | Multiply
    | Rescale
    | Concatenate
    | Table
    | Shortcut
    | Upsample
    | Transpose
    | Reshape
    | MatMul
    | Softmax
    | LayerNorm
    | Constant
    | Stack
    | SquaredDifference
    | FixedSoftmax
    | State
    | Append
    | Rows
    | CausalSoftmax
)

KINDS: dict[str, Any] = {
    "conv": Conv,
    "linear": Linear,
    "max_pool": MaxPool,
    "average_pool": AveragePool,
    "add": Add,
    "multiply": Multiply,
    "rescale": Rescale,
    "concatenate": Concatenate,
    "table": Table,
    "shortcut": Shortcut,
    "upsample": Upsample,
    "transpose": Transpose,
    "reshape": Reshape,
    "matmul": MatMul,
    "softmax": Softmax,
    "layer_norm": LayerNorm,
    "constant": Constant,
    "stack": Stack,
    "squared_difference": SquaredDifference,
    "fixed_softmax": FixedSoftmax,
    "state": State,
    "append": Append,
    "rows": Rows,
    "causal_softmax": CausalSoftmax,
}
"""Each kind of layer by its `op`."""
NEWER_KINDS = frozenset(
    {"matmul", "softmax", "layer_norm", "constant", "stack", "squared_difference", "fixed_softmax"}
)
"""Kinds of version 4: what transformers need."""
KINDS_OF_CALLS = frozenset({"state", "append", "rows", "causal_softmax"})
"""Kinds of version 6: what one call leaves for the next, and which keys a token reads."""


def version_of(layers: Sequence[Layer]) -> Literal[3, 4, 6]:
    """Return the oldest version of the file that has all layers."""
    return version_of_kinds({layer.op for layer in layers})


def version_of_kinds(kinds: Set[str]) -> Literal[3, 4, 6]:
    """Return the oldest version of a file that has all kinds of layers."""
    if not KINDS_OF_CALLS.isdisjoint(kinds):
        return VERSION_6
    return VERSION if NEWER_KINDS.isdisjoint(kinds) else VERSION_4


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Graph:
    """The layers in topological order: each after its inputs.

    dataset: name of the images that it was trained on (`digits`, `cifar10`, ...), for `hwgen run`
    class_names: of the channels of the answer; may be empty
    preprocessing: one sentence: how a source image becomes the integers of `input`
    modes: names, the widest first
    outputs: names of layers; the first is the answer
    version: the oldest that has all kinds of layers, so that a network has one file
    positions: a host gives each call a position below this number; 0: the network has no position
    """

    format: Literal["hwgen.network"]
    version: Literal[3, 4, 6]
    name: Annotated[str, Field(min_length=1)]
    dataset: str
    class_names: list[str]
    preprocessing: str
    input: FeatureMap
    modes: Annotated[tuple[str, ...], Field(min_length=1)]
    layers: Annotated[list[Annotated[Layer, Field(discriminator="op")]], Field(min_length=1)]
    outputs: Annotated[tuple[str, ...], Field(min_length=1)]
    positions: Count = 0

    def plain(self) -> dict[str, Any]:
        """Return the graph as plain values, as its file has them: without `positions` if none."""
        plain: dict[str, Any] = TypeAdapter(Graph).dump_python(self)
        if not self.positions:
            del plain["positions"]
        return plain

    @property
    def maps(self) -> dict[str, FeatureMap]:
        """Every map by its name: the image, then the output of each layer."""
        return {INPUT: self.input} | {layer.name: layer.output for layer in self.layers}


@dataclass(frozen=True, kw_only=True, config=ConfigDict(arbitrary_types_allowed=True))
class QuantizedNetwork:
    """A layer graph and the integers of its layers, by layer name.

    parameters: of `conv` and `linear`; tables: of `table`, uint8 (modes, 256)
    held: arrays of other kinds by their key, such as the bits of float32 of a `layer_norm`
    raw_image: what the host does to an image before its quantization; None: nothing
    answer_places: int64, of the shape of the answer in the file that was imported: the number of
        the element of the answer's map that each element is, -1 for a real zero; None: the file
        has the order of the map. Numbers behind those of the map go on in the next outputs: a list
        of the boxes of several maps
    token_rows: what the host looks up by ids, and by their positions; None: the image is given
    tokenizer: uint8, the bytes of the file of a tokenizer, see `hwgen.network.vocabulary`
    """

    graph: Graph
    parameters: dict[str, Parameters] = field(default_factory=dict)
    tables: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    held: dict[str, Arrays] = field(default_factory=dict)
    raw_image: RawImage | None = None
    answer_places: NDArray[np.int64] | None = None
    token_rows: TokenRows | None = None
    tokenizer: NDArray[np.uint8] | None = None

    @property
    def layers(self) -> list[Layer]:
        """Layers in order of execution."""
        return self.graph.layers

    @property
    def states(self) -> dict[str, State]:
        """The states by name, in order."""
        return {layer.name: layer for layer in self.layers if isinstance(layer, State)}

    @property
    def answer(self) -> str:
        """Name of the layer whose map is the network's answer."""
        return self.graph.outputs[0]

    @property
    def answer_parts(self) -> tuple[str, ...]:
        """Outputs whose maps the answer of the file has elements of: mostly the first alone."""
        most = -1 if self.answer_places is None else int(self.answer_places.max(initial=-1))
        for count, name in enumerate(self.graph.outputs, 1):
            most -= math.prod(self.map_of(name).shape)
            if most < 0:
                return self.graph.outputs[:count]
        return self.graph.outputs

    def answer_element(self, place: int) -> tuple[str, tuple[int, ...]]:
        """Return the output and the row, column and channel of a number of `answer_places`."""
        for name in self.answer_parts:
            shape = self.map_of(name).shape
            if place < math.prod(shape):
                break
            place -= math.prod(shape)
        return name, tuple(int(each) for each in np.unravel_index(place, shape))

    def newer_layers(self) -> str:
        """Return how many layers are of which of `NEWER_KINDS`, in words; empty: none is."""
        newer = NEWER_KINDS | KINDS_OF_CALLS
        found = [layer.op for layer in self.layers if layer.op in newer]
        kinds = ", ".join(f"{found.count(kind)} {kind}" for kind in dict.fromkeys(found))
        return f"{kinds} of {len(self.layers)} layers" if found else ""

    @property
    def roundings(self) -> set[Rounding]:
        """How sums of layers round; a layer that scales nothing counts as half up."""
        return {getattr(layer, "rounding", HALF_UP) for layer in self.layers}

    def map_of(self, name: str) -> FeatureMap:
        """Return the map called `name`: the image or a layer's output."""
        if name == INPUT:
            return self.graph.input
        return next(layer.output for layer in self.layers if layer.name == name)

    @property
    def starts(self) -> int:
        """Positions that a call may have, from 0 on: its rows fit behind them; 0: it has none."""
        appends = (layer for layer in self.layers if isinstance(layer, Append))
        rooms = [
            pixels_of(each.output) - pixels_of(self.map_of(each.inputs[1])) + 1 for each in appends
        ]
        return min([self.graph.positions, *rooms])

    def arrays_of(self, name: str) -> Arrays:
        """Return the arrays of a layer by key; nothing for a layer without any."""
        if name in self.parameters:
            return self.parameters[name].arrays()
        if name in self.tables:
            return {"table": self.tables[name]}
        return self.held.get(name, {})

    def arrays(self) -> Arrays:
        """Return every array by its name in the file, in the order of the file."""
        return {
            f"{name}.{key}": array
            for name in sorted({*self.parameters, *self.tables, *self.held})
            for key, array in self.arrays_of(name).items()
        } | self.host_arrays()

    def host_arrays(self) -> Arrays:
        """Return what the host needs to know, by its name in the file; mostly nothing."""
        arrays: Arrays = {}
        if self.raw_image is not None:
            text = json.dumps(TypeAdapter(RawImage).dump_python(self.raw_image))
            arrays[RAW_IMAGE] = np.frombuffer(text.encode(), np.uint8)
        if self.answer_places is not None:
            arrays[ANSWER_PLACES] = self.answer_places
        if (rows := self.token_rows) is not None:
            arrays[TOKEN_ROWS] = rows.rows
            if rows.name:
                arrays[TOKEN_TABLE] = np.frombuffer(rows.name.encode(), np.uint8)
            if rows.places is not None:
                arrays[TOKEN_PLACES] = rows.places
        if self.tokenizer is not None:
            arrays[TOKENIZER] = self.tokenizer
        return arrays

    def in_file_order(self, answers: NDArray[Any]) -> NDArray[Any]:
        """Return maps of the answer, (images, ...), in the order of the file that was imported.

        Where the file has the order of the map, the maps as they are.
        """
        return self.file_answer({self.answer: answers})

    def file_answer(self, maps: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return the answer of the file that was imported, (images, ...); maps: of all outputs."""
        places, parts = self.answer_places, [maps[name] for name in self.answer_parts]
        if places is None:
            return parts[0]
        answers = np.concatenate([each.reshape(len(each), -1) for each in parts], axis=1)
        found: NDArray[Any] = answers[:, places]
        found[:, places < 0] = self.map_of(self.answer).quantization[0].zero_point
        return found

    def scores(self, answers: NDArray[Any]) -> NDArray[Any]:
        """Return maps of the answer, (images, elements), such that the largest decides the class.

        In the order of the file, but of a list of several maps those of the first. Raw sums whose
        filters have unlike scales are real numbers then, up to a common factor: the host multiplies
        each channel by its `weight_scale`.
        """
        if self.answer in self.parameters and self.map_of(self.answer).raw:
            scales = self.parameters[self.answer].weight_scale.astype(np.float64)
            if (scales != scales[0]).any():
                answers = answers * scales[: answers.shape[-1]]
        if len(self.answer_parts) == 1:
            answers = self.in_file_order(answers)
        return answers.reshape(len(answers), -1)

    @property
    def digest(self) -> str:
        """sha256 over graph and integers, 64 hexadecimal digits."""
        sha = hashlib.sha256(json.dumps(self.graph.plain(), sort_keys=True).encode())
        for array in self.arrays().values():
            sha.update(np.ascontiguousarray(array).tobytes())
        return sha.hexdigest()
