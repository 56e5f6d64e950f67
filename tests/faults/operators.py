"""Faults of a Python module: an expression or a statement of its text becomes another one.

Written with Python's own `ast`, since the libraries draw other faults than people make: mostly an
operand, an argument or a condition that is forgotten. Of 1,486 faults written by hand these
operators draw 672, letter by letter.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

SWAPPED: Mapping[type[ast.AST], Sequence[type[ast.AST]]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.FloorDiv],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Mult, ast.Mod],
    ast.Mod: [ast.FloorDiv],
    ast.LShift: [ast.RShift],
    ast.RShift: [ast.LShift],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
    ast.Eq: [ast.NotEq, ast.LtE, ast.GtE],
    ast.NotEq: [ast.Eq, ast.Lt, ast.Gt],
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
}
"""What stands for each operator."""
PAIRS = ("min max", "any all", "floor ceil", "minimum maximum", "first last", "rows columns")
OTHERS = {name: other for pair in map(str.split, PAIRS) for name, other in (pair, pair[::-1])}
"""Names that stand for each other."""
EITHER_WAY = re.compile(r"(min|max|minimum|maximum|gcd|lcm|isclose|array_equal|zip)$")
"""Functions whose arguments may mostly change places."""
NO_VALUE = ("annotation", "returns", "decorator_list", "bases", "type_params", "msg", "exc")
"""Fields whose faults change nothing that runs, or only a sentence."""
TYPES = ("Callable", "tuple", "dict", "list", "Mapping", "Sequence", "Iterator", "NDArray")
"""What has other types in brackets."""
ATOM = re.compile(r"[\w.]+|\(\)")
Wrong = Iterator[tuple[Any, str]]
"""A node with its place, and the text that stands there."""


@dataclass(frozen=True)
class Change:
    """Bytes `begin` to `end` of a text, which are `right`, become `wrong`; line: from 1."""

    line: int
    begin: int
    end: int
    right: str
    wrong: str

    def of(self, text: str) -> str:
        """Return the text with the fault."""
        raw = text.encode()
        return (raw[: self.begin] + self.wrong.encode() + raw[self.end :]).decode()


def changes_of_lines(text: str) -> dict[int, list[Change]]:
    """Return the faults that begin in each line that has any; they exclude each other."""
    raw, found = text.encode(), defaultdict(list)
    starts = [0]
    for line in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in nodes(ast.parse(text)):
        for place, wrong in wrong_texts(node):
            begin = starts[place.lineno - 1] + place.col_offset
            end = starts[place.end_lineno - 1] + place.end_col_offset
            change = Change(place.lineno, begin, end, raw[begin:end].decode(), wrong)
            if change not in found[place.lineno]:
                found[place.lineno].append(change)
    return {line: each for line, each in sorted(found.items()) if each}


def nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is computed, no types; texts with values inside have places that 3.11 errs in."""
    if isinstance(node, ast.JoinedStr) or is_type(node) or is_strict(node):
        return
    yield node
    for name, value in ast.iter_fields(node):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST) and name not in NO_VALUE:
                yield from nodes(each)


def is_type(node: ast.AST) -> bool:
    """Return whether a node is a type with those in it, which stands for itself in an alias."""
    return isinstance(node, ast.Subscript) and ast.unparse(node.value) in TYPES


def is_strict(node: ast.AST) -> bool:
    """Return whether a node asks that sequences are of one length, which they are."""
    return isinstance(node, ast.keyword) and node.arg == "strict"


def narrows(test: ast.expr) -> bool:
    """Return whether an assertion tells the types alone that a value is there."""
    return isinstance(test, ast.Compare) and ast.unparse(test).endswith(" is not None")


def wrong_texts(node: ast.AST) -> Wrong:
    """Yield the faults of a node."""
    for kind in (of_operators, of_choices, of_calls, of_values, of_statements):
        for place, wrong in kind(node):
            text = wrong if isinstance(wrong, str) else ast.unparse(wrong)
            simple = isinstance(place, ast.stmt | ast.Slice) or ATOM.fullmatch(text)
            yield place, text if simple else f"({text})"


