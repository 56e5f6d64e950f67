"""A module with all that it places as one netlist of gates and memories.

Tests: `tests/physical/test_placement.py`.
"""

from collections.abc import Callable
from dataclasses import replace

from hwgen.physical.flat import moved
from hwgen.physical.netlist import Gate, Memory, Net, Netlist, Placed


class Gates:
    """Puts the netlists of modules together; netlist: returns that of a module."""

    def __init__(self, netlist: Callable[[str], Netlist]) -> None:
        self._netlist = netlist
        self._read: dict[str, Netlist] = {}
        self._gates: list[Gate] = []
        self._memories: list[Memory] = []
        self._names: dict[Net, str] = {}
        self._joined: dict[Net, Net] = {}
        self._fresh = 0

    def whole(self, top: str) -> Netlist:
        """Return the netlist of a module; what it places has its names, behind a path."""
        nets: dict[Net, Net] = {}
        self._add(self._of(top), nets, "")
        netlist = self._of(top)
        sides = (
            {
                port: [None if bit is None else self._root(self._net(nets, bit)) for bit in bits]
                for port, bits in side.items()
            }
            for side in (netlist.inputs, netlist.outputs)
        )
        inputs, outputs = sides
        return Netlist(
            name=top,
            inputs=inputs,
            outputs=outputs,
            gates=[
                Gate(gate.name, gate.cell, {pin: self._root(net) for pin, net in gate.pins.items()})
                for gate in self._gates
            ],
            memories=[moved(memory, self._root) for memory in self._memories],
            placed=[],
            names={self._root(net): name for net, name in self._names.items()},
        )

    def _of(self, module: str) -> Netlist:
        """Return a netlist, read once."""
        if module not in self._read:
            self._read[module] = self._netlist(module)
        return self._read[module]

    def _root(self, net: Net) -> Net:
        """Return the net that stands for one."""
        while net in self._joined:
            net = self._joined[net]
        return net

    def _net(self, nets: dict[Net, Net], local: Net) -> Net:
        """Return the net of the whole for a net of an instance."""
        if local not in nets:
            nets[local] = self._fresh
            self._fresh += 1
        return nets[local]

    def _add(self, netlist: Netlist, nets: dict[Net, Net], path: str) -> None:
        """Add an instance; nets: those of its ports are there."""
        for local, name in netlist.names.items():
            net = self._net(nets, local)
            if not name.startswith("$"):
                self._names.setdefault(net, f"{path}{name}")
        for gate in netlist.gates:
            pins = {pin: self._net(nets, net) for pin, net in gate.pins.items()}
            self._gates.append(Gate(f"{path}{gate.name}", gate.cell, pins))
        for memory in netlist.memories:
            named = replace(memory, name=f"{path}{memory.name}")
            self._memories.append(moved(named, lambda local: self._net(nets, local)))
        for placed in netlist.placed:
            below = self._of(placed.module)
            self._add(below, self._bound(below, placed, nets), f"{path}{placed.name}.")

    def _bound(self, below: Netlist, placed: Placed, nets: dict[Net, Net]) -> dict[Net, Net]:
        """Return the nets of the ports of an instance; ports that show one net join theirs."""
        inner: dict[Net, Net] = {}
        for port, bits in {**below.inputs, **below.outputs}.items():
            for local, outer in zip(bits, placed.pins.get(port, ()), strict=False):
                if local is None or outer is None:
                    continue
                net = self._net(nets, outer)
                if local not in inner:
                    inner[local] = net
                elif self._root(inner[local]) != self._root(net):
                    self._joined[self._root(net)] = self._root(inner[local])
        return inner
