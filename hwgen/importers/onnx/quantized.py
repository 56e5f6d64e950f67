"""Read an ONNX model with QuantizeLinear and DequantizeLinear as an integer graph."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnx
import onnx.version_converter

from hwgen.errors import KNOWN_OPERATOR, FormatError
from hwgen.importers.integer import IntegerGraph, Unsupported, refusals_of
from hwgen.importers.integer import folded as folded_nodes
from hwgen.importers.integer.moves import Places
from hwgen.importers.integer.refused import RefusedError, advice
from hwgen.importers.onnx.check import has_graph, node_name, opset_of
from hwgen.importers.onnx.external import read_whole_model
from hwgen.importers.onnx.grid_weights import told_in
from hwgen.importers.onnx.inputs import joined_inputs, said_of_inputs
from hwgen.importers.onnx.layout import image_shape, layout_of, said_of_tokens
from hwgen.importers.onnx.masks import without_causal_masks
from hwgen.importers.onnx.qdq import (
    arithmetic,
    functions,
    grids,
    pools,
    rearrange,
    resize,
    tokens,
    windows,
)
from hwgen.importers.onnx.qdq.ahead import with_pairs_ahead
from hwgen.importers.onnx.qdq.answers import answers, endings_of
from hwgen.importers.onnx.qdq.constants import COMPUTED, REARRANGING, folded, stored
from hwgen.importers.onnx.qdq.integer_bias import with_integer_biases
from hwgen.importers.onnx.qdq.notes import Annotations
from hwgen.importers.onnx.qdq.qonnx import (
    QONNX_DOMAINS,
    is_qonnx,
    read_quantized_model,
    without_quants,
)
from hwgen.importers.onnx.qdq.qoperator import DYNAMIC, in_qdq_style
from hwgen.importers.onnx.qdq.quant import refusal_of
from hwgen.importers.onnx.qdq.raw_image import PREPROCESSING, image_step, raw_image_of
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import (
    Constant,
    Image,
    Layout,
    Real,
    Unknown,
    Value,
)
from hwgen.importers.onnx.read import Opened, opened
from hwgen.importers.onnx.recurrent import GATES
from hwgen.importers.onnx.rms_norm import with_norms_whole
from hwgen.importers.onnx.shapes import infer, shapes_of
from hwgen.importers.onnx.token_ids import token_rows_of, with_rows_given

Handler = Callable[[State, onnx.NodeProto, list[Value | None]], list[Value]]

DOMAINS = ("", "ai.onnx", "com.microsoft")
OLDEST_OPSET, LEAST_OPSET = 10, 13
"""The first with QuantizeLinear, and the one to which onnx's converter brings older ones."""
WEIGHTS_ALONE = frozenset({"GatherBlockQuantized", "MatMulBnb4", "MatMulNBits"})
"""Operators of onnxruntime with weights of few bits and real maps."""
MOST_STEPS = 200
"""Nodes at most that are read as one layer; functions of functions are computed by recursion."""
MOST_COMPUTED = 1 << 26
"""Elements that nodes compute of constants, all together; a node beyond it computes nothing."""
AS_WRITTEN = "the file is read as it is written"
NO_RUNTIME = (
    f"{AS_WRITTEN}: onnxruntime, which may rewrite it before it computes, is not installed"
    " (pip install onnxruntime)"
)
LARGEST_IMAGE = 1 << 24
"""Elements of the image at most."""

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "Add": arithmetic.add,
        "AveragePool": pools.average_pool,
        "BatchNormalization": arithmetic.batch_normalization,
        "Cast": rearrange.cast,
        "Clip": functions.clip,
        "Concat": arithmetic.concatenate,
        "Conv": windows.conv,
        "ConvTranspose": windows.conv_transpose,
        "DepthToSpace": rearrange.rearrange,
        "DequantizeLinear": grids.dequantize,
        "Div": arithmetic.divide,
        "Dropout": rearrange.unchanged,
        "Expand": rearrange.rearrange,
        "Flatten": rearrange.rearrange,
        "Gather": rearrange.rearrange,
        "Gemm": arithmetic.gemm,
        "GlobalAveragePool": pools.global_average_pool,
        "GlobalMaxPool": pools.global_max_pool,
        "Identity": rearrange.unchanged,
        "LayerNormalization": tokens.layer_normalization,
        "LogSoftmax": rearrange.head,
        "MatMul": tokens.matmul,
        "Max": arithmetic.extremum,
        "MaxPool": pools.max_pool,
        "Min": arithmetic.extremum,
        "Mul": arithmetic.multiply,
        "PRelu": functions.prelu,
        "RMSNormalization": tokens.layer_normalization,
        "Pad": rearrange.pad,
        "QuantizeLinear": grids.quantize,
        "ReduceMax": pools.reduced,
        "ReduceMean": pools.reduced,
        "Relu": functions.clip,
        "Resize": resize.resize,
        "Reshape": rearrange.rearrange,
        "Slice": rearrange.rearrange,
        "SimplifiedLayerNormalization": tokens.layer_normalization,
        "Softmax": tokens.softmax,
        "SpaceToDepth": rearrange.rearrange,
        "Split": rearrange.rearrange,
        "Squeeze": rearrange.rearrange,
        "Sub": arithmetic.subtract,
        "Tile": rearrange.rearrange,
        "Transpose": rearrange.rearrange,
        "Unsqueeze": rearrange.rearrange,
        "Where": tokens.where,
        **dict.fromkeys(functions.FUNCTIONS, functions.unary),
    }
)
"""What reads each operator where it depends on the image."""


