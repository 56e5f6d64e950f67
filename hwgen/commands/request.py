"""A command is one request: a frozen dataclass whose fields are all that the command is told.

The options of the command line (`hwgen/cli/from_requests.py`), the parameters of the Python API
(`function_of`) and the checks of both are made from the fields:

    @dataclass(frozen=True)
    class ExportOnnx(Request, command="export-onnx", example="network.npz --out net.onnx"):
        \"\"\"Write a quantized network as an ONNX model.\"\"\"

        network: Network
        out: Annotated[File, Says("file to write (.onnx)", use=OUTPUT_FILE, replaces=ONNX_FILES)]
        _: KW_ONLY
        mode: Annotated[str | None, Says("a mode [default: the widest]", metavar="NAME")] = None

        def run(self) -> str: ...

`hwgen/commands/fields.py` has the fields of several commands.

Tests: `tests/commands/test_cache.py`.
"""

import inspect
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, fields
from enum import Enum
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    ParamSpec,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import TypeAdapter, ValidationError
from pydantic_core import CoreSchema, core_schema
from rich.console import RenderableType

from hwgen.commands.context import Context
from hwgen.commands.outputs import Paths
from hwgen.commands.packages import optional_packages
from hwgen.errors import ArgumentError, HwgenError, near_names
from hwgen.files.earlier import Earlier
from hwgen.files.load import shortened
from hwgen.files.shipped import is_name

Given = ParamSpec("Given")
Result_co = TypeVar("Result_co", covariant=True)


API = "hwgen.api"
"""The module of the functions that are made from requests."""
MOST_ITEMS = 1 << 16
"""Of what a parameter lists; a range of Python may list far more than there is memory."""
COMMAND_OR_OPTION = r"hwgen [a-z][^`;()]*|(?<![\w-])--[a-z][a-z-]*|^[A-Z=]+(?= must be)"
"""In an error: a whole command, an option, or the argument that the error is about."""


class Use(Enum):
    """How a command uses a path; a cache is neither an input nor an output."""

    INPUT = "input"
    OUTPUT_FILE = "output file"
    OUTPUT_FOLDER = "output folder"
    CACHE = "cache"
    REPORT = "report"


INPUT, OUTPUT_FILE, OUTPUT_FOLDER, CACHE, REPORT = Use


@dataclass(frozen=True)
class Says:
    """Mark of a field: what a person is told of it, and how a command line spells it.

    metavar: what stands for the value in help; argument: given by its place, without a name
    names: of the option [default: that of the field]; several: given again and again
    use: of a path [default: INPUT]; replaces: what an output file may replace
    default_files: what is read where no file is given
    typed: type on the command line, where the field's own cannot be typed; read: what becomes of it
    untyped: value where the command line says nothing, if another than the field's default
    complete: the names of files that ship, for a shell; suffixes: of the files that it takes
    """

    help: str
    metavar: str | None = None
    argument: bool = False
    names: tuple[str, ...] = ()
    use: Use | None = None
    replaces: Earlier | None = None
    default_files: Callable[[], Iterable[Path]] | None = None
    typed: Any = None
    read: Callable[[Any], Any] | None = None
    untyped: Any = ...
    complete: Callable[[], Iterable[str]] | None = None
    suffixes: tuple[str, ...] = ()

    def takes(self, value: object) -> bool:
        """Return whether a value is a name or a file of the kind that this argument takes."""
        if not isinstance(value, str | os.PathLike):
            return False
        known = () if self.complete is None else self.complete()
        return Path(value).suffix in self.suffixes or os.fspath(value) in known

    @property
    def kind(self) -> str:
        """What it takes, by the first words of its help."""
        return re.split(r" \(|, ", self.help)[0]


@dataclass(frozen=True)
class Is:
    """Mark of a type that is checked by `isinstance` alone."""

    kind: type

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.is_instance_schema(self.kind)


Work = Annotated[Context, Is(Context)] | None


