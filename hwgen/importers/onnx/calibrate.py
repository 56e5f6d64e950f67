"""Quantize a float ONNX model by onnxruntime, with images that show the range of each map."""

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from hwgen.errors import DataError, FormatError
from hwgen.files.finite import check_finite
from hwgen.importers.onnx.biases import with_biases_joined
from hwgen.importers.onnx.check import check_ends, check_sizes, name_nodes
from hwgen.importers.onnx.distance import Distance, distances
from hwgen.importers.onnx.external import read_whole_model
from hwgen.importers.onnx.grid_weights import scales_on_grid, tell
from hwgen.importers.onnx.halves_apart import with_halves_joined
from hwgen.importers.onnx.inputs import Joined, joined_inputs
from hwgen.importers.onnx.kept_pairs import nodes_kept, numbers_kept
from hwgen.importers.onnx.layer_norms import with_layer_norms
from hwgen.importers.onnx.layout import image_shape, layout_of
from hwgen.importers.onnx.masks import Ranges, bound_masks, put_behind_quantizers, scales_of_shares
from hwgen.importers.onnx.qdq.constants import REARRANGING, stored
from hwgen.importers.onnx.qdq.functions import FUNCTIONS
from hwgen.importers.onnx.qdq.qonnx import is_qonnx
from hwgen.importers.onnx.qdq.tokens import HEADS_RANK
from hwgen.importers.onnx.qdq.values import Layout
from hwgen.importers.onnx.quantized import HANDLERS
from hwgen.importers.onnx.read import opened
from hwgen.importers.onnx.recurrent import fix_steps, with_steps
from hwgen.importers.onnx.rms_norm import Shapes, with_norms_as_nodes
from hwgen.importers.onnx.runtime import showing
from hwgen.importers.onnx.session_graph import quiet
from hwgen.importers.onnx.shapes import shapes_of
from hwgen.importers.onnx.step_numbers import with_pairs_equal
from hwgen.importers.onnx.token_ids import keep_table
from hwgen.importers.onnx.turned_halves import turns_of, with_turns_exact

BYTE_SCALE = 1 / 255
"""Real value of one step of an image of bytes."""
ACTIVATIONS = frozenset({"Clip", "Relu"})
HEADS = frozenset({"Softmax", "LogSoftmax"})
"""Operators that are left as they are at the end of a network, where the reader drops them."""
PAIR = frozenset({"DequantizeLinear", "QuantizeLinear"})
ARITHMETIC = frozenset({"Add", "Div", "Mul", "Sub"})


class Images(CalibrationDataReader):
    """Gives the images to the calibration, one batch at a time."""

    def __init__(self, name: str, images: NDArray[np.float32], batch: int) -> None:
        self._given = batches(name, images, batch)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next batch; None behind the last."""
        return next(self._given, None)


def batches(
    name: str, images: NDArray[np.float32], batch: int
) -> Iterator[dict[str, NDArray[np.float32]]]:
    """Yield the images; those that do not fill a batch are left out."""
    for first in range(0, len(images) - batch + 1, batch):
        yield {name: images[first : first + batch]}


GridWeights = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weights, (out, ...), and the scale of each filter: whole multiples of it, up to 127."""


@dataclass(frozen=True)
class Step:
    """What a byte of an image is: real = scale * (byte - zero_point)."""

    scale: float = BYTE_SCALE
    zero_point: int = 0


