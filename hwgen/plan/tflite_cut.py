"""A TFLite file as what is cut: an operator is a unit, every map of bytes a border.

A part is the file with fewer operators, so that numbers and names of tensors stay. LiteRT's own
package writes it, and runs what the host computes.

Tests: `tests/plan/test_tflite_cut.py`.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hwgen.errors import FormatError, HwgenError, RefusedNetworkError
from hwgen.importers.integer import IntegerGraph, lower
from hwgen.importers.integer.lower import Lowered
from hwgen.importers.tflite.file import TFLiteFile, file_of, read_file
from hwgen.importers.tflite.read import graph_of
from hwgen.network import INPUT
from hwgen.plan.file import Place, PlanTensor
from hwgen.plan.judge import Piece
from hwgen.plan.onnx_pieces import ChipPiece, layers_of, place_of
from hwgen.plan.pieces import PieceRefusedError
from hwgen.plan.target import Target
from hwgen.plan.units import BYTES, TensorFacts, Tensors, Unit, UnitGraph, Units

IDENTIFIER = b"TFL3"
PICTURE = 4
"""Rank of an image with its batch."""
NODE = re.compile(r".*?_(\d+)(?:/|$)")
"""The name that the reader gives an operator: its kind, and its number in the part."""


class TFLiteHost:
    """Runs a part of a file in LiteRT, with its default kernels."""

    def __init__(self, content: bytes, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Open a part; inputs, outputs: names of its tensors in their order."""
        self._interpreter = interpreter_of(content)
        self._interpreter.allocate_tensors()
        self._inputs, self._outputs = inputs, outputs

    def run(self, tensors: Mapping[str, Any]) -> Tensors:
        """Return what the part writes."""
        runs = self._interpreter
        for name, about in zip(self._inputs, runs.get_input_details(), strict=True):
            runs.set_tensor(about["index"], tensors[name].reshape(about["shape"]))
        runs.invoke()
        details = runs.get_output_details()
        return {
            name: runs.get_tensor(about["index"]).copy()
            for name, about in zip(self._outputs, details, strict=True)
        }


