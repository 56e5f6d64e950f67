"""The JSON Schema of the graph in a network file, generated from the type that reads it.

Tests: `tests/docs/test_network_file.py`.
"""

import json
from typing import Any

from pydantic import TypeAdapter

from hwgen.network import Graph
from hwgen.network.shared import VERSION_5


def graph_schema() -> str:
    """Return the schema as JSON."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TypeAdapter(Graph).json_schema(),
        "title": "The layer graph of a quantized network file (array `graph` of the .npz)",
    }
    # A file may share arrays; the graph that is read from it has the version without them.
    schema["properties"]["version"]["enum"].append(VERSION_5)
    return json.dumps(schema, indent=2) + "\n"
