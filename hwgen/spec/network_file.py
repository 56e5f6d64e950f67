"""Read and write the hand-over: one `.npz` without pickle, a JSON graph inside (`graph`)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from hwgen.errors import FormatError
from hwgen.spec.load import first_mistake
from hwgen.spec.network import FORMAT, PARAMETER_TYPES, VERSION, Graph, Parameters, QuantizedNetwork
from hwgen.spec.network_check import check_network
from hwgen.spec.npz import read_npz, write_npz

GRAPH_KEY = "graph"


def save_network(network: QuantizedNetwork, path: Path) -> None:
    """Write the hand-over; the file is whole or absent, and its bytes depend on content only."""
    check_network(network, source=str(path))
    text = json.dumps(TypeAdapter(Graph).dump_python(network.graph), indent=1)
    arrays: dict[str, NDArray[Any]] = {GRAPH_KEY: np.frombuffer(text.encode(), dtype=np.uint8)}
    for name in sorted(network.parameters):
        for key in PARAMETER_TYPES:
            arrays[f"{name}.{key}"] = getattr(network.parameters[name], key)
    write_npz(path, arrays, what="network")


def load_network(path: Path) -> QuantizedNetwork:
    """Return the network in `path`; every mistake in the file is one sentence."""
    source = str(path)
    arrays = read_npz(path, what="network", allowed=f"a whole {FORMAT} file (.npz)")
    if GRAPH_KEY not in arrays:
        raise FormatError(
            field="the file", allowed=f"a {FORMAT} file", given="no graph inside", source=source
        )
    graph = parse_graph(arrays.pop(GRAPH_KEY), source)
    parameters = {}
    for layer in graph.layers:
        if layer.op in ("conv", "linear"):
            found = {key: take(arrays, f"{layer.name}.{key}", source) for key in PARAMETER_TYPES}
            parameters[layer.name] = Parameters(**found)
    if arrays:
        raise FormatError(
            field="every array", allowed="of a layer", given=min(arrays), source=source
        )
    network = QuantizedNetwork(graph=graph, parameters=parameters)
    check_network(network, source=source)
    return network


def parse_graph(text: NDArray[Any], source: str) -> Graph:
    """Return the graph from its JSON bytes."""
    try:
        plain = json.loads(text.tobytes())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise FormatError(
            field="graph", allowed="JSON", given="other bytes", source=source
        ) from None
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        given = plain.get("format") if isinstance(plain, dict) else type(plain).__name__
        raise FormatError(field="format", allowed=FORMAT, given=given, source=source)
    if plain.get("version") != VERSION:
        raise FormatError(
            field="version", allowed=VERSION, given=plain.get("version"), source=source
        )
    try:
        return TypeAdapter(Graph).validate_json(text.tobytes())
    except ValidationError as error:
        raise first_mistake(error, source, FormatError) from None


def take(arrays: dict[str, NDArray[Any]], key: str, source: str) -> NDArray[Any]:
    """Remove and return one array."""
    if key not in arrays:
        raise FormatError(field=key, allowed="present", given="nothing", source=source)
    return arrays.pop(key)
