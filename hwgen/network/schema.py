"""JSON Schemas of files, generated from the types that read them.

Tests: `tests/docs/test_network_file.py`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from hwgen.files.output import write_text
from hwgen.network import Graph
from hwgen.network.shared import VERSION_5

SCHEMAS: dict[str, tuple[Any, str]] = {
    "network.schema.json": (
        Graph,
        "The layer graph of a quantized network file (array `graph` of the .npz)",
    ),
}
"""File name -> type and title."""


def schema_text(name: str) -> str:
    """Return the schema as the text of its file."""
    described, title = SCHEMAS[name]
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TypeAdapter(described).json_schema(),
        "title": title,
    }
    # A file may share arrays; the graph that is read from it has the version without them.
    schema["properties"]["version"]["enum"].append(VERSION_5)
    return json.dumps(schema, indent=2) + "\n"


def write_schemas(folder: Path) -> None:
    """Write every schema into `folder`."""
    for name in SCHEMAS:
        write_text(folder / name, schema_text(name), what="schema")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
