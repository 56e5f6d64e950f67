"""Energy of a unit of a chip from its netlist, which follows a simulation, beside the table's.

Tests: `tests/commands/test_replaced_cells.py`.
"""

from collections.abc import Mapping

import numpy as np

from hwgen.chip.family import Family
from hwgen.chip.protocols import NetlistEnergy
from hwgen.chip.sim.vcd import Bits, port_bits
from hwgen.commands.context import Context
from hwgen.commands.engines import Window, expected_maps, predicted_cycles, simulate
from hwgen.commands.modes import choose_stream
from hwgen.commands.netlists import Synthesized
from hwgen.commands.subject import Subject, program_of
from hwgen.errors import SimulationError
from hwgen.physical.activity import Activity, activity_of
from hwgen.physical.flat import Flat, Flattener
from hwgen.physical.power import energy_pj
from hwgen.report.cost import CostBlock, CostEnergy

CYCLES = 20_000
"""Of the window: from the reset, because the netlist computes all registers and memories itself."""
ZEROS = 0
"""Seed with which memories hold zeros at power-on, as those of the netlist."""
OFF = 0.3
"""An entry of the table that is off by more is marked."""
ASSUMPTIONS = [
    "zero delay: no glitches, so that the netlist takes at least this",
    "wires have no capacitance; a clock changes where its gate is open",
    "memories are in no netlist: their entries of the table stand by themselves",
]


def energy_of(context: Context, chip: Synthesized, subject: Subject) -> CostEnergy:
    """Return what one unit of a chip takes for the first cycles of a run, by block.

    Raises FamilyError for a family without such a unit, SimulationError for waves that lack a port
    of it, and where the netlist does not show what the Verilog shows.
    """
    family = subject.family.need(Family.netlist_energy)
    ports = {name: width for name, _, width in chip.modules.sources[family.MODULE].ports}
    bits = waves_of(context, subject, family, ports)
    given = by_port(bits, ports)
    with context.progress(f"energy of {family.MODULE}"):
        flattener = Flattener(chip.library, chip.modules.netlist, family.block_of)
        flat = flattener.whole(family.MODULE)
        inputs = np.hstack([given[port] for port in flat.inputs])
        activity = activity_of(flat, flattener.order, inputs)
        netlist = energy_pj(flat, activity, chip.library)
    check_outputs(flat, activity, given, family.MODULE)
    events = dict(family.events_of(subject.arch, given))
    # A family without areas of cells has a sheet that belongs to no library.
    of_tables = chip.is_of_tables or not subject.family.offers(Family.physical)
    table = table_of(chip, family, events, len(bits)) if of_tables else {}
    blocks = dict.fromkeys([*netlist, *table])
    return CostEnergy(
        network=subject.network_source,
        unit=family.MODULE,
        cycles=len(bits),
        source_bits=inputs.shape[1],
        events=events,
        blocks=[block_row(name, netlist.get(name, 0.0), table.get(name)) for name in blocks],
        netlist_pj=sum(netlist.values()),
        table_pj=sum(logic for logic, _ in table.values()) if table else None,
        memory_pj=sum(memory for _, memory in table.values()) if table else None,
        assumptions=ASSUMPTIONS,
    )


def table_of(
    chip: Synthesized, family: NetlistEnergy, events: Mapping[str, int], cycles: int
) -> Mapping[str, tuple[float, float]]:
    """Return by block what the table says, that of a person where one is given."""
    given = {} if chip.given_table is None else {"table": chip.given_table}
    return family.table_pj(chip.arch, events, cycles, **given)


def waves_of(
    context: Context, subject: Subject, family: NetlistEnergy, ports: Mapping[str, int]
) -> Bits:
    """Return the bits of all ports of the unit but its clock, in each cycle of the window."""
    subject, batch = choose_stream(subject, None, images=None, batch=None, modes=None)
    program = program_of(context, subject)
    maps = expected_maps(context, subject, batch)
    predictions = predicted_cycles(context, subject, program, maps, batch.modes)
    window = Window(0, CYCLES - 1, family.DEPTH)
    runs = simulate(
        context, subject, program, batch, predictions=predictions, window=window, seed=ZEROS
    )
    file = runs[0].waves
    if file is None:
        raise SimulationError(f"the simulation of {subject.arch.name} must write waves, got none")
    others = {name: width for name, width in ports.items() if name != "clk"}
    with context.progress("waves"):
        return port_bits(file, scope=family.INSTANCE, ports=others, clock="clk")


def by_port(bits: Bits, ports: Mapping[str, int]) -> dict[str, Bits]:
    """Return the bits of each port, (cycles, width)."""
    found, first = {}, 0
    for name, width in ports.items():
        if name != "clk":
            found[name] = bits[:, first : first + width]
            first += width
    return found


def check_outputs(flat: Flat, activity: Activity, given: Mapping[str, Bits], module: str) -> None:
    """Refuse a netlist whose outputs are not those of the waves from the first reset edge on."""
    first = 0
    for port, nets in flat.outputs.items():
        shown = activity.outputs[:, first : first + len(nets)]
        first += len(nets)
        known = [bit for bit, net in enumerate(nets) if net is not None]
        differs = np.flatnonzero((shown[1:, known] != given[port][1:, known]).any(axis=1))
        if len(differs):
            raise SimulationError(
                f"the netlist of {module} must show what its Verilog shows, got another {port} in"
                f" {len(differs):,} cycles, first in cycle {differs[0] + 1:,}"
            )


def block_row(name: str, netlist: float, table: tuple[float, float] | None) -> CostBlock:
    """Return a row; it is off if the table says much more or less than the netlist."""
    logic, memory = table or (0.0, 0.0)
    return CostBlock(
        block=name,
        netlist_pj=netlist,
        table_pj=None if table is None else logic,
        memory_pj=None if table is None else memory,
        off=None if table is None or not logic else abs(netlist / logic - 1) > OFF,
    )