@dataclass(frozen=True)
class Written:
    """What a file tells that is not seen any more in what onnxruntime makes of it.

    model: names its inputs; layout: of the image, None: the model that is read shows it
    bits: of constants by name, where a Clip says them
    """

    model: onnx.ModelProto
    layout: Layout | None = None
    bits: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, model: onnx.ModelProto, state: State) -> "Written":
        """Return what the model of a file tells, and its reading."""
        constants = {
            name: each for name, each in state.values.items() if isinstance(each, Constant)
        }
        return cls(
            model, state.layout, {name: each.bits for name, each in constants.items() if each.bits}
        )


def read_integer_graph(path: Path) -> IntegerGraph:
    """Return the integer graph of an ONNX file; nodes that cannot be read stand in it as such."""
    graph = integer_graph_of(read_whole_model(path), name=path.stem, source=str(path))
    return replace(graph, model=lambda: read_quantized_model(path))


def integer_graph_of(model: onnx.ModelProto, *, name: str, source: str) -> IntegerGraph:
    """Return the integer graph of a model that came from `source`, and as onnxruntime runs it.

    Without onnxruntime, and of QONNX, which it does not read, the model stands as it is written.
    Raises FormatError for a model that is damaged or not quantized at all.
    """
    model = with_rows_given(model)
    given = in_known_opset(without_quants(joined_inputs(model).model, source), source)
    state, graph = graph_read(given, name=name, source=source)
    if is_qonnx(model) or state.unknown_constants:
        return graph
    try:
        from hwgen.importers.onnx.session_graph import RUNTIME, as_session_runs
    except ModuleNotFoundError:
        return replace(graph, unread=NO_RUNTIME)
    try:
        runs = in_known_opset(joined_inputs(as_session_runs(model, source)).model, source)
        runs = with_integer_biases(runs)
        _, in_session = graph_read(runs, name=name, source=source, written=Written.of(given, state))
    except FormatError as error:
        sentence = str(error).removesuffix(f" ({source})")
        return replace(graph, unread=f"{AS_WRITTEN}: {sentence}")
    refused = refusals_of(folded_nodes(in_session))
    if refused and not refusals_of(folded_nodes(graph)):
        what = f"{RUNTIME} makes a graph of it that cannot be read: {refused[0].sentence}"
        return replace(graph, unread=f"{AS_WRITTEN}: {what}")
    in_session = replace(in_session, model=graph.model, token_rows=graph.token_rows)
    return replace(graph, in_session=in_session, runtime=RUNTIME)


def part_read(model: onnx.ModelProto, *, name: str, source: str) -> tuple[State, IntegerGraph]:
    """Return the reading and the integer graph of a part of what a session runs.

    Its ends are read by others: no function there is left out.
    """
    return graph_read(with_integer_biases(model), name=name, source=source, whole=True)