def quantized_model(
    path: Path,
    images: NDArray[Any],
    *,
    step: Step = Step(),
    weights: Sequence[GridWeights] = (),
    states: Collection[str] = (),
) -> onnx.ModelProto:
    """Return a float model with QuantizeLinear and DequantizeLinear: uint8 maps, int8 weights.

    Pairs that a model has already stay. The steps of LSTM, GRU and RNN nodes are written out.
    images: (images, height, width, channels); real numbers as the model reads them, or bytes, of
        which one is a `step`. Bytes become the integers of the network's input as they are.
    weights: those that lie on a grid, with the scales of their filters; the library chooses others
    states: outputs that are given back: a function at their end is no head for the host
    Raises FormatError for a file that is no float ONNX, DataError for images of another shape.
    """
    joined = named_model(path)
    model = joined.model
    source = str(path)
    fix_steps(model, images)
    image, layout = checked_image(model, source)
    given = arranged(image, layout, images, source, step=step)
    batch = image.type.tensor_type.shape.dim[0].dim_value
    with tempfile.TemporaryDirectory() as folder, quiet():
        ready, result = Path(folder) / "ready.onnx", Path(folder) / "result.onnx"
        onnx.save(model, ready)
        try:
            quant_pre_process(ready, ready, skip_symbolic_shape=True)
            prepared = with_steps(onnx.load(ready), source)
            known = shapes_of(opened(prepared, source).slim, source).known
            prepared = rewritten(prepared, known)
            causal = bound_masks(
                prepared.graph, ranges_in(prepared, batches(image.name, given, batch))
            )
            turns = turns_of(prepared.graph)
            single = functions_of_one_map(prepared.graph)
            single -= {name for turn in turns for name in turn.nodes}
            with_ends(prepared.graph, single, states)
            with_signs(prepared.graph)
            overrides = scales_of_inputs(
                prepared.graph, image.name, given, images.dtype, joined.parts, step=step
            )
            on_grid, told = scales_on_grid(prepared.graph)
            overrides |= (
                on_grid
                | scales_of_weights(prepared.graph, weights)
                | numbers_kept(prepared.graph)
                | scales_of_queries(prepared.graph)
                | scales_of_shares(prepared.graph, causal)
            )
            check_numbers(prepared.graph, source)
            onnx.save(prepared, ready)
            quantize_static(
                ready,
                result,
                Images(image.name, given, batch),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=operators_of(prepared.graph),
                nodes_to_exclude=sorted(
                    single.union(
                        causal,
                        joined.nodes,
                        heads_of(prepared.graph, states),
                        nodes_kept(prepared.graph),
                        *(turn.nodes for turn in turns),
                    )
                ),
                extra_options={"TensorQuantOverrides": overrides},
            )
            made = onnx.load(result)
            check_numbers(made.graph, source)
            put_behind_quantizers(made.graph, causal)
            with_turns_exact(made, turns)
            with_pairs_equal(made, {name for turn in turns for name in turn.products})
            keep_table(made, model)
            tell(made, told)
            return made
        except FormatError:
            raise
        except Exception as error:  # the library raises errors of many kinds
            raise FormatError(
                field="the network",
                allowed="float ONNX that onnxruntime quantizes",
                given=" ".join(str(error).split())[:200],
                source=source,
            ) from None


def named_model(path: Path) -> Joined:
    """Return a float model with one image, each node with a name of its own."""
    model = read_whole_model(path)
    name_nodes(model.graph)
    return joined_inputs(model)


def rewritten(model: onnx.ModelProto, known: Shapes) -> onnx.ModelProto:
    """Return a float model in the forms that the reader has; known: shapes of its tensors."""
    with_layer_norms(model, known)
    model = with_norms_as_nodes(model, known)
    with_sums_apart(model.graph)
    with_constants_second(model.graph, known)
    with_halves_joined(model.graph, known)
    with_biases_joined(model.graph, known)
    name_nodes(model.graph)
    return model


def check_numbers(graph: onnx.GraphProto, source: str) -> None:
    """Refuse constants that are no numbers, and tensors whose scale is infinite."""
    pairs = [node for node in graph.node if node.op_type in PAIR]
    scaled = {node.input[1]: node.input[0] for node in reversed(pairs)}
    for tensor in graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        wrong = array.dtype.kind == "f" and (
            np.isnan(array).any() or (tensor.name in scaled and np.isinf(array).any())
        )
        if wrong:
            raise FormatError(
                field=f"tensor {scaled.get(tensor.name, tensor.name).removesuffix('_quantized')}",
                allowed="of finite numbers, with all images",
                given="others",
                source=source,
            )


def distance_from_float(
    path: Path, made: onnx.ModelProto, images: NDArray[Any]
) -> tuple[Distance, ...]:
    """Return how far each output of a model that was made of a file is from that file's.

    images: those that it was quantized with
    """
    model = named_model(path).model
    fix_steps(model, images)
    image, layout = checked_image(model, str(path))
    given = arranged(image, layout, images, str(path), step=Step())
    batch = image.type.tensor_type.shape.dim[0].dim_value
    with quiet():
        return distances(model, made, batches(image.name, given, batch))


