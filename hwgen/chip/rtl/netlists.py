"""Netlists of parts, from Amaranth; the one file that knows how Amaranth keeps them.

`netlist_of` returns cells of our own: numbers for nets, and names of kinds. A signal keeps what its
shape says: fields of a layout, members of an enum, states of a state machine (`Named`).

Amaranth checks for each bit of each value of a netlist that it is a net. It makes all of them
itself, and the checks take a fifth of the time of a conversion. It looks for combinational cycles
from each bit of each operator along each bit that it depends on: of wide shifters and sums that is
most of the time of a conversion. Here cells are put in an order first. Only where cells depend on
each other in a circle bits are followed; those of a cell that all depend on the same ones are one.

Tests: `tests/chip/rtl/test_netlists.py`, which says what is used of Amaranth's private modules.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from threading import RLock
from typing import Any

from amaranth.hdl import Format, Fragment, Signal
from amaranth.hdl import Value as AnyValue
from amaranth.hdl import _nir as nir
from amaranth.hdl._ir import NetlistEmitter, PortDirection
from amaranth.lib.wiring import In

from hwgen.chip.rtl import part as parts
from hwgen.chip.rtl.nodes import BIT_PLACES, ZERO, Named, Nets, Node, PartNetlist
from hwgen.errors import DesignError

_in_force = RLock()
named_cycles = nir.Netlist.check_comb_cycles
"""Amaranth's own check, whose error names all bits on the way."""
COMBINATIONAL = (
    nir.AssignmentList,
    nir.AsyncReadPort,
    nir.IOBuffer,
    nir.Matches,
    nir.Operator,
    nir.Part,
    nir.PriorityMatch,
)
BITWISE = ("~", "&", "|", "^")


@contextmanager
def bits_unchecked() -> Iterator[None]:
    """Let netlists be built inside without a check of every bit; one thread at a time."""
    changes: dict[type, dict[str, object]] = {
        nir.Value: {"__new__": value_of},
        nir.Netlist: {"resolve_value": resolved, "check_comb_cycles": refuse_cycles},
        nir.Net: {
            "from_cell": classmethod(net_of),
            "cell": property(cell_of),
            "bit": property(bit_of),
        },
    }
    with _in_force:
        originals = {
            owner: {name: vars(owner)[name] for name in changes[owner]} for owner in changes
        }
        put(changes)
        try:
            yield
        finally:
            put(originals)


def put(changes: Mapping[type, Mapping[str, object]]) -> None:
    """Replace attributes of classes."""
    for owner, attributes in changes.items():
        for name, value in attributes.items():
            setattr(owner, name, value)


def net_of(cls: type[nir.Net], cell: int, bit: int) -> nir.Net:
    """Return the net of an output bit of a cell."""
    if bit >> BIT_PLACES:
        raise OverflowError(f"a cell must have at most {1 << BIT_PLACES:,} bits, got bit {bit:,}")
    return cls(cell << BIT_PLACES | bit)


def cell_of(net: int) -> int:
    """Return the number of the cell of a net."""
    return net >> BIT_PLACES


def bit_of(net: int) -> int:
    """Return the bit of its cell that a net is."""
    return net & ((1 << BIT_PLACES) - 1)


def value_of(cls: type, nets: Iterable[nir.Net] = ()) -> nir.Value:
    """Return the value of a net or of several; as in Amaranth, less the check."""
    return tuple.__new__(cls, (nets,) if isinstance(nets, nir.Net) else nets)


def resolved(netlist: nir.Netlist, value: Iterable[nir.Net]) -> nir.Value:
    """Return a value whose late nets, which are negative, are those that drive them."""
    connections, nets = netlist.connections, []
    for net in value:
        driver = net
        while driver < 0:
            driver = connections[driver]
        nets.append(driver)
    return nir.Value(nets)


def refuse_cycles(netlist: nir.Netlist) -> None:
    """Refuse combinational cycles, with Amaranth's own error."""
    if has_cycle(netlist):
        named_cycles(netlist)


def has_cycle(netlist: nir.Netlist) -> bool:
    """Return whether a bit depends on itself without a register between."""
    sorter = TopologicalSorter(cells_read(netlist))
    try:
        sorter.prepare()
        return False
    except CycleError:
        return bits_in_circle(netlist, cells_before_circles(sorter))