class Request:
    """Base of every request; it is checked where it is made.

    Raises ArgumentError with the field, what is allowed and what was given.
    """

    command: ClassVar[str] = ""
    example: ClassVar[str] = ""

    def __init_subclass__(cls, *, command: str = "", example: str = "") -> None:
        cls.command, cls.example = command, f"hwgen {command} {example}"

    def __post_init__(self) -> None:
        kind: Any = type(self)
        for name, adapter in adapters_of(kind).items():
            value = getattr(self, name)
            if any(is_longer(each) for each in (value, *members_of(value))):
                raise self.refusal(name, f"of at most {MOST_ITEMS:,} values", told(value))
            try:
                checked = adapter.validate_python(value)
            except ValidationError as error:
                raise self.refusal(name, allowed_by(error), told(value)) from None
            object.__setattr__(self, name, checked)
        self.check_order()
        self.check()
        self.paths().check()

    def check_order(self) -> None:
        """Refuse two arguments that stand in each other's place."""
        kind: Any = type(self)
        arguments = {
            name: said
            for name, hint in hints_of(kind).items()
            if (said := said_of(hint)) and said.argument and said.suffixes
        }
        for (first, one), (second, other) in pairwise(arguments.items()):
            given, behind = getattr(self, first), getattr(self, second)
            if one.takes(given) or other.takes(behind):
                continue
            if one.takes(behind) and other.takes(given):
                raise self.refusal(
                    f"{one.metavar}",
                    f"{one.kind}, and {other.metavar} {other.kind}",
                    f"{os.fspath(given)} {os.fspath(behind)}: did you mean {os.fspath(behind)}"
                    f" {os.fspath(given)}?",
                )

    def check(self) -> None:
        """Refuse fields that do not go together."""

    def paths(self) -> Paths:
        """Return what is read and written."""
        kind: Any = type(self)
        said = {name: found for name, hint in hints_of(kind).items() if (found := said_of(hint))}
        uses = uses_of(kind)
        given = {name: getattr(self, name) for name in uses}
        unnamed = [
            file
            for name, each in said.items()
            if each.default_files is not None and given[name] is None
            for file in each.default_files()
        ]
        places = {name: list(places_in(value)) for name, value in given.items()}
        inputs = [path for name, found in places.items() if uses[name] is INPUT for path in found]
        inputs = [path for path in inputs if not is_name(path)]

        def outputs(use: Use) -> dict[str, Path]:
            return {
                name: path for name, found in places.items() if uses[name] is use for path in found
            }

        context = getattr(self, "context", None)
        work = {} if context is None else {"--work": context.work}
        return Paths(
            inputs=[*inputs, *unnamed],
            files={
                option_of(name): (path, replaces)
                for name, path in outputs(OUTPUT_FILE).items()
                if (replaces := said[name].replaces)
            },
            folders={option_of(name): path for name, path in outputs(OUTPUT_FOLDER).items()},
            caches={option_of(name): path for name, path in outputs(CACHE).items()} | work,
        )

    def refusal(self, field: str, allowed: str, given: object) -> ArgumentError:
        """Return the error of a field."""
        kind: Any = type(self)
        said = said_of(hints_of(kind).get(field))
        return ArgumentError(
            field=field,
            allowed=allowed,
            given="nothing" if given is None else given,
            source=source_of(kind),
            typed=said.metavar if said and said.argument else None,
        )

    def table(self, report: Any) -> RenderableType | None:
        """Return a report as a terminal shows it; None: nothing is told."""
        return str(report)

    def written(self, report: Any) -> Any:
        """Return what --json writes of a report."""
        return report

    def agrees(self, report: Any) -> bool:
        """Return whether nothing differs; exit code 1 otherwise."""
        return True


@dataclass(frozen=True)
class Working(Request):
    """A request whose work leaves results in a folder.

    context: work folder and console; None: the work folder `build`, and nothing is printed
    """

    _: KW_ONLY
    context: Work = None

    @property
    def quiet(self) -> Context:
        """The context; None: the work folder `build`, and nothing is printed."""
        return Context(console=None) if self.context is None else self.context


