"""Names of signals, read from the source text: the same under every version of Python.

Amaranth names a signal after the variable that it is assigned to, and finds that variable in the
byte code of the caller. Byte code differs between versions: from Python 3.12 on a comprehension
is part of its function, from 3.13 on one instruction stores two variables. So the same generator
would give `taken` here and `$signal$21` there. While `names_from_source` is in force, the variable
is found in the syntax tree of the caller's source file instead.

    ready = Signal()                            ready
    m.submodules.queue = queue = Memory(...)    queue, the first target
    first, last = Signal(), Signal()            first and last, which Amaranth leaves unnamed
    Slots(read=Signal(2))                       read, the keyword
    [Signal() for _ in range(4)]                $signal, Amaranth's default

A file whose source cannot be read, or Python without column positions (`-X no_debug_ranges`),
gives the default everywhere.
"""

import ast
import linecache
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import islice
from threading import Lock
from types import FrameType

from amaranth import tracer

REQUIRED = object()
"""Stands for "no default": a name must be found."""

Place = tuple[int, int]
"""Line and column where a call ends; no two calls end at one place."""

_in_force = Lock()


@contextmanager
def names_from_source() -> Iterator[None]:
    """Let Amaranth name what is made inside after the source text; one thread at a time."""
    with _in_force:
        original = tracer.get_var_name
        tracer.get_var_name = name_of_result
        try:
            yield
        finally:
            tracer.get_var_name = original


def name_of_result(depth: int = 2, default: object = REQUIRED) -> object:
    """Return what the result of a call in progress is assigned to; as in Amaranth's tracer.

    depth: 1 is the caller of this function, 2 that one's caller, and so on
    Raises NameNotFound when there is neither a name nor a default.
    """
    frame = sys._getframe(depth)
    place = place_of_call(frame)
    name = names_in(frame.f_code.co_filename).get(place) if place else None
    if name is None and default is REQUIRED:
        raise tracer.NameNotFound
    return default if name is None else name


def place_of_call(frame: FrameType) -> Place | None:
    """Return where the call that a frame is waiting for ends in its source file."""
    here = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None))
    _, end_line, _, end_column = here
    return None if end_line is None or end_column is None else (end_line, end_column)


@cache
def names_in(file: str) -> Mapping[Place, str]:
    """Return the name for each call in a source file whose result gets one."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return {}
    return {
        (call.end_lineno, call.end_col_offset): name
        for node in ast.walk(tree)
        for call, name in named_calls(node)
        if call.end_lineno is not None
        and call.end_col_offset is not None
        # Where such a call ends, versions of Python disagree.
        and call.func.end_lineno == call.lineno
    }


def named_calls(node: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Yield each call that an assignment or a keyword argument gives a name, with that name."""
    match node:
        case ast.Assign(targets=[target, *_], value=value):
            yield from assigned(target, value)
        case ast.AnnAssign(target=target, value=ast.Call() as value):
            yield from assigned(target, value)
        case ast.NamedExpr(target=target, value=value):
            yield from assigned(target, value)
        case ast.keyword(arg=str(name), value=ast.Call() as value):
            yield value, name


def assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.Call, str]]:
    """Yield the calls of an assignment; two tuples of one length are taken item by item."""
    match target, value:
        case ast.Name(id=name), ast.Call():
            yield value, name
        case ast.Attribute(attr=name), ast.Call():
            yield value, name
        case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
            for one_target, one_value in zip(targets, values, strict=True):
                yield from assigned(one_target, one_value)
