"""ResNet20 on the chip in every width and schedule: what the comparison with the paper counts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hwgen.commands.context import Context
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.energy import EnergyTable
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen_studies.cadnn_paper.shapes import resnet20

if TYPE_CHECKING:
    from hwgen.mram.model.prediction import StepCycles

POSITIONS: Final = "positions"
SEED: Final = "seed"
WRITTEN_BACK: Final = "seed_written_back"
SCHEDULES: tuple[str, ...] = (POSITIONS, SEED, WRITTEN_BACK)
"""Ours; one kernel a sub-array; the same with each AND written back and read to be counted."""

Parts = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class LayerCount:
    """A layer with weights: its AND row operations, and the sub-arrays that work."""

    layer: str
    and_operations: int
    sub_arrays: int


@dataclass(frozen=True, kw_only=True)
class ModeCount:
    """One image in one mode by one schedule.

    layers: those with weights, in order; events: of the image, those of the model among them
    parts_pj: energy by part, for each kind of enables
    """

    schedule: str
    mode: str
    cycles: int
    layers: Sequence[LayerCount]
    events: Mapping[str, int]
    parts_pj: Mapping[str, Parts]

    def total_pj(self, gating: str) -> float:
        """Return the energy of the image."""
        return sum(self.parts_pj[gating].values())


@dataclass(frozen=True, kw_only=True)
class Counts:
    """All that was counted: of each schedule the modes, the widest first."""

    network: QuantizedNetwork
    modes: Mapping[str, Sequence[ModeCount]]

    def of(self, schedule: str, mode: str) -> ModeCount:
        """Return the counts of a schedule and a mode."""
        return next(each for each in self.modes[schedule] if each.mode == mode)

    def ratio(self, schedule: str, gating: str) -> float:
        """Return the energy of the widest mode over that of the narrowest."""
        found = self.modes[schedule]
        return found[0].total_pj(gating) / found[-1].total_pj(gating)


def count(context: Context, arch: Arch, table: EnergyTable, *, widths: Sequence[float]) -> Counts:
    """Return the counts of ResNet20 with these widths; takes seconds."""
    from hwgen.mram import compiler, model

    network = resnet20(widths)
    programs: dict[str, Any] = {}
    with context.status("placing ResNet20"):
        for mapping in (POSITIONS, SEED):
            programs[mapping] = compiler.compile_network(network, arch, mapping=mapping)
    found = {}
    with context.status("counting cycles and events"):
        for schedule in SCHEDULES:
            back = schedule == WRITTEN_BACK
            program = programs[SEED if back else schedule]
            cycles = model.CycleModel(program, arch, write_back=back)
            found[schedule] = [
                mode_count(
                    cycles.predict(modes=[mode]),
                    schedule=schedule,
                    program=program,
                    arch=arch,
                    table=table,
                    mode=mode,
                )
                for mode in range(len(widths))
            ]
    return Counts(network=network, modes=found)


def mode_count(
    prediction: Any,
    *,
    schedule: str,
    program: Any,
    arch: Arch,
    table: EnergyTable,
    mode: int,
) -> ModeCount:
    """Return the counts of one prediction."""
    from hwgen.mram.model import energy

    back = schedule == WRITTEN_BACK
    parts: dict[str, Any] = {
        gating: summed(
            energy.parts_pj(step, arch, gating=gating, table=table, write_back=back)
            for step in prediction.found
        )
        for gating in energy.GATINGS
    }
    return ModeCount(
        schedule=schedule,
        mode=program.facts.modes[mode].name,
        cycles=prediction.cycles,
        layers=list(layer_counts(program, arch, prediction.found, mode)),
        events=summed(energy.counted(step, write_back=back) for step in prediction.found),
        parts_pj=parts,
    )


def summed(each: Iterator[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sums by name."""
    total: dict[str, Any] = {}
    for found in each:
        for name, value in found.items():
            total[name] = total.get(name, 0) + value
    return total


def layer_counts(
    program: Any, arch: Arch, steps: "Sequence[StepCycles]", mode: int
) -> Iterator[LayerCount]:
    """Yield the layers with weights of a mode; a fused one has the name of its convolution."""
    from hwgen.mram.facts import stream

    records = stream.decode_program(program.image, arch, source="program").records
    for plan, step in zip(program.facts.modes[mode].steps, steps, strict=False):
        if plan.kind == "conv":
            fields = records[plan.record]
            yield LayerCount(
                layer=plan.fused[0] if plan.fused else plan.layer,
                and_operations=step.events["and_operations"],
                sub_arrays=fields["groups"] * fields["kernels"],
            )


def weighted(network: QuantizedNetwork) -> list[Conv | Linear]:
    """Return the layers with weights."""
    return [layer for layer in network.graph.layers if isinstance(layer, Conv | Linear)]