def ranges_in(model: onnx.ModelProto, inputs: Iterable[dict[str, NDArray[np.float32]]]) -> Ranges:
    """Return what runs a float model and gives the range of some tensors, without infinities."""

    def ranges(names: list[str]) -> dict[str, tuple[float, float, tuple[int, ...]]]:
        content = showing(model, names).SerializeToString()
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        found: dict[str, tuple[float, float, tuple[int, ...]]] = {}
        for each in inputs:
            for name, tensor in zip(names, session.run(names, each), strict=True):
                real = tensor[np.isfinite(tensor)]
                low, high = (float(end) for end in (real.min(), real.max()))
                least, most, _ = found.get(name, (low, high, ()))
                found[name] = min(low, least), max(high, most), tensor.shape
        return found

    return ranges


def checked_image(model: onnx.ModelProto, source: str) -> tuple[onnx.ValueInfoProto, Layout]:
    """Return the image of a float model, its batch fixed, and how it is read.

    Refuses a damaged model.
    """
    if is_qonnx(model):
        raise FormatError(
            field="the network",
            allowed="float: import it without --calibrate, it has scales of its own",
            given="QONNX, nodes Quant",
            source=source,
        )
    check_ends(model, source)
    ready = opened(model, source)
    for tensor in model.graph.initializer:
        stored(tensor, source)
    check_sizes(shapes_of(ready.slim, source).known, source)
    image = ready.image
    if image.type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
        given = onnx.TensorProto.DataType.Name(image.type.tensor_type.elem_type)
        raise FormatError(
            field=f"input {image.name}", allowed="float32", given=given, source=source
        )
    return image, layout_of(ready, source)


def as_maps(path: Path, images: NDArray[Any]) -> NDArray[Any]:
    """Return (images, rows, columns, channels) of images of at most two axes as a file reads them.

    Others are returned as they are.
    """
    model = joined_inputs(read_whole_model(path)).model
    fix_steps(model, images)
    image, layout = checked_image(model, str(path))
    sides = tuple(side.dim_value for side in image.type.tensor_type.shape.dim)
    if len(sides) > 3 or images.shape[1:] != sides[1:]:
        return images
    if layout == "planes":
        images = np.moveaxis(images, 1, -1)
    return images.reshape(len(images), *image_shape(sides, layout))


def arranged(
    image: onnx.ValueInfoProto,
    layout: Layout,
    images: NDArray[Any],
    source: str,
    *,
    step: Step,
) -> NDArray[np.float32]:
    """Return images in the order of the model's input, as real numbers."""
    sides = tuple(side.dim_value for side in image.type.tensor_type.shape.dim)
    wanted = image_shape(sides, layout)
    kinds = (np.uint8, np.float32, np.float64)
    if images.shape[1:] != wanted or images.dtype not in kinds or len(images) < sides[0]:
        other = f" or {sides[1:]}" if len(sides) < 4 else ""
        allowed = f"uint8 or float32 of shape {wanted}{other}, at least {sides[0]}"
        given = f"{len(images)} of {images.dtype.name} of shape {images.shape[1:]}"
        if images.shape[1:] == sides[1:] and len(sides) == 4:
            given += ", channels first: images.transpose(0, 2, 3, 1) turns them"
        tokens = " (its tokens are pixels)" if layout == "tokens" else ""
        raise DataError(f"the images must be {allowed}{tokens}, got {given} ({source})")
    check_finite(images, "--calibrate")
    real = images.astype(np.float32)
    if images.dtype == np.uint8:
        real = (real - np.float32(step.zero_point)) * np.float32(step.scale)
    if layout == "planes":
        real = real.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(real.reshape(len(real), *sides[1:]))


def images_as_given(path: Path, given: NDArray[Any]) -> NDArray[np.float32]:
    """Return images in the order of a file's input as rows, columns and channels.

    given: (images, ...), real numbers. Raises DataError for another shape than that of the input
    """
    image, layout = checked_image(joined_inputs(read_whole_model(path)).model, str(path))
    sides = tuple(side.dim_value for side in image.type.tensor_type.shape.dim)
    if given.shape[1:] != sides[1:]:
        raise DataError(f"the images must be of shape {sides[1:]}, got {given.shape[1:]} ({path})")
    real = given.astype(np.float32)
    if layout == "planes" and real.ndim == 4:
        return np.ascontiguousarray(real.transpose(0, 2, 3, 1))
    return real.reshape(len(real), *image_shape(sides, layout))


def operators_of(graph: onnx.GraphProto) -> list[str]:
    """Return the operators of a graph that are quantized: all that the reader knows."""
    return sorted({node.op_type for node in graph.node} & set(HANDLERS))


