"""What the functions take: checked at the door, each mistake one sentence with its parameter."""

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, core_schema

from hwgen.commands.context import Context
from hwgen.errors import ArgumentError
from hwgen.files.load import shortened

LARGEST_BATCH = 1024
"""Images of one run at most; a program has instructions for each of them."""
LARGEST_SEED = (1 << 31) - 1
"""Of every seed: it fits the generators of numpy, torch and Verilator."""

MOST_STALLS = 95
"""Percent: a chip whose memory hardly moves looks like one that hangs."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


def plain(value: object) -> object:
    """Return a number of numpy as one of Python."""
    return value.item() if isinstance(value, np.generic) else value


def path(value: object) -> object:
    """Return a path that can be one: not empty, without a zero byte."""
    if not isinstance(value, str | os.PathLike) or not (text := os.fspath(value)):
        raise ValueError("a path")
    if "\0" in str(text):
        raise ValueError("a path without zero bytes")
    return value


@dataclass(frozen=True)
class Is:
    """Mark of a type that is checked by `isinstance` alone."""

    kind: type

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.is_instance_schema(self.kind)


File = Annotated[str | Annotated[os.PathLike[str], Is(os.PathLike)], BeforeValidator(path)]
"""A path."""
Whole = Annotated[int, Field(strict=True), BeforeValidator(plain)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False), BeforeValidator(plain)]
Count = Annotated[Whole, Field(ge=1)]
Batch = Annotated[Whole, Field(ge=1, le=LARGEST_BATCH)]
Seed = Annotated[Whole, Field(ge=0, le=LARGEST_SEED)]
Data = File | Annotated[NDArray[Any], Is(np.ndarray)]
"""Images: the name of a known set, a folder, a file, or an array (images, height, width,
channels)."""
Work = Annotated[Context, Is(Context)] | None


def checked(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Check the arguments of a function against its annotations before it is called.

    Raises ArgumentError with the name of the parameter, what is allowed and what was given.
    """
    signature = inspect.signature(function)
    source = f"hwgen.api.{function.__name__}"
    adapters: dict[str, TypeAdapter[Any]] = {}

    @wraps(function)
    def call(*given: Given.args, **named: Given.kwargs) -> Result:
        if not adapters:
            hints = get_type_hints(function, include_extras=True)
            adapters.update((name, TypeAdapter(hints[name])) for name in signature.parameters)
        try:
            bound = signature.bind(*given, **named)
        except TypeError as error:
            raise ArgumentError(
                field="the arguments", allowed=str(signature), given=str(error), source=source
            ) from None
        for name, value in bound.arguments.items():
            try:
                bound.arguments[name] = adapters[name].validate_python(value)
            except ValidationError as error:
                raise ArgumentError(
                    field=name,
                    allowed=allowed_by(error),
                    given=shortened(repr(value)),
                    source=source,
                ) from None
        return function(*bound.args, **bound.kwargs)

    return call


def allowed_by(error: ValidationError) -> str:
    """Return what is allowed, in words: of a union each kind once."""
    said = (
        each["msg"]
        .removeprefix("Input should be ")
        .removeprefix("Value error, ")
        .replace("greater than or equal to 1", "from 1 on")
        for each in error.errors(include_url=False)
    )
    return " or ".join(dict.fromkeys(said))


def quiet(context: Context | None) -> Context:
    """Return the context; None: the work folder `build`, and nothing is printed."""
    return Context(console=None) if context is None else context


def path_of(file: File | None) -> Path | None:
    """Return a path, or None."""
    return None if file is None else Path(file)


def images_of(data: Data | None) -> str | NDArray[Any] | None:
    """Return the name of a set of images, the path of a file with images, or the images."""
    return data if data is None or isinstance(data, np.ndarray) else os.fspath(data)