class Runs(Protocol[Result_co]):
    """A request that can be run."""

    def run(self) -> Result_co: ...


@cache
def hints_of(request: Any) -> dict[str, Any]:
    """Return the annotation of each field of a request."""
    hints = get_type_hints(request, include_extras=True)
    return {each.name: hints[each.name] for each in fields(request)}


@cache
def adapters_of(request: Any) -> dict[str, TypeAdapter[Any]]:
    """Return the check of each field of a request."""
    return {name: TypeAdapter(hint) for name, hint in hints_of(request).items()}


def marks_of(hint: Any) -> Iterator[Any]:
    """Yield the marks of an annotation, the outermost ones last."""
    inner, *marks = get_args(hint) if hasattr(hint, "__metadata__") else (None,)
    if hasattr(inner, "__metadata__"):
        yield from marks_of(inner)
    yield from marks


def said_of(hint: Any) -> Says | None:
    """Return what a field says of itself."""
    said = [mark for mark in marks_of(hint) if isinstance(mark, Says)]
    return said[-1] if said else None


def parts_of(hint: Any) -> Iterator[Any]:
    """Yield the members of a type without marks: of a union all but None."""
    if hasattr(hint, "__metadata__"):
        yield from parts_of(hint.__origin__)
    elif get_origin(hint) in (None, Literal) or isinstance(hint, type):
        if hint is not NoneType:
            yield hint
    elif callable(get_origin(hint)) and get_origin(hint) is os.PathLike:
        yield os.PathLike
    else:
        for part in get_args(hint):
            yield from parts_of(part)


def uses_of(request: Any) -> dict[str, Use]:
    """Return how a command uses each parameter that names a path; a path without mark is read."""
    uses = {}
    for name, hint in hints_of(request).items():
        said = said_of(hint)
        if said and (said.use or os.PathLike in parts_of(hint)):
            uses[name] = said.use or INPUT
    return uses


def members_of(value: object) -> Iterable[object]:
    """Return what a mapping maps to; nothing of any other value."""
    return value.values() if isinstance(value, Mapping) and not is_longer(value) else ()


def is_longer(value: object) -> bool:
    """Return whether a container has more items than a check should visit, without visiting one."""
    if not isinstance(value, Mapping | Sequence | Set) or isinstance(value, str | bytes):
        return False
    try:
        return len(value) > MOST_ITEMS
    except OverflowError:
        return True


def places_in(value: object) -> Iterator[Path]:
    """Yield the paths that a field names: none, one or several."""
    if isinstance(value, str | os.PathLike):
        yield Path(value)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from places_in(each)


def option_of(name: str) -> str:
    """Return the option of a field on the command line."""
    return f"--{name.replace('_', '-')}"


def told(value: object) -> str:
    """Return a value in an error; not every object can be printed, such as a number too long."""
    try:
        return shortened(os.fspath(value) if isinstance(value, Path) else repr(value))
    except Exception:
        return f"a value of the type {type(value).__name__} that cannot be printed"


LISTED = "a list or a tuple"
NO_LIST = (
    "Input should be an instance of Sequence",
    "'str' instances are not allowed as a Sequence value",
)
"""Complaints about what is no sequence, or text."""


AN_INTEGER, A_NUMBER = "an integer", "a number"
KINDS = {
    "bool_": "true or false",
    "float_": A_NUMBER,
    "int_from_float": AN_INTEGER,
    "int_parsing": AN_INTEGER,
    "int_type": AN_INTEGER,
}
"""Begins of the types of complaints, and what is allowed, in words."""


def allowed_by(error: ValidationError) -> str:
    """Return what is allowed, in words: of a union each kind once, and a number for any number."""
    said = list(dict.fromkeys(in_words(each) for each in error.errors(include_url=False)))
    if A_NUMBER in said and AN_INTEGER in said:
        said.remove(AN_INTEGER)
    return " or ".join(said)


