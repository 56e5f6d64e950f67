"""What is used of Amaranth's private netlist, and what of it no part may have."""

import ast
from pathlib import Path

import pytest
from amaranth.hdl import ClockDomain, Module, Signal, _nir
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

import hwgen
from hwgen.chip.rtl import netlists
from hwgen.chip.rtl.emit import verilog_of
from hwgen.chip.rtl.part import Part
from hwgen.errors import DesignError

HWGEN = Path(hwgen.__file__).parent
PRIVATE = ("amaranth.hdl._nir", "amaranth.hdl._ir", "amaranth.back", "amaranth._toolchain")
USED = {
    "AssignmentList": {"default", "assignments"},
    "AsyncReadPort": {"memory", "width", "addr"},
    "Cell": set(),
    "FlipFlop": {"data", "init", "clk", "clk_edge", "arst"},
    "Instance": {"type", "name", "parameters", "ports_i", "ports_o", "ports_io"},
    "IOBuffer": set(),
    "Matches": {"value", "patterns"},
    "Memory": {"width", "depth", "init", "name"},
    "Net": set(),
    "Netlist": {"connections", "cells", "modules", "signals"},
    "Operator": {"operator", "inputs"},
    "Part": {"value", "value_signed", "offset", "width", "stride"},
    "PriorityMatch": {"en", "inputs"},
    "SyncProperty": {"kind", "test", "en", "clk", "format"},
    "SyncReadPort": {"memory", "width", "addr", "en", "clk", "clk_edge", "transparent_for"},
    "SyncWritePort": {"memory", "data", "addr", "en", "clk", "clk_edge"},
    "Top": {"ports_i", "ports_o"},
    "Value": set(),
}
"""Classes of `_nir`, each with the attributes that are read."""


def imports_of(file: Path) -> dict[str, set[str]]:
    """Return the names that a file imports, by the module that they are from."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.setdefault(node.module, set()).update(one.name for one in node.names)
            found |= {f"{node.module}.{one.name}": set() for one in node.names}
        elif isinstance(node, ast.Import):
            for one in node.names:
                found.setdefault(one.name, set())
    return found


@pytest.mark.promise(
    "one file knows how Amaranth keeps netlists, and a test says which classes and attributes of it"
)
def test_one_file_knows() -> None:
    knowing = {
        file.name
        for file in HWGEN.rglob("*.py")
        if any(module.startswith(PRIVATE) for module in imports_of(file))
    }
    assert knowing == {"netlists.py"}
    found = imports_of(Path(netlists.__file__))
    tree = ast.parse(Path(netlists.__file__).read_text(encoding="utf-8"))
    named = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    used = {each.attr for each in named if getattr(each.value, "id", "") == "nir"}
    assert used == USED.keys()
    assert found["amaranth.hdl._ir"] == {"NetlistEmitter", "PortDirection"}


@pytest.mark.parametrize("name", sorted(USED))
def test_what_is_used_is_there(name: str) -> None:
    """An attribute stands in the docstring or is set in `__init__`."""
    text = Path(_nir.__file__).read_text(encoding="utf-8")
    (node,) = [
        one for one in ast.parse(text).body if isinstance(one, ast.ClassDef) and one.name == name
    ]
    stored = {
        target.attr
        for target in ast.walk(node)
        if isinstance(target, ast.Attribute) and isinstance(target.ctx, ast.Store)
    }
    assert stored >= USED[name]


class Cells(Part):
    """A memory that is read as it is written, or a register with its own reset.

    transparent: reads see what is written in the same cycle
    """

    family = "tiny"
    clock_ports = ()

    def __init__(self, *, transparent: bool) -> None:
        self._transparent = transparent
        super().__init__({"clock": In(1), "clear": In(1), "given": In(4), "found": Out(4)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.own = own = ClockDomain(local=True, async_reset=True)
        m.d.comb += [own.clk.eq(self.clock), own.rst.eq(self.clear)]
        if self._transparent:
            m.submodules.words = words = Memory(shape=4, depth=2, init=[])
            write = words.write_port(domain="own")
            read = words.read_port(domain="own", transparent_for=[write])
            m.d.comb += [write.en.eq(1), write.data.eq(self.given), self.found.eq(read.data)]
        else:
            kept = Signal(4, init=9)
            m.d.own += kept.eq(self.given)
            m.d.comb += self.found.eq(kept)
        return m


@pytest.mark.promise("a memory that shows what is being written is refused in one sentence")
def test_a_transparent_read_is_refused() -> None:
    with pytest.raises(DesignError, match=r"^Verilog of tiny_cells cannot be written: .* sees"):
        verilog_of([Cells(transparent=True)])


def test_an_asynchronous_reset_is_written() -> None:
    text = verilog_of([Cells(transparent=False)])
    assert "  always @(posedge clock or posedge clear) begin\n    if (clear) begin\n" in text
    assert "found <= 4'h9;" in text
