"""What a design costs, by the book: simulated node by node, summed up layer by layer.

Tests: `tests/crossbar/model/test_by_hand.py`.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

from golden.crossbar.ir import Edge, Node
from hwgen.crossbar.facts.components import Scratchpad
from hwgen.crossbar.facts.holdings import most_macros
from verif.reference.crossbar.buffers import kilobytes_of
from verif.reference.crossbar.case import PER_BIT, Case
from verif.reference.crossbar.port_times import all_reads, is_sent, words_of
from verif.reference.crossbar.power import Allocation, Counts, allocate
from verif.reference.crossbar.simulator import Simulator, Trace, delay
from verif.reference.crossbar.steps import Durations, clashing, durations_of, periods_of

Failure = Literal["", "power", "memory", "macros"]
"""What there is too little of; nothing: the design can be built."""

PUBLISHED_ROUNDS = 10


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Cost of a design for one image; zeros if it cannot be built.

    efficiency: operations a nJ, which is GOPS/W
    steps, step_ns: pipeline steps of an image, and the length of one
    interval: steps from one image to the next in a steady stream
    peak_w: of all that is built
    memory: place of the scratchpad among the capacities
    converged: the scratchpads are of the size that the times ask for
    energy: nJ by what takes it
    counts: components by layer
    steps_by_round, kilobytes_by_round: while scratchpads and times look for each other
    starts: step at which each node starts
    """

    failure: Failure
    efficiency: float = 0.0
    energy_nj: float = 0.0
    steps: int = 0
    step_ns: float = 0.0
    interval: int = 0
    peak_w: float = 0.0
    memory: int = 0
    converged: bool = False
    energy: dict[str, float] = field(default_factory=dict)
    counts: Counts = field(default_factory=list)
    steps_by_round: list[int] = field(default_factory=list)
    kilobytes_by_round: list[int] = field(default_factory=list)
    starts: dict[Node, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One simulation, and the scratchpad that it asks for (None: larger than there is)."""

    trace: Trace
    steps: int
    memory: int | None
    periods: Durations | None


def evaluate(case: Case) -> Evaluation:
    """Return what a design costs.

    Scratchpads decide how long loads take, and so when; loads and stores decide how much there is
    to hold. The published code begins with loads of one step and repeats until the capacity stays,
    ten times at most; strict rules begin with the smallest scratchpad and only ever enlarge it.
    """
    if not has_room(case):
        return Evaluation(failure="macros")
    memories = case.memories()
    rounds: list[Run] = []
    wanted: int | None = 0
    if not case.rules.one_port:
        rounds.append(run(case, None, case.components.step_floor_ns))
        wanted = rounds[0].memory
    converged = False
    for _ in range(PUBLISHED_ROUNDS):
        if wanted is None:
            return Evaluation(failure="memory")
        found = allocate(case, memories[wanted])
        if found is None:
            return Evaluation(failure="power")
        allocation, used = found, wanted
        rounds.append(run(case, memories[used], allocation.step_ns))
        wanted = rounds[-1].memory
        converged = wanted is not None and (
            wanted <= used if case.rules.one_port else wanted == used
        )
        if converged:
            break
    energy = energy_of(case, allocation, memories[used], rounds[-1].steps)
    return Evaluation(
        failure="",
        efficiency=case.operations() / sum(energy.values()),
        energy_nj=sum(energy.values()),
        steps=rounds[-1].steps,
        step_ns=allocation.step_ns,
        interval=interval_of(case, rounds[-1].trace.durations, rounds[-1].periods),
        peak_w=allocation.peak_w,
        memory=used,
        converged=converged,
        energy=energy,
        counts=allocation.counts,
        steps_by_round=[each.steps for each in rounds],
        kilobytes_by_round=[
            0 if each.memory is None else memories[each.memory].kilobytes for each in rounds
        ],
        starts=rounds[-1].trace.starts,
    )


def has_room(case: Case) -> bool:
    """Return whether each macro has at least one row tile of one copy (rule c)."""
    return all(
        1 <= len(placed.macros) <= most_macros_of(case, place)
        for place, placed in enumerate(case.plan.layers)
        if case.network.layers[place].has_weights
    )


def most_macros_of(case: Case, place: int) -> int:
    """Return the most macros of a layer: strict: whole copies of grouped ones."""
    placed = case.plan.layers[place]
    if case.rules.whole_parts:
        return most_macros(case.cut(place), placed.copies)
    return placed.copies * placed.row_tiles


def run(case: Case, memory: Scratchpad | None, step_ns: float) -> Run:
    """Simulate a design with scratchpads of one capacity, at one length of a step."""
    durations = durations_of(case, memory, step_ns)
    periods = periods_of(case, memory, step_ns)
    simulator = Simulator(
        dataflow=case.dataflow,
        durations=durations,
        partner=case.choice.partner,
        clashes=clashing(case),
        rules=case.rules,
        periods=periods,
    )
    trace = simulator.run()
    kilobytes = kilobytes_of(case, trace)
    enough = [place for place, one in enumerate(case.memories()) if one.kilobytes >= kilobytes]
    whole = case.rules.registers
    steps = max(trace.end(node) if whole else step + 1 for node, step in trace.starts.items())
    return Run(trace=trace, steps=steps, memory=enough[0] if enough else None, periods=periods)


def interval_of(case: Case, durations: Durations, periods: Durations | None) -> int:
    """Return the least steps from one image to the next: the slowest layer, or pair at its ADCs."""
    turns = []
    for place, flow in enumerate(case.dataflow.layers):
        blocks = flow.blocks
        for at in range(len(flow.operations)):
            here = Node(place, 0, at, 0)
            edge = Edge(here, Node(place, 1, at, 0), "inter-block")
            gap = delay(case.dataflow, durations, edge, periods)
            if case.rules.registers and at + 1 < len(flow.operations):
                following = Node(place, 0, at + 1, 0)
                there = Edge(here, following, "inter-operation")
                back = Edge(following, Node(place, 1, at, 0), "register")
                if not flow.operations[at].per_bit:
                    ways = [delay(case.dataflow, durations, each) for each in (there, back)]
                    gap = max(gap, sum(ways))
            turns.append(blocks * gap)
        partner = case.choice.partner[place]
        if partner > place:
            both = [(place, blocks), (partner, case.dataflow.layers[partner].blocks)]
            turns.append(sum(case.bits * case.choice.clocks[one] * times for one, times in both))
    return max(turns)


def port_nj(case: Case, place: int, memory: Scratchpad) -> float:
    """Return the nJ of all accesses of a block: loads, store, send and where that arrives."""
    chip = case.chip(memory, case.components.step_floor_ns)
    words = words_of(chip, place, case.plan.layers[place].copies)
    reads, writes = all_reads(chip, place) + (words if is_sent(chip, place) else 0), words
    for reader in chip.readers(place):
        if chip.is_remote(place, reader):
            writes += words * len(case.plan.layers[reader].macros)
    return reads * memory.read_nj + writes * memory.write_nj


def energy_of(
    case: Case, allocation: Allocation, memory: Scratchpad, steps: int
) -> dict[str, float]:
    """Return the nJ of one image, by what takes them (sheet, section 3)."""
    time_ns = steps * allocation.step_ns
    components = crossbars = accesses = 0.0
    size = case.crossbar
    for place, layer in enumerate(case.network.layers):
        placed = case.plan.layers[place]
        for name, work in case.work(place).items():
            part = case.part(name)
            times = placed.blocks * (case.bits if name in PER_BIT else 1)
            chained = sum(each.get(name, 0) for each in case.works(place)) - work
            components += part.static_w * allocation.counts[place][name] * time_ns
            components += part.dynamic_w * part.latency_ns * (work + chained) * times
        count = placed.copies * placed.crossbars
        reads = count * placed.blocks * case.bits
        crossbars += size.static_w * count * time_ns
        crossbars += size.dynamic_w * case.components.crossbars.latency_ns * reads
        if case.reads_image(place):
            words = case.accesses(math.prod(layer.in_sides) * layer.in_channels)
            accesses += words * len(placed.macros) * memory.write_nj
        if case.rules.one_port:
            accesses += placed.blocks * port_nj(case, place, memory)
            continue
        loads = case.accesses(case.loaded(layer, place)) * memory.read_nj
        stores = case.accesses(placed.copies * layer.out_channels) * memory.write_nj
        accesses += placed.blocks * (loads + stores)
    return {
        "components": components,
        "crossbars": crossbars,
        "accesses": accesses,
        "leakage": case.plan.macros * memory.leakage_w * time_ns,
        "mesh": case.components.network_on_chip.power_w * time_ns,
    }
