"""The facts of a file: JSON in an array of a `.npz`, with a format, a version and a known shape.

Tests: `tests/cli/test_hostile.py`.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import zip_longest
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from hwgen.errors import FormatError
from hwgen.files.json_text import check_header, plain_json
from hwgen.files.load import first_mistake
from hwgen.network import QuantizedNetwork

Facts = TypeVar("Facts")

FACTS_KEY = "facts"
"""Name of the array."""


def parse_facts(
    text: NDArray[np.uint8], kind: type[Facts], *, file_format: str, version: int, source: str
) -> Facts:
    """Return the facts, a `kind`, from their JSON bytes; `file_format` and `version` must match."""
    plain = plain_json(text.tobytes(), field=FACTS_KEY, source=source)
    check_header(plain, file_format=file_format, versions=[version], source=source)
    try:
        return TypeAdapter(kind).validate_json(text.tobytes())
    except ValidationError as error:
        raise first_mistake(error, source, FormatError) from None


def check_same(wanted: object, given: object, source: str) -> None:
    """Refuse facts of which any is another than those that are wanted; the first is named."""
    for field, allowed, found in changes(wanted, given):
        raise FormatError(
            field=field, allowed=f"{allowed}, as it is compiled now", given=found, source=source
        )


def changes(wanted: object, given: object, field: str = "") -> Iterator[tuple[str, object, object]]:
    """Yield each field of facts that differs, such as `steps.3.output.base`, with both values."""
    before = f"{field}." if field else ""
    if is_dataclass(wanted) and is_dataclass(given):
        for each in fields(wanted):
            expected, found = (getattr(side, each.name) for side in (wanted, given))
            yield from changes(expected, found, f"{before}{each.name}")
    elif isinstance(wanted, list) and isinstance(given, list):
        for place, (expected, found) in enumerate(zip_longest(wanted, given)):
            yield from changes(expected, found, f"{before}{place}")
    elif wanted != given:
        yield field, wanted, given


def check_shapes(
    image: tuple[int, ...], answer: tuple[int, ...], layer: str, network: QuantizedNetwork
) -> None:
    """Refuse facts whose image or answer is not that of the network they were compiled for.

    image, answer: shapes that the facts name; layer: whose map is the answer
    """
    wanted = network.map_of(network.answer).shape
    for field, allowed, given in (
        ("image.shape", network.graph.input.shape, image),
        ("answer.layer", network.answer, layer),
        ("answer.shape", wanted, answer),
    ):
        if tuple(allowed) != tuple(given):
            source = f"program for {network.graph.name}"
            raise FormatError(field=field, allowed=allowed, given=given, source=source)
