"""Netlists without a check of every bit.

Amaranth checks for each bit of each value of a netlist that it is a net. It makes all of them
itself, and the checks take a fifth of the time of a conversion. It looks for combinational cycles
from each bit of each operator along each bit that it depends on: of wide shifters and sums that is
most of the time of a conversion. Here the bits of a cell that all depend on the same ones are one.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from amaranth.hdl._nir import AsyncReadPort, Net, Netlist, Operator, Part, Value

_in_force = RLock()
named_cycles: Any = Netlist.check_comb_cycles
"""Amaranth's own check, whose error names all bits on the way."""
BITWISE = ("~", "&", "|", "^")
BIT_PLACES = 16
"""A net is the number of its cell, shifted, and its bit."""


@contextmanager
def bits_unchecked() -> Iterator[None]:
    """Let netlists be built inside without a check of every bit; one thread at a time."""
    with _in_force:
        originals = Value.__new__, Netlist.resolve_value
        Value.__new__, Netlist.resolve_value = value_of, resolved
        Netlist.check_comb_cycles = refuse_cycles
        try:
            yield
        finally:
            Value.__new__, Netlist.resolve_value = originals
            Netlist.check_comb_cycles = named_cycles


def value_of(cls: type, nets: Iterable[Any] = ()) -> Any:
    """Return the value of a net or of several; as in Amaranth, less the check."""
    return tuple.__new__(cls, (nets,) if isinstance(nets, Net) else nets)


def resolved(netlist: Any, value: Iterable[Any]) -> Any:
    """Return a value whose late nets, which are negative, are those that drive them."""
    connections, nets = netlist.connections, []
    for net in value:
        driver = net
        while driver < 0:
            driver = connections[driver]
        nets.append(driver)
    return Value(nets)


def refuse_cycles(netlist: Any) -> None:
    """Refuse combinational cycles, with Amaranth's own error."""
    if has_cycle(netlist):
        named_cycles(netlist)


def has_cycle(netlist: Any) -> bool:
    """Return whether a bit depends on itself without a register between."""
    alike = [depends_alike(cell) for cell in netlist.cells]
    checked: set[int] = set()
    busy: set[int] = set()
    for number, cell in enumerate(netlist.cells):
        for net in cell.output_nets(number):
            way = [(node_of(net, alike), iter((net,)))]
            while way:
                node, sources = way[-1]
                source = next((node_of(each, alike) for each in sources), None)
                if source is None:
                    way.pop()
                    busy.discard(node)
                    checked.add(node)
                elif source in busy:
                    return True
                elif source not in checked:
                    busy.add(source)
                    way.append((source, sources_of(netlist, source)))
    return False


def depends_alike(cell: Any) -> bool:
    """Return whether all output bits of a cell depend on the same nets."""
    if isinstance(cell, Operator):
        return len(cell.inputs) < 3 and cell.operator not in BITWISE
    return isinstance(cell, Part | AsyncReadPort)


def node_of(net: int, alike: list[bool]) -> int:
    """Return what stands for a net: of a cell whose bits are alike the first one."""
    if net > 1 and alike[net >> BIT_PLACES]:
        return net >> BIT_PLACES << BIT_PLACES
    return int(net)


def sources_of(netlist: Any, node: int) -> Iterator[int]:
    """Return the nets that one depends on; constants depend on none."""
    if node < 0:
        return iter((netlist.connections[Net(node)],))
    if node <= 1:
        return iter(())
    cell = netlist.cells[node >> BIT_PLACES]
    return (net for net, _ in cell.comb_edges_to(node & ((1 << BIT_PLACES) - 1)))
