"""Read a YAML file that a user gives: the values of JSON, each key once, bounded, at once.

Every YAML that the product reads comes through `read_mapping`.
"""

import math
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from hwgen.errors import ConfigError
from hwgen.files.given import read_given

MOST_BYTES = 1 << 18
"""Size of a YAML file; the largest one that ships is 10 KB."""
MOST_VALUES = 20_000
"""Values of a file, aliases counted each time: a few lines of aliases stand for billions."""
MOST_DEPTH = 50
"""Mappings and lists inside each other."""

KINDS = {type(None): "nothing", list: "a list", str: "a text"}
"""What else than a mapping may stand at the top of a file."""

MERGE = "tag:yaml.org,2002:merge"
SIGNS = (MERGE, "tag:yaml.org,2002:value")
"""Tags of keys that are not values: `<<` and `=`."""


class DuplicateKeyError(Exception):
    """A mapping gives one key twice; lines are counted from 1."""

    def __init__(self, key: str, first: int, second: int) -> None:
        super().__init__(key, first, second)
        self.key = key
        self.places = (
            f"it in lines {first} and {second}" if first < second else f"it twice in line {first}"
        )


class RefusedValueError(Exception):
    """A value that JSON does not have, or too many of them; the arguments are those of an error."""

    def __init__(self, field: str, allowed: str, given: str) -> None:
        super().__init__(field, allowed, given)
        self.field, self.allowed, self.given = field, allowed, given


class OneKeyLoader(yaml.SafeLoader):
    """YAML's safe loader, which refuses duplicate keys and counts what it reads.

    Keys are compared as values: `yes` and `true` are one key. A mapping may override
    what a merge (`<<`) brings in, as in YAML; two merges in one mapping are an error.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.checked: set[int] = set()
        self.nodes = 0
        self.depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node; stop where there are too many or too deep ones."""
        self.nodes += 1
        self.depth += 1
        if self.nodes > 2 * MOST_VALUES:  # keys are nodes, too
            raise too_many()
        if self.depth > MOST_DEPTH:
            raise too_deep()
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Check the keys of a mapping before its merges are copied into it."""
        # Anchors bring one node here several times, and after the first its merges are inside.
        if id(node) not in self.checked:
            self.checked.add(id(node))
            self.check_keys(node)
            self.check_merges(node)
        super().flatten_mapping(node)

    def check_merges(self, node: yaml.MappingNode) -> None:
        """Refuse merges that bring in too much: merged mappings may merge others."""
        merged = 0
        for key_node, value_node in node.value:
            if key_node.tag != MERGE:
                continue
            several = isinstance(value_node, yaml.SequenceNode)
            for source in value_node.value if several else [value_node]:
                if isinstance(source, yaml.MappingNode):
                    self.flatten_mapping(source)
                    merged += len(source.value)
                    if merged > MOST_VALUES:
                        raise too_many()

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


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping at the top of a YAML file: keys are text, values those of JSON.

    Errors: ConfigError for a file that is absent, no regular file, too large, not YAML or not a
    mapping, for a duplicate key, a key that is no text, a mapping inside itself, and for values
    that JSON does not have: dates, bytes, sets, NaN, infinity, integers above 64 bits
    """
    source = str(path)
    text = read_given(
        path, what="the config", allowed="a file", most_bytes=MOST_BYTES, kind=ConfigError
    )
    try:
        content = yaml.load(text.decode(), OneKeyLoader)
        check_values(content)
    except DuplicateKeyError as error:
        raise ConfigError(
            field=f"the key {error.key}",
            allowed="given once in its mapping",
            given=error.places,
            source=source,
        ) from None
    except RefusedValueError as error:
        raise ConfigError(
            field=error.field, allowed=error.allowed, given=error.given, source=source
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = mistake_in(error)
        raise ConfigError(field="the config", allowed="YAML", given=reason, source=source) from None
    if not isinstance(content, dict):
        given = KINDS.get(type(content), "a single value")
        raise ConfigError(field="the config", allowed="a mapping", given=given, source=source)
    return content


def mistake_in(error: Exception) -> str:
    """Return what a file has in place of YAML, with its place where that is known."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).replace('in "<unicode string>", ', "at ").split())
    mark = error.problem_mark
    problem = (error.problem or "").replace("'<stream end>'", "the end of the file")
    said = f"a mistake in line {mark.line + 1}, column {mark.column + 1}: {problem}"
    return " ".join(said.split())


def check_values(content: object) -> None:
    """Refuse what JSON does not have, and content that aliases make too large."""
    sizes: dict[int, int] = {}
    if values_in(content, "the config", sizes, inside=set()) > MOST_VALUES:
        raise too_many()


def values_in(value: object, field: str, sizes: dict[int, int], *, inside: set[int]) -> int:
    """Return the number of values in a value, itself included; each object is visited once.

    sizes: of the mappings and lists that were visited; inside: those that hold this value
    """
    if not isinstance(value, dict | list):
        check_scalar(value, field)
        return 1
    me = id(value)
    if me in inside:
        raise RefusedValueError(field, "free of itself", "an alias of what holds it")
    if me not in sizes:
        if len(inside) >= MOST_DEPTH:
            raise too_deep()
        inside.add(me)
        sizes[me] = 1 + sum(
            values_in(each, f"{field}.{key}" if inside != {me} else str(key), sizes, inside=inside)
            for key, each in members_of(value, field)
        )
        inside.remove(me)
    return sizes[me]


def members_of(value: dict[object, object] | list[object], field: str) -> list[tuple[str, object]]:
    """Return what a mapping or a list holds, with the names of its places."""
    if isinstance(value, list):
        return [(str(i), each) for i, each in enumerate(value)]
    for key in value:
        if not isinstance(key, str):
            given = f"{shortened(written(key))} ({type(key).__name__})"
            raise RefusedValueError(f"every key of {shortened(field)}", "text", given)
    return [(str(key), each) for key, each in value.items()]


def check_scalar(value: object, field: str) -> None:
    """Refuse a value that is no text, number, truth value or nothing."""
    field = shortened(field)
    if isinstance(value, float) and not math.isfinite(value):
        raise RefusedValueError(field, "a finite number", str(value))
    if isinstance(value, int) and value.bit_length() > 64:
        raise RefusedValueError(field, "an integer of at most 64 bits", "a larger one")
    if value is not None and not isinstance(value, str | bool | int | float):
        given = f"{shortened(written(value))} ({type(value).__name__})"
        raise RefusedValueError(field, "text, a number, a list or a mapping", given)


def written(value: object) -> str:
    """Return a value as text; an integer may have more digits than Python writes."""
    try:
        return str(value)
    except ValueError:
        return "a long number"


def too_many() -> RefusedValueError:
    """Return the error for a config of too many values."""
    allowed = f"of at most {MOST_VALUES:,} values, aliases counted each time"
    return RefusedValueError("the config", allowed, "more")


def too_deep() -> RefusedValueError:
    """Return the error for a config of too many levels."""
    return RefusedValueError("the config", f"at most {MOST_DEPTH} levels deep", "more")


def shortened(text: str, *, longest: int = 60) -> str:
    """Return `text`, cut to `longest` characters."""
    return text if len(text) <= longest else f"{text[:longest]}..."
