"""How long the operations of a chip take, as an architecture file says it: from the pipeline.

Tests: `tests/crossbar/pages/test_architectures.py`.
"""

import math

import numpy as np
from pydantic import ValidationError

from hwgen.chip.compiled import compiled
from hwgen.crossbar.facts.arch import Arch, choice_of, fabric_of_chip
from hwgen.crossbar.facts.arch_fabric import Operation
from hwgen.crossbar.facts.components import Adcs, Components, Crossbars, Dacs, Scratchpads
from hwgen.crossbar.facts.operations import OPERATIONS
from hwgen.crossbar.facts.rules import RULES
from hwgen.crossbar.model.design import Design, Layout, lay_out
from hwgen.crossbar.model.pipeline import (
    Pipeline,
    all_crowds,
    is_per_bit,
    make_pipeline,
    worked_ns,
)
from hwgen.crossbar.model.tables import CLOCK, Floats, Ints, Tables, make_tables
from hwgen.errors import ConfigError
from hwgen.files.load import first_mistake

SOURCE = "an architecture"


@compiled
def all_worked_ns(
    tables: Tables, layout: Layout, pipeline: Pipeline, clocks: Ints, memory: int, step_ns: float
) -> Floats:
    """Return how long each operation (columns) of each layer (rows) works; 0: whole steps."""
    found = np.zeros(pipeline.operation.shape)
    crowds = all_crowds(tables, layout, clocks, memory, step_ns)
    for i in range(len(found)):
        for k in range(pipeline.length[i]):
            what = pipeline.operation[i, k]
            found[i, k] = worked_ns(tables, layout, i, what, memory, crowds[i])
    return found


def operations_of(
    tables: Tables, layout: Layout, pipeline: Pipeline, clocks: Ints, memory: int, step_ns: float
) -> list[tuple[Operation, ...]]:
    """Return the operations of each layer; memory: a row of `tables.memories`."""
    ns = all_worked_ns(tables, layout, pipeline, clocks, memory, step_ns)
    clock_ns = float(tables.scalars[CLOCK])
    step_clocks = math.ceil(step_ns / clock_ns - 1e-9)
    found = []
    for place, length in enumerate(pipeline.length):
        operations = []
        for k in range(length):
            what, steps = int(pipeline.operation[place, k]), int(pipeline.steps[place, k])
            worked = float(ns[place, k])
            operations.append(
                Operation(
                    name=OPERATIONS[what],
                    steps=steps,
                    bit_steps=tables.bit_steps if is_per_bit(what) else 1,
                    period=int(pipeline.own[place, k]),
                    clocks=math.ceil(worked / clock_ns) if worked > 0 else steps * step_clocks,
                )
            )
        found.append(tuple(operations))
    return found


def operations_in(arch: Arch, source: str) -> list[tuple[Operation, ...]]:
    """Return the operations that follow for each layer of a chip from all else that its file says.

    Raises ConfigError for numbers that no table of components has; source: of the architecture.
    """
    try:
        components = components_of(arch, source)
        rules = RULES[arch.rules]
        tables = make_tables(arch.whole_network, components, arch.point, arch.power_budget_w, rules)
    except ValidationError as error:
        raise first_mistake(error, source) from None
    except OverflowError:
        raise ConfigError(
            field="numbers of layers", allowed="of 64 bits", given="more", source=source
        ) from None
    choice = choice_of(arch)
    arrays = (choice.copies, choice.macros, choice.partner, choice.clocks)
    design = Design(*(np.array(each, np.int64) for each in arrays))
    layout = lay_out(tables, design)
    pipeline = make_pipeline(tables, layout, design.clocks, 0, arch.step_ns)
    return operations_of(tables, layout, pipeline, design.clocks, 0, arch.step_ns)


def components_of(arch: Arch, source: str) -> Components:
    """Return the table of the parts that a chip consists of, one of each."""
    fabric = fabric_of_chip(arch, source)
    parts = fabric.constants
    return Components(
        format="hwgen.crossbar.components",
        version=2,
        name=arch.components.name,
        weight_bits=arch.weight_bits,
        activation_bits=arch.activation_bits,
        step_floor_ns=parts.step_floor_ns,
        clock_ns=fabric.clock.clock_ns,
        crossbars=Crossbars(
            source=SOURCE,
            latency_ns=parts.crossbar_latency_ns,
            cell_bits=(arch.point.cell_bits,),
            sizes=(parts.crossbar,),
        ),
        adcs=Adcs(source=SOURCE, resolutions=(parts.adc,)),
        dacs=Dacs(source=SOURCE, resolutions=(parts.dac,)),
        vector_units=parts.vector_units,
        scratchpads=Scratchpads(
            source=SOURCE,
            bus_bits=arch.scratchpad.bus_bits,
            published_from_kilobytes=parts.scratchpad.kilobytes,
            capacities=(parts.scratchpad,),
        ),
        network_on_chip=parts.network_on_chip,
    )