def cells_read(netlist: nir.Netlist) -> dict[int, set[int]]:
    """Return, by the number of a cell, the cells on whose outputs any of its own depends."""
    late = {net: resolved(netlist, (net,))[0] >> BIT_PLACES for net in netlist.connections}
    return {
        number: {late[net] if net < 0 else net >> BIT_PLACES for net in nets_read(cell)}
        for number, cell in enumerate(netlist.cells)
    }


def nets_read(cell: nir.Cell) -> Iterable[int]:
    """Return the nets on which any output of a cell depends without a register between."""
    if isinstance(cell, nir.FlipFlop):
        return (cell.clk, cell.arst)
    return cell.input_nets() if isinstance(cell, COMBINATIONAL) else ()


def cells_before_circles(sorter: TopologicalSorter[int]) -> set[int]:
    """Return the cells that depend on no circle of cells."""
    found: set[int] = set()
    while ready := sorter.get_ready():
        found.update(ready)
        sorter.done(*ready)
    return found


def bits_in_circle(netlist: nir.Netlist, settled: set[int]) -> bool:
    """Return whether a bit depends on itself; settled: cells whose bits do not."""
    alike = [depends_alike(cell) for cell in netlist.cells]
    checked: set[int] = set()
    busy: set[int] = set()
    for number, cell in enumerate(netlist.cells):
        for net in () if number in settled else cell.output_nets(number):
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
                elif source not in checked and source >> BIT_PLACES not in settled:
                    busy.add(source)
                    way.append((source, sources_of(netlist, source)))
    return False


def depends_alike(cell: nir.Cell) -> bool:
    """Return whether all output bits of a cell depend on the same nets."""
    if isinstance(cell, nir.Operator):
        return len(cell.inputs) < 3 and cell.operator not in BITWISE
    return isinstance(cell, nir.Part | nir.AsyncReadPort)


def node_of(net: int, alike: list[bool]) -> int:
    """Return what stands for a net: of a cell whose bits are alike the first one."""
    if net > 1 and alike[net >> BIT_PLACES]:
        return net >> BIT_PLACES << BIT_PLACES
    return int(net)


def sources_of(netlist: nir.Netlist, node: int) -> Iterator[int]:
    """Return the nets that one depends on; constants depend on none."""
    if node < 0:
        return iter((netlist.connections[nir.Net(node)],))
    if node <= 1:
        return iter(())
    cell = netlist.cells[cell_of(node)]
    return (net for net, _ in cell.comb_edges_to(bit_of(node)))


def netlist_of(part: "parts.Part") -> PartNetlist:
    """Return the netlist of a part, with what its `elaborate` places inside it.

    Raises DesignError for a cell that no part may have, such as a transparent read.
    """
    ports: dict[str, Any] = {}
    for path, member, value in part.signature.flatten(part):
        way = PortDirection.Input if member.flow == In else PortDirection.Output
        ports["__".join(map(str, path))] = (AnyValue.cast(value), way)
    design = Fragment.get(part, None).prepare(ports=ports, hierarchy=(part.module_name,))
    netlist = nir.Netlist()
    emitter = NetlistEmitter(netlist, design)
    emitter.emit_signal_fields = list  # `Named` has layouts instead.
    emitter.emit_fragment(design.fragment, None)
    netlist.check_comb_cycles()
    netlist.resolve_all_nets()
    top = netlist.top
    inputs = {
        name: tuple(range(start, start + width)) for name, (start, width) in top.ports_i.items()
    }
    nodes = [ours(cell, part.module_name) for cell in netlist.cells]
    return PartNetlist(
        part.module_name, nodes, inputs, dict(top.ports_o), list(signals_of(netlist))
    )


def ours(cell: nir.Cell, name: str) -> Node:
    """Return a cell of Amaranth as one of ours; DesignError for one that no part may have."""
    found = logic_of(cell) or stored_of(cell) or placed_of(cell)
    if found is not None:
        inputs, kind, width, what = found
        return Node(kind, inputs, width, what, cell.src_loc)
    kind = type(cell).__name__
    if isinstance(cell, nir.Operator):
        kind = f"the operator {cell.operator[1:]} of signed numbers"
    if isinstance(cell, nir.SyncReadPort):
        kind = "a read that sees what is being written"
    raise DesignError(
        f"Verilog of {name} cannot be written: it must have no cell of this kind, got {kind}"
    )


