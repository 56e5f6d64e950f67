"""Read a complete YAML file into a frozen pydantic dataclass; a mistake is one sentence."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from hwgen.errors import ConfigError, FormatError
from hwgen.files.yaml_file import read_mapping, shortened

__all__ = ["first_mistake", "load_spec", "read_mapping", "shortened", "validate_spec"]

Spec = TypeVar("Spec")

VERSION_KEY = "version"


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
    complaint = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in complaint["loc"]) or "the config"
    given: object = shortened(repr(complaint["input"]))
    match complaint["type"]:
        case "missing":
            allowed, given = "present", "nothing"
        case "extra_forbidden" | "unexpected_keyword_argument":
            allowed, given = "a known key", f"the unknown key {complaint['loc'][-1]}"
        case "union_tag_invalid":
            context = complaint["ctx"]
            field = f"{field}.{context['discriminator']}".replace("'", "")
            allowed, given = f"one of {context['expected_tags']}", repr(context["tag"])
        case "union_tag_not_found":
            field = f"{field}.{complaint['ctx']['discriminator']}".replace("'", "")
            allowed, given = "present", "nothing"
        case "too_short":
            allowed = f"at least {complaint['ctx']['min_length']} long"
        case "value_error":
            # Checks of this project raise ValueError("field|allowed|given").
            parts = str(complaint["ctx"]["error"]).split("|")
            if len(parts) == 3:
                field, allowed, given = parts
            else:
                allowed = parts[0]
        case _:
            allowed = complaint["msg"].removeprefix("Input should be ")
    return kind(field=field, allowed=allowed, given=given, source=source)
