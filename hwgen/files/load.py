"""Read a complete YAML file into a frozen pydantic dataclass; a mistake is one sentence."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from hwgen.errors import ConfigError, FieldError, FormatError, near_names, with_near
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

WITHOUT_DOT = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+")
"""What YAML 1.1 takes for a text where it has no dot, or its exponent no sign."""

UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
"""Of pydantic: complaints about a key that is not there."""

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
        raise first_mistake(error, source, spec=spec_type) from None


def first_mistake(
    error: ValidationError,
    source: str,
    kind: type[ConfigError] | type[FormatError] = ConfigError,
    *,
    spec: Any = None,
) -> ConfigError | FormatError:
    """Return the first error of pydantic as field, allowed, given and file; spec: what was read."""
    found = field_error(error, spec)
    return kind(field=found.field, allowed=found.allowed, given=found.given, source=source)


def field_error(error: ValidationError, spec: Any = None) -> FieldError:
    """Return the first error of pydantic: that of a check of this project, or its own in words.

    Where it is about a key that is missing or unknown, an unknown one that is near one of its
    mapping in `spec`, which was read, goes before it.
    """
    complaints = error.errors(include_url=False)
    complaint = complaints[0]
    if complaint["type"] in ("missing", *UNKNOWN_KEY):
        complaint = next((each for each in complaints if is_misspelt(each, spec)), complaint)
    field = ".".join(str(part) for part in complaint["loc"]) or "the config"
    context = complaint.get("ctx", {})
    match complaint["type"]:
        case "missing":
            return FieldError(field, "present", "nothing")
        case kind if kind in UNKNOWN_KEY:
            *place, key = complaint["loc"]
            told = with_near(key, keys_at(spec, place))
            return FieldError(field, "a known key", f"the unknown key {told}")
        case "union_tag_invalid":
            tagged = f"{field}.{context['discriminator']}".replace("'", "")
            return FieldError(tagged, f"one of {context['expected_tags']}", repr(context["tag"]))
        case "union_tag_not_found":
            tagged = f"{field}.{context['discriminator']}".replace("'", "")
            return FieldError(tagged, "present", "nothing")
        case "value_error" if isinstance(context["error"], FieldError):
            return context["error"]
    return FieldError(field, words_of(complaint), shortened(repr(complaint["input"])))


def is_misspelt(complaint: Mapping[str, Any], spec: Any) -> bool:
    """Return whether a complaint is about an unknown key that is near a known one."""
    *place, key = complaint["loc"] or ("",)
    return complaint["type"] in UNKNOWN_KEY and bool(near_names(key, keys_at(spec, place)))


def keys_at(spec: Any, place: Sequence[int | str]) -> list[str]:
    """Return the keys that a mapping may have, at a place in what a type describes.

    place: as pydantic tells it: keys, positions in lists, and the tags of unions
    """
    found: list[str] = []
    for kind in members_of_type(spec):
        inner, parts = get_origin(kind), get_args(kind)
        if is_dataclass(kind):
            names = [each.name for each in fields(kind)]
            if not place:
                found += names
            elif place[0] in names:
                found += keys_at(get_type_hints(kind, include_extras=True)[place[0]], place[1:])
            elif place[0] in tags_of(kind):
                found += keys_at(kind, place[1:])
        elif place and inner in (list, tuple, Sequence):
            found += keys_at(parts[0], place[1:])
        elif place and inner in (dict, Mapping):
            found += keys_at(parts[1], place[1:])
    return found


def members_of_type(kind: Any) -> Iterator[Any]:
    """Yield a type without its marks, of a union each member."""
    if get_origin(kind) is Annotated:
        yield from members_of_type(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from members_of_type(each)
    else:
        yield kind


def tags_of(kind: Any) -> set[object]:
    """Return what names a member of a union in a place: its name, or the tag that it holds."""
    hints = get_type_hints(kind).values()
    tags = {tag for hint in hints if get_origin(hint) is Literal for tag in get_args(hint)}
    return {kind.__name__, *tags}


def words_of(complaint: Mapping[str, Any]) -> str:
    """Return what a value must be by a complaint of pydantic."""
    kind, context = complaint["type"], complaint.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], f"text of the pattern {context['pattern']}")
    if kind == "float_type" and WITHOUT_DOT.fullmatch(str(complaint["input"])):
        return "a number, which YAML knows by its dot and sign, such as 1.0e+3"
    if kind in WORDS:
        return WORDS[kind].format_map(context)
    message: str = complaint["msg"].removeprefix("Input should be ")
    return message.removeprefix("Value error, ").partition(", unable to ")[0]