def graph_read(
    model: onnx.ModelProto,
    *,
    name: str,
    source: str,
    written: Written | None = None,
    whole: bool = False,
) -> tuple[State, IntegerGraph]:
    """Return the integer graph of a model as it stands; written: what else is known of it.

    whole: see `IntegerGraph`
    """
    written = written or Written(model)
    state, annotations = read_state(model, source, written, whole=whole)
    ends = answers(state, model)
    return state, IntegerGraph(
        name=name,
        source=source,
        format="ONNX",
        input=state.input,
        outputs=tuple(dict.fromkeys(name for each in ends.values() for name in each.maps)),
        maps=state.maps,
        nodes=tuple(state.nodes),
        notes=tuple(state.notes),
        raw_image=raw_image_of(state),
        ends=ends,
        answer_places=state.order,
        behind=(*said_of_inputs(written.model), *dict.fromkeys(state.behind)),
        token_rows=token_rows_of(state),
        remarks=tuple(dict.fromkeys((*told_in(written.model), *state.remarks))),
        kernels=None if annotations.notes is None else "half_up",
        finish=annotations.finish,
        model=lambda: model,
        reading=lambda: read_state(model, source, written)[0],
        whole=whole,
    )


def read_state(
    model: onnx.ModelProto, source: str, written: Written | None = None, *, whole: bool = False
) -> tuple[State, Annotations]:
    """Return what is known of every tensor of a model, and what the model notes besides.

    written: what the file tells that the model came from; None: the model is that of the file
    whole: see `IntegerGraph`
    """
    written = written or Written(model)
    refuse_dynamic(model, source)
    model = in_qdq_style(model)
    ready = opened(model, source)
    opset = checked(model, source)
    model, causal = with_causal_softmaxes(model)
    model = with_pairs_ahead(model)
    model, _ = with_norms_whole(model, lambda: shapes_of(ready.slim, source).known)
    annotations = Annotations.of(model)
    state = State(opset=opset, source=source, refine=annotations.refine, causal=causal, whole=whole)
    read_nodes(state, model, ready, written)
    if state.parts.settle(state.image_shape[2]):
        state = State(
            opset=opset,
            source=source,
            refine=state.refine,
            parts=state.parts,
            causal=causal,
            whole=whole,
        )
        read_nodes(state, model, ready, written)
    return state, annotations