def heads_of(graph: onnx.GraphProto, states: Collection[str]) -> set[str]:
    """Return the names of nodes that only give classes another scale, at the end of a network."""
    left, heads = {tensor.name for tensor in graph.output}.difference(states), set()
    for node in reversed(graph.node):
        if left.isdisjoint(node.output):
            continue
        if node.op_type in HEADS:
            heads.add(node.name)
        if node.op_type in HEADS | {"Flatten", "Reshape", "Squeeze"}:
            left.update(node.input[:1])
    return heads


def functions_of_one_map(graph: onnx.GraphProto) -> set[str]:
    """Return the names of nodes that are left as real numbers: together they are one function.

    Such as the Erf, Mul and Add of a Gelu, or the Sigmoid and Mul of a SiLU; the reader makes one
    table of each. Activations behind a layer stay its own.
    """
    scalars = {each.name for each in graph.initializer if np.prod(each.dims, dtype=int) == 1}
    for node in graph.node:
        if node.op_type == "Constant" and np.prod(node.attribute[0].t.dims, dtype=int) == 1:
            scalars.add(node.output[0])
    roots: dict[str, str] = {}
    found: set[str] = set()
    for node in graph.node:
        maps = [name for name in node.input if name and name not in scalars]
        behind = {roots.get(name, name) for name in maps}
        elementwise = node.op_type in FUNCTIONS or node.op_type in ARITHMETIC | ACTIVATIONS
        inside = all(name in roots for name in maps)
        joined = node.op_type in ARITHMETIC and len(maps) == 2 and not any(n in roots for n in maps)
        if not elementwise or len(behind) != 1 or joined:
            continue
        if node.op_type in ACTIVATIONS and not inside:
            continue
        roots[node.output[0]] = behind.pop()
        found.add(node.name)
    return found


