"""Run an ONNX file with onnxruntime, as people do or operator by operator, for comparison."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from hwgen.errors import FormatError
from hwgen.importers.integer import IntegerGraph
from hwgen.importers.integer.moves import Places
from hwgen.importers.integer.runtime import Outcome, stored, unsigned
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Image, Operation, Real
from hwgen.importers.onnx.quantized import read_state
from hwgen.importers.onnx.read import read_model


class OnnxRuntime:
    """A file in onnxruntime; the maps behind each QuantizeLinear are visible.

    The model begins at the quantized image. With all optimizations of graphs, fused kernels round
    in another way than the operators that they replace, and a map that is shown breaks a fusion:
    then the answer alone is asked for.
    """

    def __init__(self, path: Path, graph: IntegerGraph, *, optimized: bool) -> None:
        """Load a file whose graph was read without refusals."""
        level = "all graph optimizations" if optimized else "without graph optimization"
        self.name = f"onnxruntime {onnxruntime.__version__}, {level}"
        self._optimized = optimized
        self._model = read_model(path)
        self._source = str(path)
        self._maps, self._input = graph.maps, graph.input
        self._state, _ = read_state(self._model, self._source)
        self._answer = self._model.graph.output[0].name
        self._sessions: dict[tuple[str, ...], Any] = {}

    def run(self, images: NDArray[Any], names: list[str]) -> Outcome:
        """Run unsigned NHWC images and return the maps of `names`."""
        shown = {name: place for name in names if (place := self._shown(name)) is not None}
        wanted = tuple(dict.fromkeys([*shown, self._answer]))
        session = self._session(wanted)
        batch = self._state.batch
        missing = -len(images) % batch
        given = stored(images, self._maps[self._input])
        padded = np.concatenate([given, given[:1].repeat(missing, axis=0)])
        runs = []
        for first in range(0, len(padded), batch):
            part = padded[first : first + batch].reshape(-1)
            runs.append(session.run(None, {self._input: part[self._places()]}))
        tensors = [np.concatenate(parts)[: len(images)] for parts in zip(*runs, strict=True)]
        found = dict(zip(wanted, tensors, strict=True))
        return Outcome(
            maps={
                name: unsigned(self._integers(name, found[name], real), self._maps[name])
                for name, real in shown.items()
            },
            answers=found[self._answer].reshape(len(images), -1),
        )

    def _places(self) -> Places:
        """Return the places of the quantized image in its tensor."""
        value = self._state.values[self._input]
        if isinstance(value, Real | Image):
            return value.places
        raise TypeError(f"{self._input} is no image")

    def _shown(self, name: str) -> Real | None:
        """Return the tensor of a map, if the model has it in whole."""
        value = self._state.values.get(name)
        if not isinstance(value, Real) or name not in self._maps:
            return None
        tensor = value.base.tensor if isinstance(value.base, Operation) else value.base
        return value if tensor == name else None

    def _integers(self, name: str, tensor: NDArray[Any], real: Real) -> NDArray[Any]:
        """Return (images, elements of the map), as the file stores integers."""
        values = self._maps[name]
        integers = tensor
        if tensor.dtype.kind == "f":
            steps = np.rint(tensor.astype(np.float64) / values.scale) + values.zero_point
            integers = steps.astype(np.int64)
        batch = real.places.shape[0]
        size = real.places.size // batch
        order = real.places[0].reshape(-1)
        arranged = np.empty((len(tensor), size), integers.dtype)
        arranged[:, order] = integers.reshape(len(tensor), size)
        return arranged

    def _session(self, outputs: tuple[str, ...]) -> Any:
        """Return the session that computes `outputs` from the quantized image."""
        if outputs not in self._sessions:
            options = onnxruntime.SessionOptions()
            level = onnxruntime.GraphOptimizationLevel
            options.graph_optimization_level = (
                level.ORT_ENABLE_ALL if self._optimized else level.ORT_DISABLE_ALL
            )
            options.intra_op_num_threads = 1
            options.log_severity_level = 3
            content = cut(self._model, self._state, self._input, outputs).SerializeToString()
            try:
                self._sessions[outputs] = onnxruntime.InferenceSession(
                    content, options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:  # the library's exceptions have no common base
                given = " ".join(str(error).split())[:200]
                raise FormatError(
                    field="the network",
                    allowed="ONNX that onnxruntime runs",
                    given=given,
                    source=self._source,
                ) from None
        return self._sessions[outputs]


def cut(
    model: onnx.ModelProto, state: State, image: str, outputs: Iterable[str]
) -> onnx.ModelProto:
    """Return the part of a model from the quantized image to `outputs`."""
    needed, nodes = set(outputs), []
    for node in reversed(model.graph.node):
        made = {name for name in node.output if name and name != image}
        if made & needed:
            needed.update(name for name in node.input if name)
            nodes.append(node)
    value = state.values[image]
    numbers = state.grids[image]
    kind = f"{'' if numbers.signed else 'u'}int{8 if numbers.bits <= 8 else 16}"
    shape = value.places.shape if isinstance(value, Real | Image) else ()
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    part = onnx.ModelProto()
    part.CopyFrom(model)
    del part.graph.node[:], part.graph.input[:], part.graph.output[:], part.graph.value_info[:]
    part.graph.node.extend(reversed(nodes))
    part.graph.input.append(onnx.helper.make_tensor_value_info(image, element, shape))
    stored_names = {tensor.name for tensor in model.graph.initializer}
    for tensor in model.graph.input:
        if tensor.name in needed and tensor.name in stored_names:
            part.graph.input.append(tensor)
    part.graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
    return part


def runtime_of(
    path: Path, graph: IntegerGraph, *, answer: str = "", default: bool = False
) -> OnnxRuntime:
    """Return a file in its runtime; default: with all optimizations of graphs."""
    return OnnxRuntime(path, graph, optimized=default)