def with_causal_softmaxes(model: onnx.ModelProto) -> tuple[onnx.ModelProto, frozenset[str]]:
    """Return a model without causal masks that no quantizer sees, and the softmaxes behind them."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    found = without_causal_masks(copy.graph)
    return (copy, frozenset(found)) if found else (model, frozenset())


def read_nodes(state: State, model: onnx.ModelProto, ready: Opened, written: Written) -> None:
    """Find what is known of every tensor."""
    for tensor in model.graph.initializer:
        found = stored(tensor, state.source)
        state.values[tensor.name] = replace(found, bits=written.bits.get(tensor.name))
    begin(state, ready, written)
    state.readers.update(name for node in model.graph.node for name in node.input)
    state.readers.update(output.name for output in model.graph.output)
    state.endings = endings_of(model.graph)
    for number, proto in enumerate(model.graph.node, start=1):
        state.place = f"node {number} of {len(model.graph.node)}"
        read_node(state, proto)


def in_known_opset(model: onnx.ModelProto, source: str) -> onnx.ModelProto:
    """Return a model of an older opset as one of the least that is read.

    Raises FormatError for a model that onnx's own converter does not take.
    """
    opset = opset_of(model)
    if not OLDEST_OPSET <= opset < LEAST_OPSET:
        return model
    # The converter trusts what it is given.
    _, _ = infer(opened(model, source).slim, source)
    try:
        return onnx.version_converter.convert_version(model, LEAST_OPSET)
    except Exception:  # the library raises errors of many kinds, of its own lines
        raise FormatError(
            field="the opset",
            allowed=f"{LEAST_OPSET} or newer, or one that onnx.version_converter converts",
            given=opset,
            source=source,
        ) from None


def refuse_dynamic(model: onnx.ModelProto, source: str) -> None:
    """Refuse a model whose maps have no fixed scale, or that feeds back."""
    fed_back = next((node for node in model.graph.node if node.op_type in GATES), None)
    if fed_back is not None:
        raise FormatError(
            field="the network",
            allowed="without recurrence: import the float file with --calibrate images.npz, which"
            " writes a fixed number of steps out",
            given=f"node {node_name(fed_back)} ({fed_back.op_type})",
            source=source,
        )
    found = next((node for node in model.graph.node if node.op_type in DYNAMIC), None)
    if found is not None:
        raise FormatError(
            field="the quantization",
            allowed="static, with a fixed scale for each map: import the float model with"
            " --calibrate images.npz, or write it by quantize_static",
            given=f"dynamic, a new scale for each image, at node {node_name(found)}"
            f" ({found.op_type})",
            source=source,
        )


def checked(model: onnx.ModelProto, source: str) -> int:
    """Refuse a model that is damaged, old or not quantized; return its opset."""
    graph = model.graph
    if not graph.output:
        raise FormatError(
            field="the network", allowed="ONNX with outputs", given="none", source=source
        )
    opset = opset_of(model)
    if opset < LEAST_OPSET:
        raise FormatError(
            field="the opset", allowed=f"{OLDEST_OPSET} or newer", given=opset, source=source
        )
    used = {node.op_type for node in graph.node}
    if used.isdisjoint(("QuantizeLinear", "DequantizeLinear")) and not is_qonnx(model):
        blocks = next((node for node in graph.node if node.op_type in WEIGHTS_ALONE), None)
        given = "float ONNX"
        if blocks is not None:
            given = f"weights alone in blocks (node {node_name(blocks)}, {blocks.op_type})"
        raise FormatError(
            field="the network",
            allowed="quantized (QuantizeLinear, DequantizeLinear), or float ONNX imported with"
            " --calibrate",
            given=given,
            source=source,
        )
    return opset


def begin(state: State, ready: Opened, written: Written) -> None:
    """Check the model by onnx's own checker, and set rows, columns and channels of the image."""
    _, _ = infer(ready.slim, state.source)
    declared, sides = ready.image, ready.sides
    elements = np.prod(sides, dtype=np.float64)
    if not 2 <= len(sides) <= 4 or elements > LARGEST_IMAGE:
        raise FormatError(
            field=f"input {declared.name}",
            allowed=f"of rank 2 to 4 and at most {LARGEST_IMAGE} elements",
            given=" x ".join(str(side) for side in sides),
            source=state.source,
        )
    state.batch, state.image_name = sides[0], declared.name
    state.layout = written.layout or layout_of(ready, state.source)
    places = image_places(state, sides, state.layout)
    kind = onnx.helper.tensor_dtype_to_np_dtype(declared.type.tensor_type.elem_type)
    integer = kind.name in ("uint8", "int8", "uint16", "int16")
    state.image_type = kind if integer else None
    image = Image(places=places, integer=integer, half=kind == np.float16)
    state.values[declared.name] = state.given = image


def image_places(state: State, sides: tuple[int, ...], layout: Layout) -> Places:
    """Return the places of the image, and remember its rows, columns and channels."""
    state.image_shape = image_shape(sides, layout)
    if layout == "planes":
        return state.planes(state.image_shape).reshape(sides)
    if layout == "tokens":
        state.remarks.append(said_of_tokens(state.image_name, sides))
    return state.places(state.image_shape).reshape(sides)


def read_node(state: State, proto: onnx.NodeProto) -> None:
    """Read one node; a node that cannot be read stands in the graph as unsupported."""
    inputs = [state.values.get(name) if name else None for name in proto.input]
    try:
        results = well_formed(state, proto, inputs)
    except RefusedError as error:
        if all(is_constant(each) for each in inputs) and not has_graph(proto):
            results = [Unknown(error=error.of(node_name(proto), proto.op_type))]
            state.unknown_constants = True
        else:
            refuse(state, proto, inputs, error)
            results = [Unknown()]
            state.unknown_constants |= has_graph(proto)
    if len(results) < len(proto.output):
        # Masks and indices are not read; what needs one is refused.
        results = [*results, *[Unknown()] * (len(proto.output) - len(results))]
    for name, value in zip(proto.output, results, strict=False):
        if name:
            state.values[name] = value


def is_constant(value: Value | None) -> bool:
    """Return whether a value does not depend on the image, be it read or not."""
    return isinstance(value, Constant | None) or (
        isinstance(value, Unknown) and value.error is not None
    )


