"""Token ids as the input of a network: the host looks rows of a table up, which are the image.

The node that looks them up is taken out of the model, and its output is the input then, with a name
that says which table it is of. The table itself stays in the model, for the network file.

Tests: `tests/commands/test_tokens.py`.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from hwgen.errors import FormatError
from hwgen.importers.onnx.external import read_whole_model
from hwgen.importers.onnx.operators import SHAPE_READERS
from hwgen.importers.onnx.qdq.state import State
from hwgen.importers.onnx.qdq.values import Constant
from hwgen.network.tokens import TokenRows, check_ids

ROWS_OF = "/rows_of/"
"""Stands in the name of an image of rows, between that of the ids and that of the table."""
IDS = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)
RANK = 2


def with_rows_given(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose input is rows of a table; the same where it looks nothing up.

    Several tables, ids that are read otherwise, too, and tables that are computed stay as they are.
    """
    graph = model.graph
    found = next((each for each in graph.input if is_ids(each)), None)
    if found is None:
        return model
    readers = [
        node
        for node in graph.node
        if found.name in node.input and node.op_type not in SHAPE_READERS
    ]
    if len(readers) != 1 or not looks_up(readers[0], found.name):
        return model
    table, output = readers[0].input[0], readers[0].output[0]
    sides = sides_of(graph, table)
    if len(sides) != RANK:
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    name = f"{found.name}{ROWS_OF}{table}"
    kept = [node for node in copy.graph.node if node.output[:1] != [output]]
    for node in kept:
        node.input[:] = [name if each == output else each for each in node.input]
    inputs = [each for each in copy.graph.input if each.name != found.name]
    kinds = (each.data_type for each in graph.initializer if each.name == table)
    kind = next(kinds, onnx.TensorProto.FLOAT)
    given = helper.make_tensor_value_info(name, kind, None)
    shape = given.type.tensor_type.shape
    shape.dim.extend(found.type.tensor_type.shape.dim)
    shape.dim.add().dim_value = sides[1]
    del copy.graph.node[:], copy.graph.input[:]
    copy.graph.node.extend(kept)
    copy.graph.input.extend([given, *inputs])
    return copy


def is_ids(tensor: onnx.ValueInfoProto) -> bool:
    """Return whether an input is ids, (batch, tokens)."""
    about = tensor.type.tensor_type
    return about.elem_type in IDS and len(about.shape.dim) == RANK


def looks_up(node: onnx.NodeProto, ids: str) -> bool:
    """Return whether a node looks rows up."""
    axis = next((each.i for each in node.attribute if each.name == "axis"), 0)
    return node.op_type == "Gather" and node.input[1] == ids and axis == 0


def sides_of(graph: onnx.GraphProto, table: str) -> list[int]:
    """Return the sides of a stored table, which may be dequantized; empty: it is not stored."""
    stored = {each.name: list(each.dims) for each in graph.initializer}
    for node in graph.node:
        if table in node.output and node.op_type == "DequantizeLinear":
            return stored.get(node.input[0], [])
    return stored.get(table, [])


def table_of(model: onnx.ModelProto) -> onnx.TensorProto | None:
    """Return the table whose rows are the image of a float model; None: it has none."""
    name = next((each.name for each in model.graph.input if ROWS_OF in each.name), "")
    wanted = name.partition(ROWS_OF)[2]
    return next((each for each in model.graph.initializer if wanted and each.name == wanted), None)


def keep_table(made: onnx.ModelProto, model: onnx.ModelProto) -> None:
    """Store the table of a model in one that was made of it, for whoever reads it next."""
    table = table_of(model)
    if table is not None and all(each.name != table.name for each in made.graph.initializer):
        made.graph.initializer.append(table)


def rows_of_ids(path: Path, ids: NDArray[np.int64], source: str) -> NDArray[np.float32]:
    """Return images of sequences of ids, (sequences, tokens, 1, channels), for a float file.

    Raises FormatError for a file that looks no rows up, DataError for an id outside its table;
    source: of the ids
    """
    table = table_of(with_rows_given(read_whole_model(path)))
    if table is None:
        raise FormatError(
            field="the network",
            allowed="one whose input is ids of one stored table, for a text of ids",
            given="another: give a .npz with `images`",
            source=str(path),
        )
    rows = numpy_helper.to_array(table).astype(np.float32)
    check_ids(ids, len(rows), table.name, source)
    return rows[ids][:, :, np.newaxis]


def token_rows_of(state: State) -> TokenRows | None:
    """Return the rows that the host looks up, as integers of the image; None: there are none."""
    name = state.image_name.partition(ROWS_OF)[2]
    table = state.values.get(name) if name else None
    if not isinstance(table, Constant) or state.input not in state.maps:
        return None
    image = state.maps[state.input]
    steps = np.rint(table.array.astype(np.float32) / np.float32(image.scale)) + image.zero_point
    integers = steps.clip(image.low, image.high) + image.offset
    return TokenRows(name=name, rows=integers.astype(np.uint8))
