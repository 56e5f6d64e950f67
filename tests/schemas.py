"""Reports against the schemas that `hwgen --schema` prints."""

import json
from functools import cache
from typing import Any

import jsonschema

from hwgen.commands.schemas import schema


@cache
def schema_named(name: str) -> Any:
    """Return a schema by its name."""
    return json.loads(schema(name))


def follows(content: Any, name: str) -> None:
    """Fail where a content does not follow the schema of this name."""
    jsonschema.validate(content, schema_named(name))