def well_formed(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Return what a node writes; attributes and shapes that contradict the standard are refused."""
    try:
        return results_of(state, proto, inputs)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        given = " ".join(str(error).split())[:100] or type(error).__name__
        raise RefusedError("its attributes and inputs", "as ONNX defines them", given) from error


OF_NORMS = frozenset({"Pow"})
"""Operators that are read as a part of a norm alone."""


def results_of(state: State, proto: onnx.NodeProto, inputs: list[Value | None]) -> list[Value]:
    """Return what a node writes."""
    if proto.domain in QONNX_DOMAINS:
        known = [each.array if isinstance(each, Constant) else None for each in inputs]
        raise refusal_of(proto, known)
    if proto.domain not in DOMAINS:
        unknown = f"{proto.domain}.{proto.op_type} as {state.place}"
        raise RefusedError("the operator", KNOWN_OPERATOR, unknown)
    if has_graph(proto):
        raise RefusedError(
            "the operator",
            "without branches or loops: export the part that runs, with constant conditions",
            f"{proto.op_type} as {state.place}",
        )
    constants = [each for each in inputs if isinstance(each, Constant | None)]
    if len(constants) == len(inputs):
        return list(constants_of(state, proto, constants))
    check_known(inputs)
    if proto.op_type == "Shape":
        first = inputs[0]
        assert isinstance(first, Real | Image)
        shape = np.array(first.places.shape, np.int64)
        given = {each.name: each.i for each in proto.attribute}
        return [Constant(array=shape[given.get("start", 0) : given.get("end", len(shape))])]
    image = any(isinstance(each, Image) for each in inputs)
    if image and proto.op_type in PREPROCESSING:
        return image_step(state, proto, inputs)
    if proto.op_type not in HANDLERS:
        allowed = KNOWN_OPERATOR
        if proto.op_type in OF_NORMS:
            allowed += advice(
                ", where a norm that is written out is not quantized in parts: import the float"
                " file with --calibrate"
            )
        raise RefusedError("the operator", allowed, f"{proto.op_type} as {state.place}")
    results = HANDLERS[proto.op_type](state, proto, inputs)
    check_trails(results)
    return results


def constants_of(
    state: State, proto: onnx.NodeProto, inputs: list[Constant | None]
) -> list[Constant]:
    """Return the constants that a node computes; RefusedError if a file computes too many."""
    if state.computed > MOST_COMPUTED:
        allowed = f"of at most {MOST_COMPUTED} elements with all that is computed of constants"
        raise RefusedError("its output", allowed, "more")
    results = folded(proto, inputs, state.opset)
    if proto.op_type in COMPUTED - REARRANGING:
        state.computed += sum(each.array.size for each in results)
    return results


def check_known(inputs: list[Value | None]) -> None:
    """Refuse an input that could not be read."""
    for each in inputs:
        if isinstance(each, Unknown) and each.error is not None:
            raise each.error
        if isinstance(each, Unknown):
            raise RefusedError("its input", "readable", "that of a refused node")


def check_trails(results: list[Value]) -> None:
    """Refuse too many nodes between two quantizations."""
    reals = [each for each in results if isinstance(each, Real)]
    longest = max((len(each.trail) for each in reals), default=0)
    if longest > MOST_STEPS:
        allowed = f"at most {MOST_STEPS} nodes"
        raise RefusedError("what stands between two quantizations", allowed, longest)


def refuse(
    state: State, proto: onnx.NodeProto, inputs: list[Value | None], error: RefusedError
) -> None:
    """Append a node that cannot be read; what only reads from one is not repeated."""
    names = []
    for name, value in zip(proto.input, inputs, strict=True):
        if isinstance(value, Real):
            base = value.base
            names.append(base if isinstance(base, str) else base.inputs[0])
        elif isinstance(value, Image):
            names.append(state.input or name)
        elif isinstance(value, Unknown):
            names.append(name)
    unread = any(isinstance(each, Unknown) and each.error is None for each in inputs)
    written = [output for output in proto.output if output]
    for output in written:
        first = output == written[0]
        state.nodes.append(
            Unsupported(
                name=error.node or node_name(proto),
                operator=error.operator or proto.op_type,
                inputs=tuple(names) if first else (written[0],),
                output=output,
                what=error.what,
                allowed=error.allowed,
                given=error.given,
                dependent=unread or not first,
            )
        )