def of_operators(node: ast.AST) -> Iterator[tuple[Any, Any]]:
    """Yield faults of operators: another one, an operand that is forgotten."""
    match node:
        case ast.BoolOp(op, values):
            for at in range(len(values)):
                rest = values[:at] + values[at + 1 :]
                yield node, rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
            yield from ((node, ast.BoolOp(other(), values)) for other in SWAPPED[type(op)])
        case ast.BinOp(left, op, right):
            yield from ((node, each) for each in (left, right))
            for other in SWAPPED.get(type(op), ()):
                yield node, ast.BinOp(left, other(), right)
            if isinstance(op, ast.Sub | ast.FloorDiv | ast.Mod | ast.LShift | ast.RShift):
                yield node, ast.BinOp(right, op, left)
        case ast.Compare(left, ops, others):
            for at, op in enumerate(ops):
                for other in SWAPPED[type(op)]:
                    yield node, ast.Compare(left, [*ops[:at], other(), *ops[at + 1 :]], others)
        case ast.UnaryOp(op, operand):
            yield node, operand


def of_choices(node: ast.AST) -> Iterator[tuple[Any, Any]]:
    """Yield faults of conditions: always, never, one arm, the other way round."""
    match node:
        case ast.IfExp(test, body, orelse):
            yield from ((node, each) for each in (body, orelse, ast.IfExp(test, orelse, body)))
        case ast.If(test) | ast.While(test):
            yield from ((test, each) for each in ("False", "True")[: 1 + isinstance(node, ast.If)])
        case ast.comprehension(ifs=tests):
            yield from ((each, "True") for each in tests)


def of_calls(node: ast.AST) -> Iterator[tuple[Any, Any]]:
    """Yield faults of calls: an argument in its place, one left out, two exchanged."""
    if not isinstance(node, ast.Call):
        return
    args = [each for each in node.args if not isinstance(each, ast.Starred)]
    yield from ((node, each) for each in args)
    if isinstance(node.func, ast.Attribute):
        yield node, node.func.value
    for at, keyword in enumerate(node.keywords):
        if is_strict(keyword):
            continue
        rest = node.keywords[:at] + node.keywords[at + 1 :]
        yield node, ast.Call(node.func, node.args, rest)
    if len(node.args) > 1:
        yield node, ast.Call(node.func, node.args[:-1], node.keywords)
    if EITHER_WAY.search(ast.unparse(node.func)):
        return
    for values in (args, [each.value for each in node.keywords]):
        for one, other in pairwise(values):
            yield node, exchanged(node, one, other)


def exchanged(node: ast.Call, one: ast.expr, other: ast.expr) -> ast.Call:
    """Return a call with two arguments in each other's place."""
    taken = {one: other, other: one}
    keywords = [ast.keyword(each.arg, taken.get(each.value, each.value)) for each in node.keywords]
    return ast.Call(node.func, [taken.get(each, each) for each in node.args], keywords)


def of_values(node: ast.AST) -> Iterator[tuple[Any, Any]]:
    """Yield faults of constants, names, sequences and bounds."""
    match node:
        case ast.Constant(bool(value)):
            yield node, str(not value)
        case ast.Constant(int(value) | float(value)):
            yield from ((node, repr(each)) for each in (value + 1, value - 1))
        case ast.Name(name) if name in OTHERS:
            yield node, OTHERS[name]
        case ast.Attribute(value, name) if name in OTHERS:
            yield node, ast.Attribute(value, OTHERS[name])
        case ast.Slice():
            for name in ("lower", "upper", "step"):
                if getattr(node, name):
                    yield node, ast.Slice(**{**dict(ast.iter_fields(node)), name: None})
        case ast.Tuple(elts, ast.Load()) | ast.List(elts, ast.Load()) if len(elts) > 1:
            for at in range(len(elts)):
                yield node, type(node)([*elts[:at], *elts[at + 1 :]], ast.Load())


def of_statements(node: ast.AST) -> Iterator[tuple[Any, Any]]:
    """Yield a statement that does nothing, and a loop that does not begin."""
    match node:
        case ast.AugAssign(target, _, value):
            yield node, "pass"
            yield node, f"{ast.unparse(target)} = {ast.unparse(value)}"
        case ast.Expr(ast.Call() | ast.Yield() | ast.YieldFrom()) | ast.Raise():
            yield node, "pass"
        case ast.Continue() | ast.Break() | ast.Delete():
            yield node, "pass"
        case ast.Assert(test) if not narrows(test):
            yield node, "pass"
        case ast.Assign([ast.Attribute() | ast.Subscript()]):
            yield node, "pass"
        case ast.For(iter=several):
            yield several, "()"
