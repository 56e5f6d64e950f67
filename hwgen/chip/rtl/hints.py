"""Names for nets without a signal: the variable of the source that holds their value.

    taken = valid & ready                     taken
    sums = [a + b for a, b in pairs]          sums_0, sums_1
    def is_first(self): return index == 0     is_first
    total.eq(a + b)                           _n1: what it leads to has a name, it has none

Only the text of statements counts, not their lines: an edit above them changes nothing.
"""

import ast
import linecache
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import amaranth

LIBRARY = str(Path(amaranth.__file__).parent)
"""What happens in Amaranth itself gives no names: they would change with its version."""
WORDLESS = {"elaborate", "_", "m", "when", "unless", "name", "init", "reset_less"}


def hint_at(place: tuple[str, int] | None) -> str:
    """Return the variable that a statement at a place assigns; empty: it assigns none."""
    if place is None or place[0].startswith(LIBRARY):
        return ""
    return hints_in(place[0]).get(place[1], "")


@cache
def hints_in(file: str) -> Mapping[int, str]:
    """Return a name for each line of a source file that belongs to a statement with one."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return {}
    found: dict[int, str] = {}
    # Inner statements come later in a walk from the top, and win.
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            mark_returns(node, found)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            mark(node, name_of(target), found)
        elif isinstance(node, ast.keyword):
            mark(node.value, node.arg or "", found)
    return found


def mark_returns(function: ast.FunctionDef, found: dict[int, str]) -> None:
    """Let what a function returns have its name."""
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            mark(node, function.name, found)


def mark(node: ast.stmt | ast.expr, name: str, found: dict[int, str]) -> None:
    """Give all lines of a node a name."""
    name = name.strip("_")
    if name and name not in WORDLESS and node.end_lineno is not None:
        found |= dict.fromkeys(range(node.lineno, node.end_lineno + 1), name)


def name_of(target: ast.expr) -> str:
    """Return the name of a variable or an attribute; empty: it is something else."""
    if isinstance(target, ast.Name):
        return target.id
    return target.attr if isinstance(target, ast.Attribute) else ""
