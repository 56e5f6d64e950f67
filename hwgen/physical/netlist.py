"""The netlist of one module: cells of the library, memories, placed modules, and the nets between.

A net is a number; constants are no nets. Nets that many inputs read get trees of buffers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from hwgen.errors import DesignError
from hwgen.physical.cells import Library

MEMORY = "$mem_v2"
MOST_SINKS = 10
"""Inputs that a net drives without a buffer, and a buffer of a tree."""

Net = int


@dataclass(frozen=True)
class Gate:
    """A cell of the library: its name in the netlist, its cell, and the net of each pin."""

    name: str
    cell: str
    pins: Mapping[str, Net]


@dataclass(frozen=True)
class Memory:
    """A memory: words, bits of a word, and the nets of its ports.

    reads: for each port whether it is registered, its address, its enable, its data
    writes: for each port its address, the enable of each bit, its data
    """

    name: str
    words: int
    bits: int
    reads: Sequence[tuple[bool, Sequence[Net], Sequence[Net], Sequence[Net]]]
    writes: Sequence[tuple[Sequence[Net], Sequence[Net], Sequence[Net]]]

    @property
    def written(self) -> set[Net]:
        """All nets that its write ports read."""
        return {net for write in self.writes for part in write for net in part}

    @property
    def inputs(self) -> list[Net]:
        """All nets that it reads."""
        found = [net for _, address, enable, _ in self.reads for net in (*address, *enable)]
        return [*found, *self.written]


@dataclass(frozen=True)
class Placed:
    """An instance of another module; pins: by port the nets of its bits, None for a constant."""

    name: str
    module: str
    pins: Mapping[str, Sequence[Net | None]]


@dataclass(frozen=True)
class Netlist:
    """The netlist of one module.

    inputs, outputs: by port the nets of its bits; a constant or absent bit is None
    names: of nets that have one, with the index of the bit
    buffers: how many of the gates are buffers of trees
    """

    name: str
    inputs: Mapping[str, Sequence[Net | None]]
    outputs: Mapping[str, Sequence[Net | None]]
    gates: Sequence[Gate]
    memories: Sequence[Memory]
    placed: Sequence[Placed]
    names: Mapping[Net, str]
    buffers: int = 0

    @property
    def nets(self) -> set[Net]:
        """Every net."""
        found = {net for gate in self.gates for net in gate.pins.values()}
        found.update(present([*self.inputs.values(), *self.outputs.values()]))
        found.update(net for each in self.placed for net in present(each.pins.values()))
        for memory in self.memories:
            found.update(memory.inputs, (net for read in memory.reads for net in read[3]))
        return found

    def label(self, net: Net) -> str:
        """Return the name of a net without the index of its bit."""
        return self.names.get(net, f"net {net}").partition("[")[0]


def netlist_of(content: Mapping[str, Any], name: str, library: Library) -> Netlist:
    """Return the netlist of a module from what Yosys writes as JSON.

    Errors: DesignError for a cell that is in no library: Yosys could not map it
    """
    module = content["modules"][name]
    gates: list[Gate] = []
    memories: list[Memory] = []
    placed: list[Placed] = []
    others = {key for key in content["modules"] if key not in library.cells}
    for cell, entry in module["cells"].items():
        kind, pins = entry["type"], entry["connections"]
        if kind in library.cells:
            nets = {pin: bits[0] for pin, bits in pins.items() if bits and is_net(bits[0])}
            gates.append(Gate(cell, kind, nets))
        elif kind == MEMORY:
            memories.append(memory_of(cell, entry))
        elif kind in others:
            placed.append(Placed(cell, kind, {pin: known(bits) for pin, bits in pins.items()}))
        else:
            raise DesignError(f"every cell of {name} must be in the library, got {kind}")
    ports = module["ports"]
    return Netlist(
        name=name,
        inputs={p: known(e["bits"]) for p, e in ports.items() if e["direction"] == "input"},
        outputs={p: known(e["bits"]) for p, e in ports.items() if e["direction"] == "output"},
        gates=gates,
        memories=memories,
        placed=placed,
        names=names_of(module["netnames"]),
    )


def present(ports: Iterable[Sequence[Net | None]]) -> Iterator[Net]:
    """Yield the nets of the bits of some ports."""
    return (net for bits in ports for net in bits if net is not None)


def is_net(bit: object) -> bool:
    """Whether a bit of Yosys is a net; constants are text."""
    return isinstance(bit, int)


def known(bits: Sequence[Any]) -> list[Net | None]:
    """Return bits with None for constants."""
    return [bit if is_net(bit) else None for bit in bits]


def nets(bits: Sequence[Any]) -> list[Net]:
    """Return the nets among bits."""
    return [bit for bit in bits if is_net(bit)]


def names_of(netnames: Mapping[str, Any]) -> dict[Net, str]:
    """Return a name for each net, of several the shortest that a person wrote."""
    found: dict[Net, tuple[bool, int, str]] = {}
    for name, entry in netnames.items():
        hidden, several = bool(entry.get("hide_name")), len(entry["bits"]) > 1
        for index, bit in enumerate(entry["bits"]):
            full = f"{name}[{index}]" if several else name
            rank = (hidden, len(full), full)
            if is_net(bit) and (bit not in found or rank < found[bit]):
                found[bit] = rank
    return {bit: rank[2] for bit, rank in found.items()}


def memory_of(name: str, entry: Mapping[str, Any]) -> Memory:
    """Return a memory from the parameters and connections of Yosys."""
    pins, values = entry["connections"], entry["parameters"]
    words, bits, width = (int(values[key], 2) for key in ("SIZE", "WIDTH", "ABITS"))
    clocked = values["RD_CLK_ENABLE"][::-1]
    reads = [
        (
            clocked[port] == "1",
            nets(pins["RD_ADDR"][port * width : (port + 1) * width]),
            nets(pins["RD_EN"][port : port + 1]),
            nets(pins["RD_DATA"][port * bits : (port + 1) * bits]),
        )
        for port in range(int(values["RD_PORTS"], 2))
    ]
    writes = [
        (
            nets(pins["WR_ADDR"][port * width : (port + 1) * width]),
            nets(pins["WR_EN"][port * bits : (port + 1) * bits]),
            nets(pins["WR_DATA"][port * bits : (port + 1) * bits]),
        )
        for port in range(int(values["WR_PORTS"], 2))
    ]
    return Memory(name, words, bits, reads, writes)


def clock_nets(netlist: Netlist, library: Library) -> set[Net]:
    """Return the nets that are a clock: `clk`, and those behind clock gates."""
    found = set(nets(list(netlist.inputs.get("clk", ()))))
    for gate in netlist.gates:
        cell = library.cells[gate.cell]
        if cell.clock:
            found.add(gate.pins[cell.clock])
        if cell.gate:
            found.update(gate.pins[pin] for pin in cell.outputs if pin in gate.pins)
    for each in netlist.placed:
        found.update(net for net in each.pins.get("clk", ()) if net is not None)
    return found


@dataclass(frozen=True)
class Sink:
    """A place that reads a net: a pin of a gate, or a bit of a port of a placed module.

    readers: inputs behind it: 1 of a gate, of a port as many as read it in the module
    """

    pins: dict[str, Any]
    pin: str
    bit: int | None = None
    readers: int = 1

    def connect(self, net: Net) -> None:
        """Let it read another net."""
        if self.bit is None:
            self.pins[self.pin] = net
        else:
            self.pins[self.pin][self.bit] = net


Readers = Mapping[str, Mapping[str, Sequence[int]]]
"""By module and input port: the inputs that read each bit."""


def with_buffers(netlist: Netlist, library: Library, ports: Readers) -> Netlist:
    """Return the netlist with a tree of buffers behind each net that more than ten inputs read.

    ports: of each placed module, whose inputs count as if they were here: a port that eight read
        is as heavy as eight; a clock has a tree of its own, which is none here. A constant never
        changes, so one tie cell of each kind serves all that read it.
    """
    gates = [Gate(gate.name, gate.cell, dict(gate.pins)) for gate in netlist.gates]
    placed = [
        Placed(each.name, each.module, {port: list(bits) for port, bits in each.pins.items()})
        for each in netlist.placed
    ]
    buffer = library.cells[library.buffer]
    source, out = buffer.inputs[0], buffer.outputs[0]
    fresh = max(netlist.nets, default=0) + 1
    added: list[Gate] = []
    clocks = clock_nets(netlist, library)
    constants = {net for gate in gates if gate.cell in library.ties for net in gate.pins.values()}
    for net, readers in sinks_of(gates, placed, library, ports).items():
        level = [] if net in clocks | constants else readers
        while sum(sink.readers for sink in level) > MOST_SINKS:
            above = []
            for group in groups_of(level):
                pins = {source: net, out: fresh}
                for sink in group:
                    sink.connect(fresh)
                added.append(Gate(f"tree_{len(added)}", buffer.name, pins))
                above.append(Sink(pins, source))
                fresh += 1
            level = above
    return replace(netlist, gates=[*gates, *added], placed=placed, buffers=len(added))


def groups_of(sinks: Sequence[Sink]) -> list[list[Sink]]:
    """Return the sinks in their order, in groups of at most ten readers; one with more is alone."""
    groups: list[list[Sink]] = []
    room = 0
    for sink in sinks:
        if sink.readers > room:
            groups.append([])
            room = MOST_SINKS
        groups[-1].append(sink)
        room -= sink.readers
    return groups


def readers_of(netlist: Netlist, library: Library, ports: Readers) -> dict[str, list[int]]:
    """Return how many inputs read each bit of the input ports; ports: as of ``with_buffers``."""
    sinks = sinks_of(netlist.gates, netlist.placed, library, ports)
    return {
        port: [
            sum(sink.readers for sink in sinks.get(net, ())) if net is not None else 0
            for net in bits
        ]
        for port, bits in netlist.inputs.items()
    }


def sinks_of(
    gates: Sequence[Gate], placed: Sequence[Placed], library: Library, ports: Readers
) -> dict[Net, list[Sink]]:
    """Return by net all places that read it."""
    found: dict[Net, list[Sink]] = defaultdict(list)
    for gate in gates:
        cell = library.cells[gate.cell]
        for pin, net in gate.pins.items():
            if not cell.pins[pin].is_output:
                found[net].append(Sink(cast("dict[str, Any]", gate.pins), pin))
    for each in placed:
        for port, counts in ports[each.module].items():
            for bit, one in enumerate(each.pins.get(port, ())):
                if one is not None:
                    sink = Sink(cast("dict[str, Any]", each.pins), port, bit, max(counts[bit], 1))
                    found[one].append(sink)
    return found


def cell_counts(netlist: Netlist, library: Library) -> Counter[str]:
    """Return how many gates of each cell there are.

    Without trees of buffers, and without a tie that memories alone read: it is in their macro.
    """
    read = set(present(netlist.outputs.values()))
    read.update(net for each in netlist.placed for net in present(each.pins.values()))
    for gate in netlist.gates:
        if gate.cell not in library.ties:
            read.update(gate.pins.values())
    own = netlist.gates[: len(netlist.gates) - netlist.buffers]
    return Counter(
        gate.cell for gate in own if gate.cell not in library.ties or read & {*gate.pins.values()}
    )
