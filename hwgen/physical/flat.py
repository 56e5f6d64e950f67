"""The flat netlist of a part of a chip, as tables that a compiled evaluator walks."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hwgen.errors import DesignError
from hwgen.physical.cells import Cell, Library
from hwgen.physical.netlist import Memory, Net, Netlist, Placed
from hwgen.physical.timing_graph import ordered

MOST_INPUTS = 6
"""Of a gate: its truth table fits 64 bits."""
ZERO, ONE = 0, 1
"""Nets of the constants."""
WIRE = 0b10
"""Truth table of a wire."""


Read = tuple[int, Sequence[Net], Sequence[Net]]
"""Number of a memory, nets of address and data."""


@dataclass
class Flat:
    """A flat netlist; nets 0 and 1 are constants.

    gates: truth table, inputs, output, cell and pin, part of each output of each gate; without a
        cell: a wire from one net to another
    flip_flops: D, Q, net of an inverted output (0: none), net of the enable of its clock gate
        (1: none), cell, part
    clock_gates: enable, cell, part
    reads, writes: ports of memories; loads: pF by net
    """

    inputs: dict[str, list[Net]] = field(default_factory=dict)
    outputs: dict[str, list[Net | None]] = field(default_factory=dict)
    gates: list[tuple[int, list[Net], Net, str, str, str]] = field(default_factory=list)
    flip_flops: list[tuple[Net, Net, Net, Net, str, str]] = field(default_factory=list)
    clock_gates: list[tuple[Net, str, str]] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    loads: dict[Net, float] = field(default_factory=lambda: defaultdict(float))
    nets: int = 2


class Flattener:
    """Flattens a module with all that it places.

    netlist: returns the netlist of a module; part_of: names its part, None: its parent's
    """

    def __init__(
        self,
        library: Library,
        netlist: Callable[[str], Netlist],
        part_of: Callable[[str], str | None],
    ) -> None:
        self.library, self.netlist, self.part_of = library, netlist, part_of
        self.flat = Flat()
        self._tables: dict[tuple[str, str], int] = {}
        self._netlists: dict[str, Netlist] = {}

    def whole(self, top: str) -> Flat:
        """Return the flat netlist of a module."""
        netlist = self._read(top)
        nets: dict[Net, Net] = {}
        self._add(netlist, nets, "control")
        given = {port: bits for port, bits in netlist.inputs.items() if port != "clk"}
        self.flat.inputs = {
            port: [self._net(nets, bit) if bit is not None else ZERO for bit in bits]
            for port, bits in given.items()
        }
        self.flat.outputs = {
            port: [None if bit is None else self._net(nets, bit) for bit in bits]
            for port, bits in netlist.outputs.items()
        }
        self._order()
        return self.flat

    def _read(self, module: str) -> Netlist:
        """Return a netlist, read once."""
        if module not in self._netlists:
            self._netlists[module] = self.netlist(module)
        return self._netlists[module]

    def _net(self, nets: dict[Net, Net], local: Net) -> Net:
        """Return the flat net of a net of one instance."""
        if local not in nets:
            nets[local] = self.flat.nets
            self.flat.nets += 1
        return nets[local]

    def _add(self, netlist: Netlist, nets: dict[Net, Net], part: str) -> None:
        """Add one instance of a module; nets: those of its ports are there."""
        part = self.part_of(netlist.name) or part
        enables: dict[Net, Net] = {}
        cells = self.library.cells
        gates = [
            (cells[gate.cell], {pin: self._net(nets, net) for pin, net in gate.pins.items()})
            for gate in netlist.gates
        ]
        for cell, pins in gates:
            for pin, net in pins.items():
                self.flat.loads[net] += cell.pins[pin].capacitance
            if cell.gate and self.library.gate is not None:
                enable = pins.get(self.library.gate.enable, ONE)
                enables[pins[self.library.gate.out]] = enable
                self.flat.clock_gates.append((enable, cell.name, part))
        for cell, pins in gates:
            if cell.is_flip_flop:
                self._flip_flop(cell, pins, enables, part)
            elif not cell.gate:
                self._gate(cell, pins, part)
        for memory in netlist.memories:
            self.flat.memories.append(moved(memory, lambda local: self._net(nets, local)))
        for placed in netlist.placed:
            below = self._read(placed.module)
            self._add(below, self._bound(below, placed, nets), part)

    def _bound(self, below: Netlist, placed: Placed, nets: dict[Net, Net]) -> dict[Net, Net]:
        """Return the flat nets of the ports of a placed module.

        A net that several ports show is wired to those behind the first one.
        """
        inner: dict[Net, Net] = {}
        for port, bits in {**below.inputs, **below.outputs}.items():
            for local, outer in zip(bits, placed.pins.get(port, ()), strict=False):
                if local is None:
                    continue
                flat = ZERO if outer is None else self._net(nets, outer)
                if local not in inner:
                    inner[local] = flat
                elif outer is not None:
                    self.flat.gates.append((WIRE, [inner[local]], flat, "", "", ""))
        return inner

    def _flip_flop(
        self, cell: Cell, pins: Mapping[str, Net], enables: Mapping[Net, Net], part: str
    ) -> None:
        """Add a flip-flop; its D is the only input with a setup time that is no reset."""
        outs = [pin for pin in cell.outputs if pin in pins]
        plain = next((pins[pin] for pin in outs if pin not in cell.inverted), None)
        inverted = next((pins[pin] for pin in outs if pin in cell.inverted), ZERO)
        if plain is None:
            plain = self.flat.nets
            self.flat.nets += 1
        enable = enables.get(pins.get(cell.clock, -1), ONE)
        data = pins.get(cell.data, ZERO)
        self.flat.flip_flops.append((data, plain, inverted, enable, cell.name, part))

    def _gate(self, cell: Cell, pins: Mapping[str, Net], part: str) -> None:
        """Add the outputs of a gate."""
        if len(cell.inputs) > MOST_INPUTS:
            raise DesignError(
                f"a gate must have at most {MOST_INPUTS} inputs here, got {cell.name}"
            )
        inputs = [pins.get(pin, ZERO) for pin in cell.inputs]
        for pin in cell.outputs:
            if pin in pins:
                key = (cell.name, pin)
                if key not in self._tables:
                    table = cell.table_of(pin)
                    if table is None:
                        raise DesignError(f"the function of {cell.name} must be known, got none")
                    self._tables[key] = table
                self.flat.gates.append((self._tables[key], inputs, pins[pin], cell.name, pin, part))

    def _order(self) -> None:
        """Sort gates and combinational reads: each behind those that drive it."""
        drivers: dict[Net, int] = {gate[2]: number for number, gate in enumerate(self.flat.gates)}
        first_read = len(self.flat.gates)
        reads = combinational_reads(self.flat.memories)
        for number, (_, _, data) in enumerate(reads):
            drivers.update(dict.fromkeys(data, first_read + number))
        before: dict[int, Sequence[int]] = {
            number: [drivers[net] for net in gate[1] if net in drivers]
            for number, gate in enumerate(self.flat.gates)
        }
        for number, (_, address, _) in enumerate(reads):
            before[first_read + number] = [drivers[net] for net in address if net in drivers]
        order, left = ordered(before)
        if left:
            raise DesignError(f"the flat netlist must have no loop, got one through {left} gates")
        self.order = order


def combinational_reads(
    memories: Sequence[Memory],
) -> list[tuple[int, Sequence[Net], Sequence[Net]]]:
    """Return memory, address and data of each read without a register."""
    return [
        (number, address, data)
        for number, memory in enumerate(memories)
        for registered, address, _, data in memory.reads
        if not registered
    ]


def moved(memory: Memory, net: Callable[[Net], Net]) -> Memory:
    """Return a memory with other nets."""
    return Memory(
        memory.name,
        memory.words,
        memory.bits,
        [
            (registered, [net(n) for n in a], [net(n) for n in e], [net(n) for n in d])
            for registered, a, e, d in memory.reads
        ],
        [
            ([net(n) for n in a], [net(n) for n in e], [net(n) for n in d])
            for a, e, d in memory.writes
        ],
    )
