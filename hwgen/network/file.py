"""Read and write the quantized network file: one `.npz` without pickle, a JSON graph inside."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from hwgen.errors import FormatError
from hwgen.files.json_text import check_header, plain_json
from hwgen.files.load import first_mistake
from hwgen.files.npz import read_npz, write_npz
from hwgen.files.shipped import network_file
from hwgen.network.check import check_network
from hwgen.network.graph import (
    ANSWER_PLACES,
    FORMAT,
    RAW_IMAGE,
    TOKENIZER,
    VERSION,
    VERSION_4,
    VERSION_6,
    Graph,
    QuantizedNetwork,
)
from hwgen.network.host import RawImage
from hwgen.network.layer import Arrays
from hwgen.network.shared import SHARED, VERSION_5, SharedArrays, from_version_5, stored_once
from hwgen.network.table import Table
from hwgen.network.tokens import TOKEN_PLACES, TOKEN_ROWS, TOKEN_TABLE, TokenRows
from hwgen.network.version_2 import VERSION_2, from_version_2
from hwgen.network.weights import PARAMETER_TYPES, Parameters

GRAPH_KEY, PLAN_KEY = "graph", "plan"
"""In the archive of a network; in that of one that is cut, see `hwgen.plan`."""


def save_network(network: QuantizedNetwork, path: Path) -> None:
    """Write the network; the file is whole or absent, and its bytes depend on content only."""
    check_network(network, source=str(path))
    plain, arrays = stored_once(network.graph.plain(), dict(network.arrays()))
    text = json.dumps(plain, indent=1)
    graph: Arrays = {GRAPH_KEY: np.frombuffer(text.encode(), dtype=np.uint8)}
    write_npz(path, graph | arrays, what="network")


def load_network(path: Path) -> QuantizedNetwork:
    """Return the network in `path`, of any version; every mistake in the file is one sentence.

    path: of a file, or the name of a network that ships
    """
    source = str(path)
    arrays = read_npz(network_file(path), what="network", allowed=f"a whole {FORMAT} file (.npz)")
    if PLAN_KEY in arrays:
        raise FormatError(
            field="the network",
            allowed="one network here: hwgen import FILE --chip CHIP writes a plan, which hwgen"
            " run, model, compare and export take, and with --pieces FOLDER its networks, which"
            " every command takes",
            given="a plan of pieces for chip and host",
            source=source,
        )
    if GRAPH_KEY not in arrays:
        raise FormatError(
            field="the file", allowed=f"a {FORMAT} file", given="no graph inside", source=source
        )
    plain = parse_json(arrays.pop(GRAPH_KEY), source)
    if plain["version"] == VERSION_2:
        plain, arrays = from_version_2(plain, arrays, source=source)
    elif plain["version"] == VERSION_5 or (plain["version"] == VERSION_6 and SHARED in arrays):
        plain, arrays = from_version_5(plain, arrays, source=source)
    arrays = SharedArrays().all_of(arrays)
    network = network_of(parse_graph(plain, source), arrays, source)
    check_network(network, source=source)
    return network


def parse_json(text: NDArray[Any], source: str) -> dict[str, Any]:
    """Return the graph as plain values, of a known format and version."""
    plain = plain_json(text.tobytes(), field=GRAPH_KEY, source=source)
    versions = [VERSION_6, VERSION_5, VERSION_4, VERSION, VERSION_2]
    return check_header(plain, file_format=FORMAT, versions=versions, source=source)


def parse_graph(plain: dict[str, Any], source: str) -> Graph:
    """Return the graph from plain values."""
    try:
        return TypeAdapter(Graph).validate_json(json.dumps(plain))
    except ValidationError as error:
        raise first_mistake(error, source, FormatError) from None


def network_of(graph: Graph, arrays: Arrays, source: str) -> QuantizedNetwork:
    """Return the network with its arrays sorted to their layers."""
    left = dict(arrays)
    raw, places = left.pop(RAW_IMAGE, None), left.pop(ANSWER_PLACES, None)
    tokenizer = left.pop(TOKENIZER, None)
    tokens = None
    if TOKEN_ROWS in left:
        name, rows = name_of(left.pop(TOKEN_TABLE, None)), left.pop(TOKEN_ROWS)
        tokens = TokenRows(name=name, rows=rows, places=left.pop(TOKEN_PLACES, None))
    parameters, tables, held = {}, {}, {}
    for layer in graph.layers:
        keys = layer.ARRAY_TYPES
        found = {key: take(left, f"{layer.name}.{key}", source) for key in keys}
        if keys == PARAMETER_TYPES:
            parameters[layer.name] = Parameters(**found)
        elif keys == Table.ARRAY_TYPES:
            tables[layer.name] = found["table"]
        elif found:
            held[layer.name] = found
    if left:
        raise FormatError(field="every array", allowed="of a layer", given=min(left), source=source)
    return QuantizedNetwork(
        graph=graph,
        parameters=parameters,
        tables=tables,
        held=held,
        raw_image=None if raw is None else parse_raw_image(raw, source),
        answer_places=places,
        token_rows=tokens,
        tokenizer=tokenizer,
    )


def name_of(text: NDArray[Any] | None) -> str:
    """Return the name of a table."""
    return "" if text is None else text.tobytes().decode(errors="replace")


def parse_raw_image(text: NDArray[Any], source: str) -> RawImage:
    """Return what the host does to an image."""
    try:
        return TypeAdapter(RawImage).validate_json(text.tobytes())
    except ValidationError as error:
        raise first_mistake(error, source, FormatError) from None


def take(arrays: Arrays, key: str, source: str) -> NDArray[Any]:
    """Remove and return one array."""
    if key not in arrays:
        raise FormatError(field=key, allowed="present", given="nothing", source=source)
    return arrays.pop(key)
