"""Both ends of an ONNX file: its inputs as the network's image, maps of the network as its outputs.

What of the file stands behind the last maps is computed by the numpy functions of onnx's reference:
a Softmax, an order.

Tests: `tests/importers/test_judge.py`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnx.version_converter
from numpy.typing import NDArray
from onnx.numpy_helper import to_array
from onnx.reference import ReferenceEvaluator

from hwgen.errors import FormatError
from hwgen.importers.integer import IntegerGraph
from hwgen.importers.integer.fold import before_head, passing
from hwgen.importers.integer.runtime import stored
from hwgen.importers.judge import Feeds, Grid, Outputs
from hwgen.importers.onnx.check import opset_of
from hwgen.importers.onnx.inputs import joined_inputs, parts_of, shapes_of_inputs
from hwgen.importers.onnx.qdq.qonnx import without_quants
from hwgen.importers.onnx.qdq.raw_image import raw_image_of
from hwgen.importers.onnx.qdq.values import Real
from hwgen.importers.onnx.runtime import given_images, scales_of_sums, seen_of
from hwgen.importers.onnx.token_ids import with_rows_given
from hwgen.network.host import RawImage

KNOWN_OPSET = 19
"""The first in which the reference has QuantizeLinear and DequantizeLinear."""
SUMS_SLACK = 0.5
"""Of sums that nothing quantizes, and a runtime adds in float32."""


class OnnxEnds:
    """The ends of a file whose graph was read without refusals.

    grids: steps of outputs, where they are quantized; plain: those that are maps
    """

    def __init__(
        self, model: onnx.ModelProto, graph: IntegerGraph, states: Collection[str] = ()
    ) -> None:
        """Read the file; graph: that which was lowered; states: inputs that are none of a call."""
        assert graph.reading is not None
        given = with_rows_given(model)
        self._source, self._graph, self._state = graph.source, graph, graph.reading()
        self._model = without_quants(joined_inputs(given).model, graph.source)
        self._shapes, parts = shapes_of_inputs(given), parts_of(self._model)
        self._parts = {name: ends for name, ends in parts.items() if name not in states}
        # Of the image as the file has it, with the states in their places.
        self._image, self._raw = self._state.maps[self._state.input], raw_image_of(self._state)
        channels = [each for ends in self._parts.values() for each in range(*ends)]
        self._kept = channels if states else None
        self._sums = scales_of_sums(graph)
        made = {name for node in self._model.graph.node for name in node.output}
        found = {name: value for name, value in self._visible() if name in made}
        self._known: dict[str, Real] = found
        self.plain = found.keys()
        outputs = [each.name for each in self._model.graph.output]
        self._outputs = [name for name in outputs if name in graph.ends] if states else outputs
        self._tail = tail_of(self._model, found, self._outputs, self._source)
        self.grids = {name: self._grid(found[name]) for name in self._outputs if name in found}
        self.grids |= dict(self._behind())

    def _visible(self) -> Iterator[tuple[str, Real]]:
        """Yield tensors that are elements of maps of the network: outputs, or behind functions."""
        for tensor, end in self._graph.ends.items():
            value = seen_of(self._state, tensor, self._graph, end)
            if value is not None:
                yield tensor, replace(value, base=end.maps[0])
                continue
            before = before_head(self._graph, end.maps[0])
            while before not in self._state.values and (node := passing(self._graph, before)):
                before = node.inputs[0]  # the file has no tensor of that order
            real = self._state.values.get(before)
            if isinstance(real, Real):
                yield before, replace(real, base=before)

    def drawn(self, integers: NDArray[Any]) -> NDArray[Any]:
        """Return the images of a file that become integers of the network's image."""
        image = self._image.feature_map()
        if self._kept is not None:
            zero = image.quantization[0].zero_point
            whole = np.full((len(integers), *image.shape), zero, image.dtype)
            whole[..., self._kept] = integers.reshape(len(integers), 1, 1, -1)
            integers = whole
        return given_images(self._state, self._image, self._raw, integers.reshape(-1, *image.shape))

    def feeds(self, images: NDArray[Any]) -> Iterator[Feeds]:
        """Yield calls of images as the file has them, (images, height, width, channels).

        A last call is filled up with the first image.
        """
        state, batch = self._state, self._state.batch
        if self._parts:
            for image in images:
                flat = image.reshape(-1)
                yield {
                    name: flat[low:high].reshape(self._shapes.get(name, (1, -1)))
                    for name, (low, high) in self._parts.items()
                }
            return
        filled = np.concatenate([images, images[:1].repeat(-len(images) % batch, axis=0)])
        for first in range(0, len(filled), batch):
            part = filled[first : first + batch].reshape(-1)
            yield {state.image_name: part[state.given.places]}

    def integers(self, feeds: Feeds) -> NDArray[Any]:
        """Return the images of a call as integers of the network's, as a QuantizeLinear does."""
        image, state = self._image.feature_map(), self._state
        flat = np.zeros(state.given.places.size, np.float64)
        if self._parts:
            for name, (low, high) in self._parts.items():
                flat[low:high] = feeds[name].reshape(-1)
        else:
            flat[state.given.places] = feeds[state.image_name]
        real = flat.reshape(state.batch, *image.shape)
        if state.image.integer:
            found: NDArray[Any] = (real + self._image.offset).astype(image.dtype)
        else:
            raw = self._raw or RawImage(steps=(), byte=1.0)
            found = raw.integers(real.astype(np.float32), image)
        return found if self._kept is None else found[..., self._kept]

    def outputs(self, maps: Mapping[str, NDArray[Any]]) -> Outputs:
        """Return all outputs of a call; maps: of the network, by the names of the file."""
        tensors = {name: self._tensor(value, maps) for name, value in self._known.items()}
        if self._tail is not None:
            wanted = self._tail.output_names
            try:
                found = self._tail.run(None, tensors)
            except Exception as error:  # the library has no common base
                raise not_played(wanted[0], error, self._source) from None
            tensors |= dict(zip(wanted, found, strict=True))
        return {name: tensors[name] for name in self._outputs}

    def _tensor(self, value: Real, maps: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return a tensor of the file of maps of the network."""
        name = str(value.base)
        part = (maps[name].astype(np.int64) - self._graph.maps[name].offset).reshape(-1)
        if value.integer:
            values = self._graph.maps[name]
            return stored(part + values.offset, values)[value.places]
        return self._real(name, part)[value.places]

    def _real(self, name: str, integers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return integers of a map of the file as real numbers, in float32."""
        values = self._graph.maps[name]
        step = self._step(name)[np.arange(integers.size) % values.shape[2]]
        return (integers - values.zero_point).astype(np.float32) * step.astype(np.float32)

    def _step(self, name: str) -> NDArray[np.float64]:
        """Return the step of each channel of a map."""
        values = self._graph.maps[name]
        return self._sums.get(name, np.full(values.shape[2], values.scale))

    def _grid(self, value: Real) -> Grid:
        """Return the steps of an output that is known."""
        step, name = self._step(str(value.base)), str(value.base)
        slack = {"slack": SUMS_SLACK} if self._graph.maps[name].raw else {}
        return Grid(step=step[value.places % len(step)], **slack)

    def _behind(self) -> Iterator[tuple[str, Grid]]:
        """Yield the steps of outputs that are quantized behind the maps of the network."""
        held = {each.name: each for each in self._model.graph.initializer}
        for node in self._model.graph.node:
            if node.op_type == "DequantizeLinear" and node.input[1] in held:
                for name in set(node.output).intersection(self._outputs).difference(self._known):
                    yield name, Grid(step=float(to_array(held[node.input[1]]).max()))


def tail_of(
    model: onnx.ModelProto, known: Collection[str], outputs: Sequence[str], source: str
) -> ReferenceEvaluator | None:
    """Return what computes outputs of tensors that are known; None: all of them are.

    Raises FormatError for outputs that depend on more, and on operators that onnx has not.
    """
    wanted = [name for name in outputs if name not in known]
    if not wanted:
        return None
    needed, nodes = set(wanted), []
    for node in reversed(model.graph.node):
        if not needed.isdisjoint(set(node.output) - set(known)):
            needed.update(node.input)
            nodes.append(node)
    made = {name for node in nodes for name in node.output}
    held = [each for each in model.graph.initializer if each.name in needed]
    lost = sorted(needed - made - set(known) - {each.name for each in held} - {""})
    if lost:
        raise FormatError(
            field=f"output {wanted[0]}",
            allowed="computed of maps of the network alone",
            given=f"{lost[0]}, too",
            source=source,
        )
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        nodes[::-1],
        "tail",
        [onnx.helper.make_tensor_value_info(name, kind, None) for name in known],
        [onnx.helper.make_tensor_value_info(name, kind, None) for name in wanted],
        held,
    )
    opsets, version = model.opset_import, model.ir_version
    tail = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=version)
    try:
        if opset_of(model) < KNOWN_OPSET:
            tail = onnx.version_converter.convert_version(tail, KNOWN_OPSET)
        return ReferenceEvaluator(tail)
    except Exception as error:  # as above
        raise not_played(wanted[0], error, source) from None


def not_played(output: str, error: Exception, source: str) -> FormatError:
    """Return the error of an output behind operators that numpy does not play."""
    return FormatError(
        field=f"output {output}",
        allowed="behind operators that onnx's reference computes",
        given=" ".join(str(error).split())[:200],
        source=source,
    )
