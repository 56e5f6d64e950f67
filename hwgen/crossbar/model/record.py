"""A design that was confirmed exactly, and what is handed on of it: architecture and schedule."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hwgen.crossbar.facts import arch_layer as parts
from hwgen.crossbar.facts.arch import FORMAT, VERSION, Arch
from hwgen.crossbar.facts.arch_fabric import ArchFabric, Region
from hwgen.crossbar.facts.arch_fabric import Stream as SizedStream
from hwgen.crossbar.facts.chip_plan import ChipPlan, Ring, constants_of, rings_of
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.fabric_plan import fabric_of
from hwgen.crossbar.facts.layout import Choice, floorplan
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.operations import OPERATIONS
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import STRICT, Rules, name_of
from hwgen.crossbar.facts.schedule import (
    Schedule,
    ScheduledOperation,
    ScheduleFacts,
)
from hwgen.crossbar.model.allocate import (
    FEASIBLE,
    NO_MEMORY,
    NO_POWER,
    TOO_MANY_MACROS,
    Allocation,
    allocate,
    is_raised,
)
from hwgen.crossbar.model.buffers import image_ring
from hwgen.crossbar.model.design import Design, Layout, lay_out
from hwgen.crossbar.model.durations import operations_of as timed_operations
from hwgen.crossbar.model.evaluate import (
    Cost,
    Stream,
    evaluate,
    holds,
    most_waiting,
    steady_stream,
    watch,
)
from hwgen.crossbar.model.exact import exact_starts
from hwgen.crossbar.model.pipeline import Pipeline, is_per_bit, make_pipeline
from hwgen.crossbar.model.tables import (
    COMPONENTS,
    KILOBYTES,
    Floats,
    Ints,
    Tables,
    make_tables,
    operations_of,
)
from hwgen.errors import DesignError

WHY = {
    NO_POWER: "the power budget is too small for it",
    NO_MEMORY: "no scratchpad is large enough",
    TOO_MANY_MACROS: "a layer has more macros than copies x row tiles, or none",
}


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """A design, the conditions it was judged under, and all that the exact evaluation knows.

    starts: step at which each node starts, in the order of `hwgen.crossbar.model.exact.Graph`
    """

    network: CrossbarNetwork
    components: Components
    point: Point
    rules: Rules
    power_w: float
    tables: Tables
    design: Design
    layout: Layout
    allocation: Allocation
    pipeline: Pipeline
    cost: Cost
    starts: Ints

    @cached_property
    def stream(self) -> Stream:
        """Images that follow each other as fast as the chip can take them."""
        memory, least = self.cost.memory, self.cost.interval
        return steady_stream(
            self.tables, self.layout, self.pipeline, self.design.partner, memory, least
        )

    @property
    def throughput_gops(self) -> float:
        """Operations of a ns in that stream."""
        return self.operations / (self.stream.interval * self.cost.step_ns)

    @property
    def operations(self) -> int:
        """Operations of an image; published rules take groups for dense."""
        return operations_of(self.network, self.rules)

    def reaches(self, throughput_gops: float) -> bool:
        """Return whether a stream with that throughput holds."""
        interval = int(self.operations / (throughput_gops * self.cost.step_ns))
        if interval < self.cost.interval:
            return False
        found = watch(self.tables, self.layout, self.pipeline, self.design.partner, interval)
        return holds(self.tables, self.cost.memory, found)


def design_of(
    copies: Sequence[int], macros: Sequence[int], partner: Sequence[int], clocks: Sequence[int]
) -> Design:
    """Return lists over the layers as a design."""
    return Design(*(np.array(each, np.int64) for each in (copies, macros, partner, clocks)))


def confirm(
    network: CrossbarNetwork,
    components: Components,
    *,
    point: Point,
    rules: Rules,
    power_w: float,
    design: Design,
    identical: bool = False,
) -> Confirmed:
    """Evaluate a design exactly, and keep everything; one that cannot be built is refused."""
    tables = make_tables(network, components, point, power_w, rules, identical=identical)
    cost = evaluate(tables, design, True)
    if cost.failure != FEASIBLE:
        raise DesignError(f"the design cannot be built: {WHY[cost.failure]}")
    layout = lay_out(tables, design)
    pipeline = make_pipeline(tables, layout, design.clocks, cost.memory, cost.step_ns)
    return Confirmed(
        network=network,
        components=components,
        point=point,
        rules=rules,
        power_w=power_w,
        tables=tables,
        design=design,
        layout=layout,
        allocation=allocate(tables, design, layout, cost.memory, is_raised(tables)),
        pipeline=pipeline,
        cost=cost,
        starts=exact_starts(tables, layout, pipeline, design.partner),
    )


def make_arch(
    confirmed: Confirmed,
    name: str,
    *,
    effects: bool = False,
    read_noise: bool = False,
    nonlinear_converters: bool = False,
) -> Arch:
    """Return the architecture of a design.

    effects: its Verilog can err as devices do; read_noise: beside them, at each read anew;
    nonlinear_converters: beside them, by a table of codes
    """
    network, components, layout = confirmed.network, confirmed.components, confirmed.layout
    total = int(layout.total_macros)
    columns = int(layout.mesh_columns)
    return Arch(
        format=FORMAT,
        version=VERSION,
        name=name,
        network=parts.Network(
            name=network.name,
            digest=network.digest,
            input_channels=network.input_channels,
            input_side=network.input_side,
            input_columns=network.input_columns,
            fused_activations=network.fused_activations,
        ),
        components=parts.ComponentsFile(name=components.name, digest=components.digest),
        rules=name_of(confirmed.rules),
        power_budget_w=float(confirmed.power_w),
        point=confirmed.point,
        adc_bits=confirmed.point.adc_bits,
        weight_bits=components.weight_bits,
        activation_bits=components.activation_bits,
        step_ns=float(confirmed.cost.step_ns),
        vector_lanes=components.vector_units.lanes,
        scratchpad=parts.Memory(
            kilobytes=int(confirmed.tables.memories[confirmed.cost.memory, KILOBYTES]),
            bus_bits=components.scratchpads.bus_bits,
        ),
        mesh=parts.Mesh(
            rows=-(-total // columns),
            columns=columns,
            macros=total,
            flit_bits=components.network_on_chip.flit_bits,
            hop_ns=components.network_on_chip.hop_ns,
        ),
        layers=tuple(arch_layer(confirmed, place) for place in range(len(network.layers))),
        fabric=make_fabric(confirmed),
        effects=effects,
        read_noise=read_noise,
        nonlinear_converters=nonlinear_converters,
    )


def arch_layer(confirmed: Confirmed, place: int) -> parts.ArchLayer:
    """Return what computes one layer."""
    layer = confirmed.network.layers[place]
    tables, design, layout = confirmed.tables, confirmed.design, confirmed.layout
    copies = int(layout.copies[place])
    partner = int(design.partner[place])
    counts = zip(COMPONENTS, confirmed.allocation.counts[place], strict=True)
    return parts.ArchLayer(
        name=layer.name,
        kind=layer.kind,
        activation=layer.activation,
        providers=layer.providers,
        window=parts.Window(
            kernel=layer.kernel,
            stride=layer.stride,
            padding=layer.padding,
            groups=layer.groups,
            bottom_padding=layer.end_paddings[0],
            right_padding=layer.end_paddings[1],
        ),
        input=parts.Map(channels=layer.in_channels, side=layer.in_side),
        output=parts.Map(channels=layer.out_channels, side=layer.out_side),
        mapping=parts.Mapping(
            copies=copies,
            blocks=int(layout.blocks[place]),
            rows=int(tables.rows[place]),
            row_tiles=int(tables.row_tiles[place]),
            column_tiles=int(tables.column_tiles[place]),
            crossbars=copies * int(tables.crossbars[place]),
            clocks_per_bit=int(design.clocks[place]),
        ),
        place=parts.Place(
            first_macro=int(layout.first_macro[place]),
            macros=int(layout.shared_macros[place]),
            merge_macro=int(layout.merge_macro[place]),
            partner=partner if partner >= 0 else None,
        ),
        counts=parts.Counts(**{name: round(count) for name, count in counts}),
        columns=layer.columns,
        dilation=layer.dilation,
        product=layer.product,
        average=layer.average,
        slope=layer.slope,
        limits=layer.limits,
        raw_bits=layer.raw_bits,
    )


def make_fabric(confirmed: Confirmed) -> ArchFabric | None:
    """Return the fabric of a design; None under published rules, which describe no hardware."""
    if confirmed.rules != STRICT:
        return None
    chip = chip_of(confirmed)
    stream = SizedStream(
        images=int(confirmed.stream.images), interval_steps=int(confirmed.stream.interval)
    )
    operations = timed_operations(
        confirmed.tables,
        confirmed.layout,
        confirmed.pipeline,
        confirmed.design.clocks,
        confirmed.cost.memory,
        confirmed.cost.step_ns,
    )
    return fabric_of(chip, operations, regions_of(confirmed, chip), stream)


def chip_of(confirmed: Confirmed) -> ChipPlan:
    """Return what the fabric of a design follows from."""
    design, point, components = confirmed.design, confirmed.point, confirmed.components
    copies, macros, partner, clocks = (tuple(int(one) for one in each) for each in design)
    choice = Choice(copies=copies, macros=macros, partner=partner, clocks=clocks)
    kilobytes = int(confirmed.tables.memories[confirmed.cost.memory, KILOBYTES])
    return ChipPlan(
        network=confirmed.network,
        plan=floorplan(confirmed.network, components, point, confirmed.rules, choice),
        point=point,
        weight_bits=components.weight_bits,
        activation_bits=components.activation_bits,
        step_ns=float(confirmed.cost.step_ns),
        clock_ns=components.clock_ns,
        clocks_per_bit=choice.clocks,
        constants=constants_of(components, point, kilobytes),
        bus_bits=components.scratchpads.bus_bits,
    )


def regions_of(confirmed: Confirmed, chip: ChipPlan) -> tuple[Region, ...]:
    """Return the regions of all scratchpads, macro after macro; each is a ring of whole words."""
    stream = confirmed.stream
    waiting = most_waiting(
        confirmed.tables,
        confirmed.layout,
        confirmed.pipeline,
        confirmed.design.partner,
        stream.images,
        stream.interval,
    )
    used: dict[int, int] = defaultdict(int)
    found = []
    for ring in rings_of(chip):
        words = words_of(confirmed, waiting, ring)
        found.append(Region(**ring._asdict(), first_word=used[ring.macro], words=words))
        used[ring.macro] += words
    return tuple(found)


def words_of(confirmed: Confirmed, waiting: Floats, ring: Ring) -> int:
    """Return the words of a ring; waiting: see `hwgen.crossbar.model.buffers.all_waiting`."""
    tables, place = confirmed.tables, ring.layer
    if ring.kind == "output":
        most = waiting[tables.provider_start[-1] + place]
    elif ring.provider is None:
        most = image_ring(tables, confirmed.layout, place)
    else:
        start, end = tables.provider_start[place], tables.provider_start[place + 1]
        most = waiting[start + list(tables.provider[start:end]).index(ring.provider)]
    return round(float(most) / tables.word)


def make_schedule(confirmed: Confirmed, arch: Arch) -> Schedule:
    """Return when every block of every operation starts, conflicts included."""
    layout, pipeline = confirmed.layout, confirmed.pipeline
    operations: list[ScheduledOperation] = []
    starts: list[Ints] = []
    node = first = 0
    for place in range(len(arch.layers)):
        length = int(pipeline.length[place])
        blocks = int(layout.blocks[place])
        own = confirmed.starts[node : node + blocks * length].reshape(blocks, length)
        node += blocks * length
        for k in range(length):
            what = int(pipeline.operation[place, k])
            operations.append(
                ScheduledOperation(
                    layer=place,
                    operation=OPERATIONS[what],
                    first_macro=int(layout.first_macro[place]),
                    macros=int(layout.shared_macros[place]),
                    bit_steps=arch.bit_steps if is_per_bit(what) else 1,
                    steps=int(pipeline.steps[place, k]),
                    blocks=blocks,
                    first=first,
                )
            )
            first += blocks
            starts.append(own[:, k])
    facts = ScheduleFacts(
        format="hwgen.crossbar.schedule",
        version=1,
        network=arch.network.digest,
        architecture=arch.design_digest,
        step_ns=arch.step_ns,
        steps=int(confirmed.cost.steps),
        interval_steps=int(confirmed.stream.interval),
        operations=tuple(operations),
    )
    return Schedule(facts=facts, start=np.concatenate(starts))
