"""Read a complete YAML file into a frozen pydantic dataclass; a mistake is one sentence."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from hwgen.errors import ConfigError, FieldError, FormatError
from hwgen.files.yaml_file import read_mapping, shortened

__all__ = [
    "EXACT",
    "field_error",
    "first_mistake",
    "load_spec",
    "read_mapping",
    "shortened",
    "validate_spec",
]

Spec = TypeVar("Spec")

EXACT = ConfigDict(extra="forbid", strict=True)
"""Of dataclasses that files fill: unknown keys are refused, and values keep their type."""

VERSION_KEY = "version"

PATTERNS = {
    "^[0-9a-f]{64}$": "a digest: 64 digits from 0 to f",
    "^[A-Za-z0-9_-]+$": "of letters from A to z, digits, _ and -",
    "^[A-Za-z0-9_.-]+$": "of letters from A to z, digits, _, . and -",
    "^[A-Za-z_][A-Za-z0-9_$]*$": "of letters from A to z, digits, _ and $, no digit first",
    "^[a-z][a-z0-9_]*$": "of letters from a to z, digits and _, a letter first",
}
"""What a text of a pattern is, in words."""

WORDS = {
    "dataclass_type": "a mapping",
    "dict_type": "a mapping",
    "int_from_float": "a valid integer",
    "int_parsing_size": "an integer of 64 bits",
    "invalid_key": "a mapping whose keys are text",
    "list_type": "a list",
    "none_required": "null",
    "string_too_long": "at most {max_length} characters long",
    "string_too_short": "at least {min_length} characters long",
    "too_long": "at most {max_length} long",
    "too_short": "at least {min_length} long",
    "tuple_type": "a list",
}
"""What pydantic tells in words of its own, in words of the file."""


def load_spec(spec_type: type[Spec], path: Path) -> Spec:
    """Return `spec_type` filled from `path`; the file names every field and nothing else."""
    return validate_spec(spec_type, read_mapping(path), source=str(path))


def validate_spec(spec_type: type[Spec], given: dict[str, Any], *, source: str) -> Spec:
    """Return `spec_type` filled from a mapping of JSON's values that came from `source`."""
    # Python takes true and 1.0 for 1.
    if isinstance(given.get(VERSION_KEY), bool | float):
        raise ConfigError(
            field=VERSION_KEY, allowed="an integer", given=given[VERSION_KEY], source=source
        )
    try:
        return TypeAdapter(spec_type).validate_json(json.dumps(given))
    except ValidationError as error:
        raise first_mistake(error, source) from None


def first_mistake(
    error: ValidationError,
    source: str,
    kind: type[ConfigError] | type[FormatError] = ConfigError,
) -> ConfigError | FormatError:
    """Return the first error of pydantic as field, allowed, given and file."""
    found = field_error(error)
    return kind(field=found.field, allowed=found.allowed, given=found.given, source=source)


def field_error(error: ValidationError) -> FieldError:
    """Return the first error of pydantic: that of a check of this project, or its own in words."""
    complaint = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in complaint["loc"]) or "the config"
    context = complaint.get("ctx", {})
    match complaint["type"]:
        case "missing":
            return FieldError(field, "present", "nothing")
        case "extra_forbidden" | "unexpected_keyword_argument":
            return FieldError(field, "a known key", f"the unknown key {complaint['loc'][-1]}")
        case "union_tag_invalid":
            tagged = f"{field}.{context['discriminator']}".replace("'", "")
            return FieldError(tagged, f"one of {context['expected_tags']}", repr(context["tag"]))
        case "union_tag_not_found":
            tagged = f"{field}.{context['discriminator']}".replace("'", "")
            return FieldError(tagged, "present", "nothing")
        case "value_error" if isinstance(context["error"], FieldError):
            return context["error"]
    return FieldError(field, words_of(complaint), shortened(repr(complaint["input"])))


def words_of(complaint: Mapping[str, Any]) -> str:
    """Return what a value must be by a complaint of pydantic."""
    kind, context = complaint["type"], complaint.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], f"text of the pattern {context['pattern']}")
    if kind in WORDS:
        return WORDS[kind].format_map(context)
    message: str = complaint["msg"].removeprefix("Input should be ")
    return message.removeprefix("Value error, ").partition(", unable to ")[0]