def in_words(complaint: Any) -> str:
    """Return what a value must be by a complaint of pydantic."""
    for kind, words in KINDS.items():
        if complaint["type"].startswith(kind):
            return words
    if complaint["msg"] in NO_LIST:
        return LISTED
    message: str = complaint["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    message = re.sub(r"greater than or equal to 1\b(?!\.)", "from 1 on", message)
    message = message.replace("greater than or equal to", "at least")
    return message.replace("less than or equal to", "at most")


def source_of(request: type) -> str:
    """Return where a person gave the fields of a request."""
    return f"{API}.{name_of(request)}"


def words_of(request: type) -> tuple[str, str]:
    """Return the docstring of a request, and what it says from `Raises` on."""
    told, raises, rest = (inspect.getdoc(request) or "").partition("\nRaises ")
    return told.strip(), f"{raises}{rest}".strip()


def with_near_parameter(said: str, signature: inspect.Signature) -> str:
    """Return what is wrong with arguments; where a parameter is near, whether it is meant."""
    said = said.removeprefix("got ")
    unknown = re.search(r"unexpected keyword argument '(\w+)'", said)
    near = near_names(unknown[1], signature.parameters) if unknown else []
    return f"{shortened(said)}: did you mean {near[0]}?" if near else shortened(said)


@contextmanager
def told_in_python(request: Any) -> Iterator[None]:
    """Let errors speak of parameters where the command line would speak of options.

    A whole command in a sentence stays: it is what a person may type.
    """
    try:
        with optional_packages():
            yield
    except HwgenError as error:
        names = {option: name for name in hints_of(request) for option in options_of(request, name)}
        names[option_of("work")] = "work of the context"

        def in_python(found: re.Match[str]) -> str:
            return names.get(found[0], found[0])

        said = re.sub(COMMAND_OR_OPTION, in_python, str(error.args[0]) if error.args else "")
        said = said.replace("(command line)", f"({source_of(request)})")
        error.args = (said, *error.args[1:])
        raise


def options_of(request: Any, name: str) -> tuple[str, ...]:
    """Return what stands for a field on the command line."""
    said = said_of(hints_of(request)[name])
    if said is None:
        return ()
    typed = said.metavar if said.argument and said.metavar else option_of(name)
    return (typed.removesuffix("..."), *said.names)


def name_of(request: type) -> str:
    """Return the name of the function of a request: `export_onnx` of `ExportOnnx`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", request.__name__).lower()


def function_of(request: Callable[Given, Runs[Result_co]]) -> Callable[Given, Result_co]:
    """Return the function of the Python API: it makes a request of its arguments and runs it."""
    kind: Any = request
    name, returned = name_of(kind), get_type_hints(kind.run)["return"]
    plain, bare = get_type_hints(kind), inspect.signature(kind)
    parameters = [each.replace(annotation=plain[name]) for name, each in bare.parameters.items()]
    signature = bare.replace(parameters=parameters, return_annotation=returned)

    def call(*given: Given.args, **named: Given.kwargs) -> Result_co:
        try:
            signature.bind(*given, **named)
        except TypeError as error:
            raise ArgumentError(
                field="the arguments",
                allowed=f"those that help({API}.{name}) lists",
                given=with_near_parameter(str(error), signature),
                source=source_of(kind),
            ) from None
        with told_in_python(kind):
            return request(*given, **named).run()

    told, raises = words_of(kind)
    said = {name: said_of(hint) for name, hint in hints_of(kind).items()}
    listed = "\n".join(f"{name}: {each.help}" for name, each in said.items() if each)
    call.__name__ = call.__qualname__ = name
    call.__module__ = API
    call.__doc__ = "\n\n".join(filter(None, (told, listed, raises)))
    call.__annotations__ = {each.name: each.annotation for each in parameters} | {
        "return": returned
    }
    call.__signature__ = signature  # type: ignore[attr-defined]
    return call
