"""Read a complete YAML file into a frozen pydantic dataclass; a mistake is one sentence."""

import json
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from hwgen.errors import ConfigError, FormatError

Spec = TypeVar("Spec")


def load_spec(spec_type: type[Spec], path: Path) -> Spec:
    """Return `spec_type` filled from `path`; the file names every field and nothing else."""
    return validate_spec(spec_type, read_mapping(path), source=str(path))


def validate_spec(spec_type: type[Spec], given: dict[str, Any], *, source: str) -> Spec:
    """Return `spec_type` filled from a mapping that came from `source`."""
    try:
        return TypeAdapter(spec_type).validate_json(json.dumps(given, default=str))
    except ValidationError as error:
        raise first_mistake(error, source) from None


def first_mistake(
    error: ValidationError,
    source: str,
    kind: type[ConfigError] | type[FormatError] = ConfigError,
) -> ConfigError | FormatError:
    """Return the first complaint of pydantic in our words: field, allowed, given, file."""
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
            # Our own checks raise ValueError("field|allowed|given").
            own = str(complaint["ctx"]["error"]).split("|")
            if len(own) == 3:
                field, allowed, given = own
            else:
                allowed = own[0]
        case _:
            allowed = complaint["msg"].removeprefix("Input should be ")
    return kind(field=field, allowed=allowed, given=given, source=source)


def shortened(text: str, *, longest: int = 60) -> str:
    """Return `text`, cut where a whole mapping would fill the screen."""
    return text if len(text) <= longest else f"{text[:longest]}..."


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping at the top of a YAML file."""
    source = str(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            field="the config", allowed="a file", given="no file", source=source
        ) from None
    except OSError as error:
        raise ConfigError(
            field="the config", allowed="a readable file", given=error.strerror, source=source
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(field="the config", allowed="YAML", given=reason, source=source) from None
    if not isinstance(content, dict):
        raise ConfigError(
            field="the config", allowed="a mapping", given=type(content).__name__, source=source
        )
    return content