Made = tuple[list[Nets], str, int, Any]
"""Of a `Node`: inputs, kind, width, what."""


def logic_of(cell: nir.Cell) -> Made | None:
    """Return a cell without memory; None: it is no such cell."""
    match cell:
        case nir.Operator() if cell.operator not in ROUNDED:
            return list(cell.inputs), "op", cell.width, cell.operator
        case nir.Matches():
            return [cell.value], "match", 1, tuple(cell.patterns)
        case nir.PriorityMatch():
            return [(cell.en,), cell.inputs], "priority", len(cell.inputs), None
        case nir.AssignmentList():
            given = [nets for one in cell.assignments for nets in ((one.cond,), one.value)]
            starts = [one.start for one in cell.assignments]
            return [cell.default, *given], "list", len(cell.default), starts
        case nir.Part():
            what = (cell.value_signed, cell.stride)
            return [cell.value, cell.offset], "part", cell.width, what
    return None


def stored_of(cell: nir.Cell) -> Made | None:
    """Return a register, or a memory or a port of one; None: it is neither."""
    match cell:
        case nir.FlipFlop():
            what = (cell.init, cell.clk_edge, cell.arst != ZERO)
            return [cell.data, (cell.clk,), (cell.arst,)], "register", len(cell.data), what
        case nir.Memory():
            ones = (1 << cell.width) - 1
            return [], "memory", 0, (cell.name, cell.width, [word & ones for word in cell.init])
        case nir.SyncWritePort():
            given = [cell.data, cell.addr, cell.en, (cell.clk,)]
            return given, "write", 0, (cell.memory, cell.clk_edge)
        case nir.AsyncReadPort():
            return [cell.addr], "read", cell.width, cell.memory
        case nir.SyncReadPort() if not cell.transparent_for:
            given = [cell.addr, (cell.en,), (cell.clk,)]
            return given, "clocked read", cell.width, (cell.memory, cell.clk_edge)
    return None


def placed_of(cell: nir.Cell) -> Made | None:
    """Return what is placed, an assertion, or what stands for the ports; None: it is neither."""
    match cell:
        case nir.Instance() if not cell.ports_io:
            what = (cell.type, cell.name, list(cell.ports_i), cell.ports_o, cell.parameters)
            width = sum(bits for _, bits in cell.ports_o.values())
            return list(cell.ports_i.values()), "instance", width, what
        case nir.SyncProperty() if cell.kind == "assert":
            return [(cell.test,), (cell.en,), (cell.clk,)], "property", 0, said(cell.format)
        case nir.Top():
            return list(cell.ports_o.values()), "top", 0, None
    return None


def said(format: Any) -> str:
    """Return the message of an assertion."""
    return "" if format is None else "".join(one for one in format.chunks if isinstance(one, str))


ROUNDED = ("s//", "s%")
"""Operators that round down, which those of Verilog do not."""
NAMELESS = "$signal"
"""Amaranth's name of a signal without one; what it is assigned to says more."""


def signals_of(netlist: nir.Netlist) -> Iterator[Named]:
    """Yield signals in the order of the source; several may have one name."""
    for module in netlist.modules:
        for signal in module.signal_names:
            if len(signal) and signal.name != NAMELESS:
                path = "_".join((*module.name[1:], signal.name))
                yield named(path, signal, netlist.signals[signal])


def named(name: str, signal: Signal, nets: Nets) -> Named:
    """Return a signal with what its shape, or its state machine, says of it."""
    found = Named(name, nets, place=signal.src_loc)
    shown = signal._format
    found.layout = getattr(shown, "layout", None)
    if isinstance(shown, Format.Enum):
        found.values, found.title = dict(shown._variants), shown._name or name
    elif signal.decoder is not None and not isinstance(signal.decoder, type):
        found.values, found.title = states_of(signal), name
    return found


def states_of(signal: Signal) -> dict[int, str]:
    """Return the states of a state machine by their numbers."""
    found = {}
    for value in range(1 << len(signal)):
        try:
            found[value] = signal.decoder(value).rpartition("/")[0]
        except KeyError:
            continue
    return found
