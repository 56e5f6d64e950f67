"""Energy of a flat netlist from its activity, by part of the chip."""

from collections import defaultdict

from hwgen.physical.activity import Activity
from hwgen.physical.cells import Library
from hwgen.physical.flat import ONE, Flat


def energy_pj(flat: Flat, activity: Activity, library: Library) -> dict[str, float]:
    """Return picojoules by part: gates, registers and their clocks; memories are not in it.

    A change of a net takes the internal energy of its driver and half of C V^2; the clock pin of a
    register changes twice in each cycle in which its clock gate is open.
    """
    found: dict[str, float] = defaultdict(float)
    square = library.voltage**2
    loads = driven_loads(flat)

    def changed(net: int, cell: str, pin: str) -> float:
        each = library.cells[cell].pins[pin].energy + loads[net] * square / 2
        return float(activity.changes[net]) * each

    def clocked(cell: str, cycles: float) -> float:
        pin = library.cells[cell].pins[library.cells[cell].clock]
        return cycles * (2 * pin.energy + pin.capacitance * square)

    for _, _, net, cell, pin, part in flat.gates:
        if cell:
            found[part] += changed(net, cell, pin)
    for _, plain, inverted, enable, cell, part in flat.flip_flops:
        cycles = activity.cycles if enable == ONE else float(activity.high[enable])
        found[part] += clocked(cell, cycles)
        for net, pins in ((plain, False), (inverted, True)):
            for pin in library.cells[cell].outputs:
                if net and (pin in library.cells[cell].inverted) == pins:
                    found[part] += changed(net, cell, pin)
                    break
    for enable, cell, part in flat.clock_gates:
        out = library.cells[cell].pins[library.cells[cell].outputs[0]]
        found[part] += clocked(cell, activity.cycles)
        found[part] += float(activity.high[enable]) * 2 * out.energy
    return dict(found)


def driven_loads(flat: Flat) -> dict[int, float]:
    """Return pF by net; what a wire brings counts for the net that drives it."""
    loads = defaultdict(float, flat.loads)
    wires = {gate[2]: gate[1][0] for gate in flat.gates if not gate[3]}
    for net in wires:
        source = net
        while source in wires:
            source = wires[source]
        loads[source] += flat.loads.get(net, 0.0)
    return loads