def with_sums_apart(graph: onnx.GraphProto) -> None:
    """Take the addition of a map out of each Gemm: preparation joins a MatMul and an Add so."""
    constants = {tensor.name for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        nodes.append(node)
        if constants.issuperset(node.input):
            constants.update(node.output)
        if node.op_type == "Gemm" and len(node.input) > 2 and node.input[2] not in constants:
            name, product = node.output[0], f"{node.output[0]}/product"
            added = node.input.pop()
            node.output[0] = product
            nodes.append(onnx.helper.make_node("Add", [product, added], [name], f"{node.name}/sum"))
    del graph.node[:]
    graph.node.extend(nodes)


def with_constants_second(graph: onnx.GraphProto, known: Mapping[str, Sequence[int]]) -> None:
    """Turn each product of a constant matrix by a map: one scale a row is one a filter, then.

    known: shapes of tensors
    """
    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        first = constants.get(node.input[0]) if node.op_type == "MatMul" else None
        rank = len(known.get(node.input[1], ())) if len(node.input) > 1 else 0
        if first is None or len(first.dims) != 2 or node.input[1] in constants or rank < 2:
            nodes.append(node)
            continue
        name, source = node.output[0], node.input[1]
        swapped = {"perm": [*range(rank - 2), rank - 1, rank - 2]}
        matrix = onnx.numpy_helper.to_array(first).T
        turned = onnx.numpy_helper.from_array(np.ascontiguousarray(matrix), f"{name}/weights")
        graph.initializer.append(turned)
        parts: tuple[tuple[str, list[str], str, dict[str, Any]], ...] = (
            ("Transpose", [source], f"{name}/turned", swapped),
            ("MatMul", [f"{name}/turned", turned.name], f"{name}/product", {}),
            ("Transpose", [f"{name}/product"], name, swapped),
        )
        nodes += [
            onnx.helper.make_node(kind, given, [made], f"{node.name}/{made}", **keys)
            for kind, given, made, keys in parts
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def scales_of_inputs(
    graph: onnx.GraphProto,
    image: str,
    given: NDArray[np.float32],
    kind: np.dtype[Any],
    parts: Mapping[str, tuple[int, int]],
    *,
    step: Step,
) -> dict[str, Any]:
    """Return what `image_scale` does, for each input that an image holds."""
    if not parts:
        return image_scale(graph, image, given, kind, step=step)
    overrides: dict[str, Any] = {}
    for name, (low, high) in parts.items():
        overrides |= image_scale(graph, name, given[:, low:high], kind, step=step)
    return overrides


def image_scale(
    graph: onnx.GraphProto,
    image: str,
    given: NDArray[np.float32],
    kind: np.dtype[Any],
    *,
    step: Step,
) -> dict[str, Any]:
    """Return one scale and zero point for the image and all that only rearranges it.

    Empty where the library may choose: nothing rearranges an image of real numbers. What
    rearranges the image reads it through an Identity, so that it is quantized before.
    """
    if any(node.op_type in REARRANGING and image in node.input for node in graph.node):
        read = f"{image}/read"
        for node in graph.node:
            node.input[:] = [read if name == image else name for name in node.input]
        behind = next((n + 1 for n, each in enumerate(graph.node) if image in each.output), 0)
        graph.node.insert(behind, onnx.helper.make_node("Identity", [image], [read], read))
    moved = [image]
    for node in graph.node:
        if node.op_type in REARRANGING and node.input[0] in moved:
            moved += node.output
    scale, zero = step.scale, float(step.zero_point)
    if kind != np.uint8:
        if len(moved) == 1:
            return {}
        low, high = min(float(given.min()), 0.0), max(float(given.max()), 0.0)
        scale = (high - low) / 255 or 1.0
        zero = round(-low / scale)
    numbers = {"scale": np.array(scale, np.float32), "zero_point": np.array(zero, np.uint8)}
    return {name: [numbers] for name in moved}


def scales_of_weights(
    graph: onnx.GraphProto, given: Sequence[GridWeights]
) -> dict[str, list[dict[str, Any]]]:
    """Return the scale of each filter for the weights that have one, by their name in the graph.

    Preparation renames weights and turns matrices: they are known by their values.
    """
    overrides = {}
    for tensor in graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        for weights, scales in given:
            flat = weights.reshape(len(weights), -1)
            turned = array.ndim == 2 and np.array_equal(array.T, flat)
            same = array.size == weights.size and len(array) == len(weights)
            if turned or (same and np.array_equal(array.reshape(flat.shape), flat)):
                zero, axis = np.array(0, np.int8), 1 if turned else 0
                overrides[tensor.name] = [
                    {"scale": np.array(each, np.float32), "zero_point": zero, "axis": axis}
                    for each in scales
                ]
    return overrides


def scales_of_queries(graph: onnx.GraphProto) -> dict[str, list[dict[str, Any]]]:
    """Return one scale for each constant of heads that is multiplied by a map, as a map has it."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    overrides = {}
    for node in graph.node:
        given = constants.get(node.input[0]) if node.op_type == "MatMul" else None
        if given is None or len(given.dims) != HEADS_RANK or node.input[1] in constants:
            continue
        largest = float(np.abs(onnx.numpy_helper.to_array(given)).max()) or 1.0
        scale, zero = np.array(largest / 127, np.float32), np.array(128, np.uint8)
        numbers = {"scale": scale, "zero_point": zero, "quant_type": QuantType.QUInt8}
        overrides[given.name] = [numbers]
    return overrides


def with_ends(graph: onnx.GraphProto, single: set[str], states: Collection[str]) -> None:
    """Put an Identity behind each function of one map, which is quantized as any other node is.

    A state that a function writes is what the Identity writes.

    Some readers, such as MaxPool, have their input quantized only if its writer is.
    """
    outside = {name for node in graph.node if node.name not in single for name in node.input}
    nodes: list[onnx.NodeProto] = []
    ends: dict[str, str] = {}
    for node in graph.node:
        if node.name not in single:
            for place, name in enumerate(node.input):
                node.input[place] = ends.get(name, name)
        nodes.append(node)
        if node.name in single and node.output[0] in states:
            state, node.output[0] = node.output[0], f"{node.output[0]}/value"
            nodes.append(onnx.helper.make_node("Identity", node.output, [state], f"{state}/end"))
        elif node.name in single and node.output[0] in outside:
            end = ends[node.output[0]] = f"{node.output[0]}/end"
            nodes.append(onnx.helper.make_node("Identity", [node.output[0]], [end], end))
    del graph.node[:]
    graph.node.extend(nodes)


def with_signs(graph: onnx.GraphProto) -> None:
    """Put an Identity between an output and the activation that reads it.

    The library quantizes what one activation alone reads in that one's range; an output keeps its.
    """
    outputs, nodes = {each.name for each in graph.output}, list[onnx.NodeProto]()
    for node in graph.node:
        if node.op_type in ACTIVATIONS and node.input[0] in outputs:
            signed, read = node.input[0], f"{node.output[0]}/read"
            nodes.append(onnx.helper.make_node("Identity", [signed], [read], read))
            node.input[0] = read
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
