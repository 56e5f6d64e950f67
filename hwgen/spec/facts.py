"""The facts of a file: JSON in an array of a `.npz`, with a format, a version and a known shape."""

import json
from typing import Any, TypeVar

from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from hwgen.errors import FormatError
from hwgen.spec.load import first_mistake

Facts = TypeVar("Facts")

FACTS_KEY = "facts"
"""Name of the array."""


def parse_facts(
    text: NDArray[Any], kind: type[Facts], *, file_format: str, version: int, source: str
) -> Facts:
    """Return the facts, a `kind`, from their JSON bytes; `file_format` and `version` must match."""
    try:
        plain = json.loads(text.tobytes())
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise FormatError(
            field=FACTS_KEY, allowed="JSON", given="other bytes", source=source
        ) from None
    given = plain if isinstance(plain, dict) else {}
    for key, wanted in (("format", file_format), ("version", version)):
        if given.get(key) != wanted:
            raise FormatError(field=key, allowed=str(wanted), given=given.get(key), source=source)
    try:
        return TypeAdapter(kind).validate_json(text.tobytes())
    except ValidationError as error:
        raise first_mistake(error, source, FormatError) from None