@dataclass(frozen=True, kw_only=True)
class TFLiteCut:
    """A file that is cut; see `hwgen.plan.judge.CutFile`."""

    file: TFLiteFile
    content: bytes
    shapes: Mapping[int, tuple[int, ...]]
    kind: Literal["TFLite"] = "TFLite"

    @classmethod
    def of(cls, path: Path) -> "TFLiteCut":
        """Return a file as what is cut."""
        file, content = read_file(path), path.read_bytes()
        check_order(file)
        return cls(file=file, content=content, shapes=shapes_of(content, str(path)))

    @property
    def source(self) -> str:
        """The path of the file."""
        return self.file.source

    @cached_property
    def constants(self) -> set[int]:
        """Tensors that no call changes."""
        found = {k for k, tensor in enumerate(self.file.tensors) if tensor.data is not None}
        for each in self.file.operators:
            if all(k < 0 or k in found for k in each.inputs):
                found.update(each.outputs)
        return found

    @cached_property
    def names(self) -> list[str]:
        """Names of the tensors, each its own."""
        return [tensor.name for tensor in self.file.tensors]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each tensor by its name."""
        return {name: k for k, name in enumerate(self.names)}

    def sides(self, number: int) -> tuple[int, ...]:
        """Return the sides of a tensor, as the interpreter has them."""
        return self.shapes.get(number, self.file.tensors[number].shape)

    @cached_property
    def units(self) -> UnitGraph:
        """The operators as units."""
        file, moving = self.file, self.constants
        readers = {k for each in file.operators for k in each.inputs}
        units: list[Unit] = []
        of_node: dict[int, int] = {}
        for k, each in enumerate(file.operators):
            if all(name in moving for name in each.outputs):
                continue
            of_node[k] = len(units)
            inputs = [self.names[n] for n in each.inputs if n >= 0 and n not in moving]
            kept = [n for n in each.outputs if n in readers or n in file.outputs]
            units.append(
                Unit(
                    nodes=(k,),
                    inputs=tuple(dict.fromkeys(inputs)),
                    outputs=tuple(self.names[n] for n in kept or each.outputs),
                    products=self.products(k),
                )
            )
        facts = {
            name: TensorFacts(type=tensor.type, sides=self.sides(k))
            for k, (name, tensor) in enumerate(zip(self.names, file.tensors, strict=True))
            if k not in moving
        }
        return UnitGraph(
            units=units,
            tensors=facts,
            names=[self.name_of(k) for k in range(len(file.operators))],
            operators=[each.operator for each in file.operators],
            inputs=tuple(self.names[k] for k in file.inputs),
            outputs=tuple(self.names[k] for k in file.outputs),
            of_node=of_node,
        )

    def name_of(self, node: int) -> str:
        """Return the name that the reader gives an operator of the whole file."""
        return f"{self.file.operators[node].operator.lower().replace(' ', '_')}_{node}"

    def products(self, node: int) -> int:
        """Return the multiply-accumulates of an operator."""
        each = self.file.operators[node]
        written = math.prod(self.sides(each.outputs[0]))
        sides = [self.sides(k) if k >= 0 else () for k in each.inputs]
        match each.operator:
            case "CONV_2D":
                return written * math.prod(sides[1][1:])
            case "DEPTHWISE_CONV_2D":
                return written * math.prod(sides[1][1:3])
            case "FULLY_CONNECTED":
                return written * sides[1][-1]
            case "BATCH_MATMUL":
                return written * sides[0][-1]
            case "TRANSPOSE_CONV":
                return math.prod(sides[2]) * sides[1][0] * math.prod(sides[1][1:3])
        return 0

    def part(self, units: Units, *, single: bool = False) -> tuple[bytes, list[int]]:
        """Return the file with some units alone, and their operators by number.

        single: with one image, where the file has several
        """
        from ai_edge_litert import schema_py_generated as schema
        from flatbuffers import Builder

        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(self.content, 0))
        graph, needed = model.subgraphs[0], {k for u in units for k in self.units.units[u].nodes}
        makers = {k: node for node, each in enumerate(self.file.operators) for k in each.outputs}
        waiting = [k for node in needed for k in self.file.operators[node].inputs]
        while waiting:
            each = waiting.pop()
            maker = makers.get(each)
            if each in self.constants and maker is not None and maker not in needed:
                needed.add(maker)
                waiting += self.file.operators[maker].inputs
        kept = sorted(needed)
        for node in kept:
            for k in (*graph.operators[node].inputs, *graph.operators[node].outputs):
                if k >= 0 and k not in self.constants and self.sides(k):
                    first, *rest = self.sides(k)
                    graph.tensors[k].shape = [1 if single else first, *rest]
                    graph.tensors[k].shapeSignature = None
        inputs, outputs = self.units.ends_of(units)
        graph.operators = [graph.operators[node] for node in kept]
        graph.inputs = [self.numbers[name] for name in inputs]
        graph.outputs = [self.numbers[name] for name in outputs]
        model.signatureDefs, model.metadata = [], None
        builder = Builder(len(self.content))
        builder.Finish(model.Pack(builder), IDENTIFIER)
        return bytes(builder.Output()), kept

    def piece(self, units: Units, target: Target, *, compiled: bool) -> ChipPiece:
        """Return a piece on the chip; PieceRefusedError for one that is not taken."""
        inputs, outputs = self.units.ends_of(units)
        if len(inputs) != 1:
            raise PieceRefusedError("reads several borders")
        crossing = {self.sides(self.numbers[name])[:1] for name in (*inputs, *self.inside(units))}
        content, kept = self.part(units, single=len(crossing) == 1 and crossing != {()})
        try:
            graph = graph_of(file_of(content, self.source), name="piece")
            lowered = lower(
                replace(graph, whole=True), kernels="xnnpack" if target.is_exact else "half_up"
            )
        except RefusedNetworkError as error:
            nodes = [each.node for each in error.refusals]
            told = error.refusals[0].sentence
            raise PieceRefusedError(told, self.units_named(nodes, kept)) from None
        except HwgenError as error:
            raise PieceRefusedError(str(error).removesuffix(f" ({self.source})")) from None
        complaint = target.refused(lowered.network) if compiled else None
        if complaint is not None:
            layers = lowered.network.layers
            sources = [each.source for each in layers if each.name in complaint.layers]
            raise PieceRefusedError(complaint.sentence, self.units_named(sources, kept))
        image = lowered.network.graph.input
        (name,) = inputs
        batch, rest = divmod(math.prod(self.sides(self.numbers[name])), math.prod(image.shape))
        if rest:
            raise PieceRefusedError("its image has other elements than its border")
        places = np.arange(batch * math.prod(image.shape))
        offset = graph.maps[graph.input].offset
        return ChipPiece(
            lowered=lowered,
            batch=batch,
            image=(place_of(name, INPUT, places, image.shape, offset),),
            maps=tuple(self.map_places(graph, lowered, outputs, batch)),
        )

    def inside(self, units: Units) -> list[str]:
        """Return what units write."""
        return [name for unit in units for name in self.units.units[unit].outputs]

    def map_places(
        self, graph: IntegerGraph, lowered: Lowered, outputs: Sequence[str], batch: int
    ) -> Iterator[Place]:
        """Yield where the outputs lie in maps of layers."""
        layers = layers_of(graph, lowered)
        for name in outputs:
            end = graph.ends.get(name)
            base = name if end is None else end.maps[0]
            if base not in layers:
                raise PieceRefusedError("its output is no map", [self.units.writers[name]])
            shape = lowered.network.map_of(layers[base]).shape
            size = math.prod(shape)
            order = None if end is None else end.order
            once = np.arange(size) if order is None else order.reshape(-1)
            places = (np.arange(batch)[:, np.newaxis] * size + once).reshape(-1)
            whole = places.size == math.prod(self.sides(self.numbers[name]))
            if once.min() < 0 or not whole:
                raise PieceRefusedError("its output is no whole map", [self.units.writers[name]])
            yield place_of(name, layers[base], places, shape, graph.maps[base].offset)

    def units_named(self, names: Sequence[str], kept: Sequence[int]) -> set[int]:
        """Return units by names of tensors, or of operators by their number in a part."""
        found = set()
        for name in names:
            number = NODE.fullmatch(name) or NODE.match(name)
            if name in self.units.writers:
                found.add(self.units.writers[name])
            elif number is not None and int(number[1]) < len(kept):
                found |= {self.units.of_node[kept[int(number[1])]]}
        return found

    def together(self, borders: tuple[str, ...]) -> bool:
        """Return whether borders can be one image: no part has one."""
        return False

    def host(self, units: Units) -> TFLiteHost:
        """Return units in LiteRT."""
        return TFLiteHost(self.part(units)[0], *self.units.ends_of(units))

    def host_file(self, units: Units, name: str) -> tuple[bytes, tuple[str, ...]]:
        """Return the file of units on the host; its borders are bytes."""
        return self.part(units)[0], ()

    def announced(self, pieces: Sequence[Piece]) -> set[int]:
        """Return the units that notes name."""
        named = [note.node for piece in pieces for note in piece.lowered.notes]
        return self.units_named(named, ())

    def tensors(self, names: Sequence[str]) -> tuple[PlanTensor, ...]:
        """Return tensors as a plan has them."""
        found = []
        for name in names:
            facts, tensor = self.units.tensors[name], self.file.tensors[self.numbers[name]]
            whole = tensor.scales.size == 1 and facts.type in BYTES
            found.append(
                PlanTensor(
                    name=name,
                    type=facts.type,
                    sides=facts.sides,
                    scale=float(tensor.scales[0]) if whole else None,
                    zero_point=int(tensor.zero_points[0]) if whole else None,
                    layout="rows" if len(facts.sides) == PICTURE else "",
                )
            )
        return tuple(found)

    def answers(self, feeds: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
        """Return what the whole file answers, a call each."""
        whole = TFLiteHost(self.content, self.units.inputs, self.units.outputs)
        return [list(whole.run(feed).values()) for feed in feeds]


def check_order(file: TFLiteFile) -> None:
    """Refuse an operator that reads what one behind it writes."""
    waiting = {number for each in file.operators for number in each.outputs}
    for each in file.operators:
        late = waiting.intersection(each.inputs)
        if late:
            raise FormatError(
                field=f"tensor {file.tensors[min(late)].name}",
                allowed="written before it is read (no cycles)",
                given="later",
                source=file.source,
            )
        waiting.difference_update(each.outputs)


def interpreter_of(content: bytes, **chosen: Any) -> Any:
    """Return an interpreter on one thread; it is as a user has it where nothing is chosen."""
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_content=content, num_threads=1, **chosen)


def shapes_of(content: bytes, source: str) -> dict[int, tuple[int, ...]]:
    """Return the sides of all tensors: of an interpreter whose kernels show them.

    Raises FormatError for a file that LiteRT refuses.
    """
    from ai_edge_litert.interpreter import OpResolverType

    try:
        plain = interpreter_of(
            content,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        plain.allocate_tensors()
        plain.invoke()
        interpreter_of(content).allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise FormatError(
            field="the network",
            allowed="a TFLite file that LiteRT runs",
            given=" ".join(str(error).split())[:200],
            source=source,
        ) from None
    return {
        about["index"]: tuple(int(side) for side in about["shape"])
        for about in plain.get_tensor_details()
    }


def runtime_here() -> str:
    """Return the runtime with its version."""
    try:
        return f"LiteRT {version('ai-edge-litert')}"
    except ModuleNotFoundError:
        return ""


def check_runtime(source: str) -> None:
    """Refuse a file where LiteRT, which writes its parts, is not installed."""
    if not runtime_here():
        raise FormatError(
            field="a TFLite file that is cut",
            allowed="cut where LiteRT is installed: pip install 'hwgen[litert]'",
            given="without it",
            source=source,
        )
