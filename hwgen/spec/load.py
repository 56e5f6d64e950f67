"""Read a complete YAML file into a frozen pydantic dataclass; a mistake is one sentence."""

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from hwgen.errors import ConfigError, FormatError

Spec = TypeVar("Spec")


SIGNS = ("tag:yaml.org,2002:merge", "tag:yaml.org,2002:value")
"""Tags of keys that are not values: `<<` and `=`."""


class DuplicateKeyError(Exception):
    """A mapping gives one key twice; lines are counted from 1."""

    def __init__(self, key: str, first: int, second: int) -> None:
        super().__init__(key, first, second)
        self.key = key
        self.places = (
            f"it in lines {first} and {second}" if first < second else f"it twice in line {first}"
        )


class OneKeyLoader(yaml.SafeLoader):
    """YAML's safe loader, which refuses duplicate keys.

    Keys are compared as values: `yes` and `true` are one key. A mapping may override
    what a merge (`<<`) brings in, as in YAML; two merges in one mapping are an error.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.checked: set[int] = set()

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Check the keys of a mapping before its merges are copied into it."""
        # Anchors bring one node here several times, and after the first its merges are inside.
        if id(node) not in self.checked:
            self.checked.add(id(node))
            self.check_keys(node)
        super().flatten_mapping(node)

    def check_keys(self, node: yaml.MappingNode) -> None:
        """Refuse a key that stands in a mapping for the second time."""
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            signs = key_node.tag in SIGNS
            key = key_node.value if signs else self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                continue  # the loader itself refuses it
            line = key_node.start_mark.line + 1
            if key in lines:
                raise DuplicateKeyError(shortened(str(key)), lines[key], line)
            lines[key] = line


def load_spec(spec_type: type[Spec], path: Path) -> Spec:
    """Return `spec_type` filled from `path`; the file names every field and nothing else."""
    return validate_spec(spec_type, read_mapping(path), source=str(path))


def validate_spec(spec_type: type[Spec], given: dict[str, Any], *, source: str) -> Spec:
    """Return `spec_type` filled from a mapping that came from `source`."""
    try:
        return TypeAdapter(spec_type).validate_json(json.dumps(given, default=str))
    except ValidationError as error:
        raise first_mistake(error, source) from None
    except (TypeError, ValueError, RecursionError) as error:  # JSON has neither of these
        raise ConfigError(
            field="the config",
            allowed="of keys that are text, with no mapping inside itself",
            given=" ".join(str(error).split()),
            source=source,
        ) from None


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


def shortened(text: str, *, longest: int = 60) -> str:
    """Return `text`, cut to `longest` characters."""
    return text if len(text) <= longest else f"{text[:longest]}..."


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping at the top of a YAML file; every YAML that the product reads comes here.

    Errors: ConfigError for a file that is not YAML or not a mapping, and for a duplicate key
    """
    source = str(path)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), OneKeyLoader)
    except DuplicateKeyError as error:
        raise ConfigError(
            field=f"the key {error.key}",
            allowed="given once in its mapping",
            given=error.places,
            source=source,
        ) from None
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
