"""`hwgen paper cadnn`: the figures that the paper prints beside ours, and our curves."""

from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import cast

from hwgen.commands.clocks import timed
from hwgen.commands.context import Context
from hwgen.commands.families import load_architecture
from hwgen.files.digests import digest_of_file, versions
from hwgen.files.shipped import shipped_folder, shown
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.energy import TABLE, load_energy
from hwgen.network import INPUT, Conv, Linear
from hwgen.report.types import Source
from hwgen_studies.cadnn_paper.accuracies import accuracy_rows, eight_bits, load_trainings
from hwgen_studies.cadnn_paper.bits import bits_curves
from hwgen_studies.cadnn_paper.counts import POSITIONS, SEED, Counts, count, weighted
from hwgen_studies.cadnn_paper.energy import energy_curves, energy_rows
from hwgen_studies.cadnn_paper.memory import area_rows, memory_curves, memory_rows
from hwgen_studies.cadnn_paper.overhead import overhead_rows
from hwgen_studies.cadnn_paper.published import WIDTHS
from hwgen_studies.cadnn_paper.report import AdaptivePaperReport, LayerCurve

CONFIGS = shipped_folder()
ARCHITECTURE = CONFIGS / "mram" / "paper.yaml"
COPIES = 2
"""n_p of the paper's formula: its minimum."""


def adaptive_paper(
    context: Context, *, energy: Path | None = None, training: Sequence[Path] = ()
) -> AdaptivePaperReport:
    """Return the figures of the paper beside ours, and what its pictures draw."""
    energies = energy or TABLE
    table, (named, arch) = load_energy(energies), priced_chip()
    trainings = load_trainings(training)
    counts = count(context, arch, table, widths=WIDTHS)
    bits, refused = bits_curves(context, arch, table)
    memory = list(memory_curves(counts.network, eight_bits(trainings)))
    return AdaptivePaperReport(
        format="hwgen.report.paper.adaptive",
        version=1,
        paper="CA-DNN",
        architecture=Source(name=named.name, file=shown(ARCHITECTURE), digest=named.digest),
        clock_mhz=arch.clock_mhz,
        energies=Source(name=table.name, file=shown(energies), digest=table.digest),
        trainings=[
            Source(name=path.stem, file=shown(path), digest=digest_of_file(path))
            for path in training
        ],
        rows=[
            *accuracy_rows(trainings),
            *energy_rows(counts, arch, table),
            *memory_rows(memory, counts.network.graph.modes[0]),
            *area_rows(table.area),
            *overhead_rows(counts, arch, table),
        ],
        layers=list(layer_curves(counts, arch)),
        energy=list(energy_curves(counts)),
        memory=memory,
        bits=bits,
        refused_bits=refused,
        versions=versions(),
    )


def priced_chip() -> tuple[Arch, Arch]:
    """Return the chip of its file, and at the clock at which `hwgen model` prices it."""
    family, arch = load_architecture(ARCHITECTURE)
    return cast(Arch, arch), cast(Arch, timed(family, arch, ARCHITECTURE).arch)


def layer_curves(counts: Counts, arch: Arch) -> Iterator[LayerCurve]:
    """Yield AND operations and sub-arrays of every layer with weights and mode."""
    for mode, name in enumerate(counts.network.graph.modes):
        found = {
            schedule: {each.layer: each for each in counts.of(schedule, name).layers}
            for schedule in (POSITIONS, SEED)
        }
        for layer in weighted(counts.network):
            here = {schedule: layers[layer.name] for schedule, layers in found.items()}
            yield LayerCurve(
                layer=layer.name,
                mode=name,
                and_operations={key: each.and_operations for key, each in here.items()},
                sub_arrays={key: each.sub_arrays for key, each in here.items()},
                formula_sub_arrays=by_formula(counts, layer, mode, arch),
            )


def by_formula(counts: Counts, layer: Conv | Linear, mode: int, arch: Arch) -> int:
    """Return ceil(N R_k n_p / S_r) with R_k = kh kw C / S_c, as the paper prints it."""
    graph = counts.network.graph
    maps = {INPUT: graph.input} | {each.name: each.output for each in graph.layers}
    taps = layer.kernel[0] * layer.kernel[1] if isinstance(layer, Conv) else 1
    rows = taps * maps[layer.inputs[0]].channels_in(mode) / arch.array.columns
    return ceil(layer.output.channels_in(mode) * rows * COPIES / arch.array.rows)
