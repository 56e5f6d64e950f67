"""Names for nets without a signal: the variable of the source that holds their value.

Amaranth gives such a net a number. While `hinted_nets` is in force the number stands behind a name:

    taken = valid & ready                     $taken$7
    sums = [a + b for a, b in pairs]          $sums$8, $sums$9
    def is_first(self): return index == 0     $is_first$10
    total.eq(a + b)                           $11: what it leads to has a name, it has none

`hwgen.chip.rtl.net_names` makes a name of it where the net is left in the Verilog. Only the text of
statements counts, not their lines: an edit above them changes nothing.
"""

import ast
import linecache
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import RLock

import amaranth
from amaranth.back.rtlil import ModuleEmitter, Wire
from amaranth.hdl import _nir as nir

_in_force = RLock()
LIBRARY = str(Path(amaranth.__file__).parent)
"""What happens in Amaranth itself gives no names: they would change with its version."""
WORDLESS = {"elaborate", "_", "m", "when", "unless"}


@contextmanager
def hinted_nets() -> Iterator[None]:
    """Let nets that are made inside have hints; one thread at a time."""
    with _in_force:
        original = ModuleEmitter.emit_driven_wire
        ModuleEmitter.emit_driven_wire = driven_wire
        try:
            yield
        finally:
            ModuleEmitter.emit_driven_wire = original


def driven_wire(emitter: ModuleEmitter, value: nir.Value) -> Wire:
    """Return the wire that a value drives, as Amaranth does; a new one has a hint in its name."""
    if value in emitter.value_names:
        name = emitter.value_names[value]
        wire, _ = emitter.sigport_wires[name]
        emitter.driven_sigports.add(name)
    else:
        cell = emitter.netlist.cells[value[0].cell] if value else None
        wire = new_wire(emitter, value, hint_at(getattr(cell, "src_loc", None)))
    for bit, net in enumerate(value):
        emitter.nets[net] = (wire, bit)
    return wire


def new_wire(emitter: ModuleEmitter, value: nir.Value, hint: str) -> Wire:
    """Return a new wire; its name is internal for Yosys, with or without a hint."""
    builder = emitter.builder
    name = builder._auto_name()
    if hint:
        name = f"${hint}{name}"
    wire = Wire(len(value), name=name, attrs=emitter.value_attrs.get(value, {}))
    builder.contents[name] = wire
    return wire


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
