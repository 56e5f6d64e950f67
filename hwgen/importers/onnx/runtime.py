"""Run an ONNX file with onnxruntime, as people do or operator by operator, for comparison."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

from hwgen.errors import FormatError
from hwgen.importers.integer import Ending, IntegerGraph, QuantizedMap
from hwgen.importers.integer.fold import before_head
from hwgen.importers.integer.nodes import Convolution, FullyConnected
from hwgen.importers.integer.runtime import Outcome, stored, unsigned
from hwgen.importers.onnx.external import read_whole_model
from hwgen.importers.onnx.inputs import Joined, joined_inputs, shapes_of_inputs
from hwgen.importers.onnx.qdq.qonnx import is_qonnx, without_quants
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Operation, Real
from hwgen.importers.onnx.session_graph import (
    RUNTIME,
    made_precise,
    optimized,
    options_of,
    session_of,
)
from hwgen.importers.onnx.token_ids import with_rows_given
from hwgen.network.host import RawImage

ELEMENTS: dict[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32), "tensor(double)": np.dtype(np.float64),
    "tensor(float16)": np.dtype(np.float16), "tensor(uint8)": np.dtype(np.uint8),
    "tensor(int8)": np.dtype(np.int8), "tensor(uint16)": np.dtype(np.uint16),
    "tensor(int16)": np.dtype(np.int16),
}  # fmt: skip
"""Types of images by onnxruntime's names."""

CHANNELS_LAST = "NhwcTransformer"
"""What of onnxruntime turns maps, which have no name of the file then; no element is another."""
PAIRS_JOINED = "DoubleQDQPairsRemover"
"""What of onnxruntime joins pairs; Quants in a row are two roundings."""
REWRITTEN = "of QONNX as QuantizeLinear, Clip and DequantizeLinear"
"""Is said of a file whose own nodes no runtime has."""


