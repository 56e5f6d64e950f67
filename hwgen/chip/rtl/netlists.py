"""Netlists without a check of every bit.

Amaranth checks for each bit of each value of a netlist that it is a net. It makes all of them
itself, and the checks take a fifth of the time of a conversion. It looks for combinational cycles
from each bit of each operator along each bit that it depends on: of wide shifters and sums that is
most of the time of a conversion. Here cells are put in an order first. Only where cells depend on
each other in a circle bits are followed; those of a cell that all depend on the same ones are one.
It makes a net of each bit that a memory holds at first; here words are written as digits.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from threading import RLock

from amaranth.back.rtlil import ModuleEmitter
from amaranth.hdl._nir import (
    AssignmentList,
    AsyncReadPort,
    Cell,
    FlipFlop,
    IOBuffer,
    Matches,
    Net,
    Netlist,
    Operator,
    Part,
    PriorityMatch,
    Value,
)

_in_force = RLock()
named_cycles = Netlist.check_comb_cycles
"""Amaranth's own check, whose error names all bits on the way."""
emit_nets = ModuleEmitter.emit_memory
"""Amaranth's own text of a memory, which a memory without bits keeps."""
COMBINATIONAL = (
    AssignmentList,
    AsyncReadPort,
    IOBuffer,
    Matches,
    Operator,
    Part,
    PriorityMatch,
)
BITWISE = ("~", "&", "|", "^")
BIT_PLACES = 20
"""A net is the number of its cell, shifted, and its bit. Amaranth's 16 places are too few for the
sums of a macro with thousands of ADCs.
"""


@contextmanager
def bits_unchecked() -> Iterator[None]:
    """Let netlists be built inside without a check of every bit; one thread at a time."""
    changes: dict[type, dict[str, object]] = {
        Value: {"__new__": value_of},
        Netlist: {"resolve_value": resolved, "check_comb_cycles": refuse_cycles},
        ModuleEmitter: {"emit_memory": emit_memory},
        Net: {"from_cell": classmethod(net_of), "cell": property(cell_of), "bit": property(bit_of)},
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


def net_of(cls: type[Net], cell: int, bit: int) -> Net:
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


def value_of(cls: type, nets: Iterable[Net] = ()) -> Value:
    """Return the value of a net or of several; as in Amaranth, less the check."""
    return tuple.__new__(cls, (nets,) if isinstance(nets, Net) else nets)


def resolved(netlist: Netlist, value: Iterable[Net]) -> Value:
    """Return a value whose late nets, which are negative, are those that drive them."""
    connections, nets = netlist.connections, []
    for net in value:
        driver = net
        while driver < 0:
            driver = connections[driver]
        nets.append(driver)
    return Value(nets)


def emit_memory(emitter: ModuleEmitter, number: int, cell: Cell) -> None:
    """Write what a memory holds at first, the last word first."""
    if not cell.width * cell.depth:
        emit_nets(emitter, number, cell)
        return
    ones = (1 << cell.width) - 1
    digits = "".join(f"{row & ones:0{cell.width}b}" for row in reversed(cell.init))
    emitter.builder.cell(
        "$meminit_v2",
        ports={
            "ADDR": emitter.sigspec(),
            "DATA": f"{len(digits)}'{digits}",
            "EN": emitter.sigspec(Value.ones(cell.width)),
        },
        parameters={
            "MEMID": emitter.memories[number].memid,
            "ABITS": 0,
            "WIDTH": cell.width,
            "WORDS": cell.depth,
            "PRIORITY": 0,
        },
        src_loc=cell.src_loc,
    )


def refuse_cycles(netlist: Netlist) -> None:
    """Refuse combinational cycles, with Amaranth's own error."""
    if has_cycle(netlist):
        named_cycles(netlist)


def has_cycle(netlist: Netlist) -> bool:
    """Return whether a bit depends on itself without a register between."""
    sorter = TopologicalSorter(cells_read(netlist))
    try:
        sorter.prepare()
        return False
    except CycleError:
        return bits_in_circle(netlist, cells_before_circles(sorter))


def cells_read(netlist: Netlist) -> dict[int, set[int]]:
    """Return, by the number of a cell, the cells on whose outputs any of its own depends."""
    late = {net: resolved(netlist, (net,))[0] >> BIT_PLACES for net in netlist.connections}
    return {
        number: {late[net] if net < 0 else net >> BIT_PLACES for net in nets_read(cell)}
        for number, cell in enumerate(netlist.cells)
    }


def nets_read(cell: Cell) -> Iterable[int]:
    """Return the nets on which any output of a cell depends without a register between."""
    if isinstance(cell, FlipFlop):
        return (cell.clk, cell.arst)
    return cell.input_nets() if isinstance(cell, COMBINATIONAL) else ()


def cells_before_circles(sorter: TopologicalSorter[int]) -> set[int]:
    """Return the cells that depend on no circle of cells."""
    found: set[int] = set()
    while ready := sorter.get_ready():
        found.update(ready)
        sorter.done(*ready)
    return found


def bits_in_circle(netlist: Netlist, settled: set[int]) -> bool:
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


def depends_alike(cell: Cell) -> bool:
    """Return whether all output bits of a cell depend on the same nets."""
    if isinstance(cell, Operator):
        return len(cell.inputs) < 3 and cell.operator not in BITWISE
    return isinstance(cell, Part | AsyncReadPort)


def node_of(net: int, alike: list[bool]) -> int:
    """Return what stands for a net: of a cell whose bits are alike the first one."""
    if net > 1 and alike[net >> BIT_PLACES]:
        return net >> BIT_PLACES << BIT_PLACES
    return int(net)


def sources_of(netlist: Netlist, node: int) -> Iterator[int]:
    """Return the nets that one depends on; constants depend on none."""
    if node < 0:
        return iter((netlist.connections[Net(node)],))
    if node <= 1:
        return iter(())
    cell = netlist.cells[cell_of(node)]
    return (net for net, _ in cell.comb_edges_to(bit_of(node)))
