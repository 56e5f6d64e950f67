"""What it costs to write the cells of a chip, by the figures of a file of effects.

Tests: `tests/commands/test_writing.py`.
"""

from typing import Any

from hwgen.chip.effects import Writing
from hwgen.commands.context import Context
from hwgen.commands.effects import Devices
from hwgen.commands.subject import Subject, program_of
from hwgen.report.writing import RunEffects, WritingCost


def writing_cost(writing: Writing, cells: int, each: str) -> WritingCost:
    """Return what it costs to write so many cells; each: what writes them, such as a load."""
    pulses = cells * writing.pulses
    return WritingCost(
        cells=cells,
        each=each,
        pulses=pulses,
        energy_pj=pulses * writing.energy_pj,
        time_ns=-(-cells // writing.cells_at_once) * writing.pulses * writing.time_ns,
        wears_out_after=writing.endurance / writing.pulses if writing.endurance else None,
    )


def writing_of_network(context: Context, subject: Subject, devices: Devices) -> WritingCost:
    """Return what it costs to write the cells of a chip with its network.

    Raises FamilyError for a family without effects, ConfigError for effects that it does not have.
    """
    chip = devices.chip(context, subject, program_of(context, subject))
    return run_effects(devices, chip).writing


def run_effects(devices: Devices, chip: Any) -> RunEffects:
    """Return which devices a run had; chip: what computes as they do."""
    cost = writing_cost(devices.given.writing, *chip.cells_written())
    return RunEffects(file=devices.source, seed=devices.seed, writing=cost)