class OnnxRuntime:
    """Maps of a file in onnxruntime; those behind a QuantizeLinear are asked for besides.

    Only nodes of QONNX are rewritten, and the name says so.

    With all optimizations of graphs, fused kernels round in another way than the operators that
    they replace, and a map that is shown may break a fusion. So all maps are those of the graph
    that onnxruntime made of the file, which runs once more; its answers must be those of the file.
    """

    def __init__(self, path: Path, graph: IntegerGraph, *, optimized: bool) -> None:
        """Load a file whose graph was read without refusals."""
        if optimized:
            graph = graph.read_by("onnxruntime")
        level = "all graph optimizations" if optimized else "without graph optimization"
        self.name = f"{RUNTIME}, {level}"
        self._unchanged, self._source = list[str](), str(path)
        given = with_rows_given(read_whole_model(path))
        joined = joined_inputs(given)
        readable = without_quants(joined.model, self._source)
        self._model, self._inputs = given, parts_of(given, joined)
        if is_qonnx(given):
            self._model, self._inputs = readable, {}
            self._unchanged = [PAIRS_JOINED]
            self.name += f", {REWRITTEN}"
        self._maps, self._image = graph.maps, graph.maps[graph.input]
        self._raw = graph.raw_image
        assert graph.reading is not None
        self._state: State = graph.reading()
        nodes = readable.graph.node
        self._tensors = {name for node in nodes for name in (*node.input, *node.output)}
        self._check_ends(graph)
        self._model, self._outputs = ending_at(self._model, graph.ends), tuple(graph.ends)
        self._sums = scales_of_sums(graph)
        self._sessions: dict[tuple[str, ...], Any] = {}
        self._fused = self._by_session() if optimized else None
        if self._fused is not None:
            self._tensors = {name for node in self._fused.graph.node for name in node.output}

    def _by_session(self) -> onnx.ModelProto:
        """Return the graph that onnxruntime made of the file, kernels chosen."""
        unchanged, precise = [*self._unchanged, CHANNELS_LAST], pairs_saturate()
        return optimized(
            self._model, self._source, "all", precise=precise, disabled_optimizers=unchanged
        )

    def _check_ends(self, graph: IntegerGraph) -> None:
        """Refuse a graph that ends at a tensor which the file does not have."""
        lost = [name for name in graph.ends if name not in self._tensors]
        if lost:
            raise FormatError(
                field="the lists of the file",
                allowed="tensors that a session leaves, or compared with --kernels reference",
                given=f"{lost[0]}, which {RUNTIME} makes of others",
                source=self._source,
            )

    def run(self, images: NDArray[Any], names: list[str]) -> Outcome:
        """Run unsigned NHWC images and return the maps of `names`."""
        image = self._image.feature_map()
        shaped = images.reshape(len(images), *image.shape)
        raw = given_images(self._state, self._image, self._raw, shaped)
        if self._raw is not None:
            images = self._raw.integers(raw, image)
        shown = {name: place for name in names if (place := self._shown(name)) is not None}
        found = self._computed(raw, tuple(name for name in shown if name not in self._outputs))
        output = self._outputs[0]
        if self._fused and not np.array_equal(self._computed(raw, ())[output], found[output]):
            raise FormatError(
                field="--maps",
                allowed="for a file whose answers stay when its maps are shown",
                given="answers that change: showing maps keeps onnxruntime from fusing nodes",
                source=self._source,
            )
        return Outcome(
            images=images,
            maps={
                name: unsigned(np.rint(self._arranged(name, found[name], real)), self._maps[name])
                for name, real in shown.items()
            },
        )

    def _computed(self, raw: NDArray[Any], names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Return the outputs of the file and other tensors for raw images: (images, elements)."""
        session, batch = self._session(names), self._state.batch
        places = self._state.given.places
        padded = np.concatenate([raw, raw[:1].repeat(-len(raw) % batch, axis=0)])
        kind = ELEMENTS.get(session.get_inputs()[0].type, np.dtype(np.float32))
        runs = []
        for first in range(0, len(padded), batch):
            part = padded[first : first + batch].reshape(-1)[places].astype(kind)
            given = {
                name: part[:, low:high].reshape(shape)
                for name, (low, high, shape) in self._inputs.items()
            }
            results = self._played(names, given or {self._state.image_name: part})
            runs.append([each.reshape(batch, -1) for each in results])
        tensors = [np.concatenate(parts)[: len(raw)] for parts in zip(*runs, strict=True)]
        return dict(zip((*self._outputs, *names), tensors, strict=True))

    def _played(self, names: tuple[str, ...], given: Mapping[str, NDArray[Any]]) -> list[Any]:
        """Return outputs and other tensors; FormatError where a kernel has no exact sums here."""
        try:
            return list(self._session(names).run([*self._outputs, *names], given))
        except Fail as error:
            raise FormatError(
                field="the file",
                allowed="one whose kernels have exact sums on a processor without VNNI",
                given=" ".join(str(error).split())[:120],
                source=self._source,
            ) from None

    def _shown(self, name: str) -> Real | None:
        """Return the tensor of a map, if the model has it in whole."""
        value = self._state.values.get(name)
        if not isinstance(value, Real) or name not in self._maps or name not in self._tensors:
            return None
        tensor = value.base.tensor if isinstance(value.base, Operation) else value.base
        # What quantizes a part of a map has its name, and shows no more.
        whole = value.places.size == self._state.batch * math.prod(self._maps[name].shape)
        return value if tensor == name and whole else None

    def _arranged(self, name: str, tensor: NDArray[Any], real: Real) -> NDArray[Any]:
        """Return (images, elements of the map), in its steps or as the file stores integers.

        Raw sums have a scale a channel.
        """
        values, order = self._maps[name], real.places.reshape(self._state.batch, -1)[0]
        integers = tensor
        if tensor.dtype.kind == "f":
            scale, zero = values.scale, values.zero_point
            if name in self._sums:
                scale, zero = self._sums[name][order % values.shape[2]], 0
            integers = tensor.astype(np.float64) / scale + zero
        arranged = np.empty((len(tensor), order.size), integers.dtype)
        arranged[:, order] = integers
        return arranged

    def _session(self, names: tuple[str, ...]) -> Any:
        """Return a session of the file, which shows other tensors, too."""
        if names not in self._sessions:
            fused = self._fused is not None and len(names) > 0
            options = options_of("all" if self._fused is not None and not fused else None)
            model = self._fused if self._fused is not None and fused else self._model
            if pairs_saturate() and not fused:
                model = made_precise(model, options)
            self._sessions[names] = session_of(
                showing(model, names),
                options,
                self._source,
                disabled_optimizers=self._unchanged,
            )
        return self._sessions[names]


def given_images(
    state: State, values: QuantizedMap, raw: RawImage | None, images: NDArray[Any]
) -> NDArray[Any]:
    """Return NHWC images as a file reads them, whose integers are those given if steps allow.

    values: of the image; raw: the steps before it
    """
    if state.image.integer:
        return stored(images, values)
    image = values.feature_map()
    if raw is None:
        step = image.quantization[0]
        return ((images.astype(np.float64) - step.zero_point) * step.scale).astype("f4")
    reals, kind = raw.reals(images, image), state.image_type
    if kind is None:
        return reals.astype(np.float32)
    limits = np.iinfo(kind)
    return np.rint(reals).clip(limits.min, limits.max).astype(kind)


def parts_of(model: onnx.ModelProto, joined: Joined) -> dict[str, tuple[int, int, tuple[int, ...]]]:
    """Return first and last channel (exclusive) and shape of each input of several."""
    shapes = shapes_of_inputs(model)
    return {name: (*ends, shapes[name]) for name, ends in joined.parts.items()}


@cache
def pairs_saturate() -> bool:
    """Return whether sums of two products of uint8 and int8 stay within 16 bits here.

    So they do on x86 without VNNI, unless a session is asked to be precise.
    """
    constants: dict[str, Any] = {
        "step": np.float32(1), "zero": np.uint8(0), "middle": np.int8(0),
        "weights": np.full((2, 1), 127, np.int8), "wide": np.float32(512),
    }  # fmt: skip
    names = ["given", "step", "zero", "weights", "step", "middle", "wide", "zero"]
    graph = helper.make_graph(
        [helper.make_node("QLinearMatMul", names, ["sum"])],
        "two_products",
        [helper.make_tensor_value_info("given", onnx.TensorProto.UINT8, [1, 2])],
        [helper.make_tensor_value_info("sum", onnx.TensorProto.UINT8, [1, 1])],
        [numpy_helper.from_array(np.asarray(each), name) for name, each in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(None, {"given": np.full((1, 2), 255, np.uint8)})
    return int(found[0, 0]) != round(2 * 255 * 127 / 512)


def showing(model: onnx.ModelProto, names: Iterable[str]) -> onnx.ModelProto:
    """Return a model with more outputs."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    known = {tensor.name for tensor in model.graph.output}
    copy.graph.output.extend(onnx.ValueInfoProto(name=each) for each in names if each not in known)
    return copy


def ending_at(model: onnx.ModelProto, names: Iterable[str]) -> onnx.ModelProto:
    """Return a model with these outputs, without the nodes that they do not need."""
    names = list(names)
    if [tensor.name for tensor in model.graph.output] == names:
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:], copy.graph.node[:]
    copy.graph.output.extend(onnx.ValueInfoProto(name=each) for each in names)
    needed, nodes = set(names), []
    for node in reversed(model.graph.node):
        if not needed.isdisjoint(node.output):
            needed.update(node.input)
            nodes.append(node)
    copy.graph.node.extend(reversed(nodes))
    return copy


def seen_of(state: State, tensor: str, graph: IntegerGraph, end: Ending) -> Real | None:
    """Return an output of a file as elements of its map; None if a function hides it."""
    value = state.values.get(tensor)
    if before_head(graph, end.maps[0]) != end.maps[0]:
        return None
    return value if isinstance(value, Real) and value.function is None else None


def scales_of_sums(graph: IntegerGraph) -> dict[str, NDArray[np.float64]]:
    """Return the scale of each channel of raw sums, by their map."""
    return {
        node.output: graph.maps[node.inputs[0]].scale * node.weights.scales
        for node in graph.nodes
        if isinstance(node, Convolution | FullyConnected) and graph.maps[node.output].raw
    }


def runtime_of(
    path: Path, graph: IntegerGraph, *, answers: Sequence[str] = (), default: bool = False
) -> OnnxRuntime:
    """Return a file in its runtime; default: with all optimizations of graphs."""
    return OnnxRuntime(path, graph, optimized=default)
