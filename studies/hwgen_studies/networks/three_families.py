"""Networks on chips of each family: time, energy, area and load of an image, and why.

    python -m hwgen_studies.networks.three_families --networks FOLDER --training JSON \
        --out FILE --json FILE

FOLDER has NAME.npz of each network that does not ship, and NAME/architecture.yaml and
NAME/report.json of each, as `hwgen synthesize ... --out FOLDER/NAME` leaves them. The picture is
written beside the page.

Tests: `studies/tests/networks/test_three_families.py`.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.chip.family import Family as Able
from hwgen.chip.runs import Prediction
from hwgen.commands.clocks import Timed, measured
from hwgen.commands.context import Context
from hwgen.commands.effects import devices_of
from hwgen.commands.engines import expected_maps, predicted_cycles
from hwgen.commands.model import Model, layer_cycles
from hwgen.commands.origin import commit, machine
from hwgen.commands.page import where
from hwgen.commands.prices import PJ_IN_UJ, Prices, counted_events
from hwgen.commands.subject import Subject, program_of
from hwgen.commands.writing import writing_of_network
from hwgen.crossbar.facts import load_arch
from hwgen.dbpim.model import parts_pj as dbpim_parts
from hwgen.errors import FormatError, HwgenError
from hwgen.files.output import write_text
from hwgen.files.shipped import networks, tables
from hwgen.mram.model import parts_pj as mram_parts
from hwgen.mram.model.energy import Gating
from hwgen.network.file import load_network
from hwgen.report.files import write_report
from hwgen.report.training_record import read_known, read_record
from hwgen.report.types import EnergySum
from hwgen_studies.mlperf_tiny.images import write_inputs
from hwgen_studies.networks.families_page import families_page, families_picture
from hwgen_studies.networks.families_report import (
    ClockOf,
    FamiliesReport,
    Family,
    Found,
    HomeRow,
    Loading,
    Weights,
)
from hwgen_studies.options import page_options

PRUNED, WIDTHS = "cifar10_resnet20_50", "cadnn_cifar10_resnet20"
LIKE = "crossbar/digits_small_cnn"
"""The crossbar chip whose netlist is measured."""
RERAM = "effects/hfox_reram"
"""File of effects by which writing the cells of a crossbar chip counts."""
SEED = 1
"""Of the inputs of networks whose data set does not ship."""
ROW_WRITES, LOADING_PART = "weight_row_writes", "loading"
NJ_IN_UJ, UJ_IN_MJ = 1e3, 1e3


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network on a chip. chip: of a crossbar: that of its search; mode: of several widths."""

    title: str
    network: str
    weights: Weights
    family: Family
    chip: str
    mode: str | None = None


def homes(title: str, network: str, weights: Weights, mram: str) -> list[Case]:
    """Return a network on a chip of each kind."""
    chips: tuple[tuple[Family, str], ...] = (
        ("mram", mram),
        *(("dbpim", f"dbpim/{name}") for name in ("paper", "best_dense", "best_masks")),
        ("crossbar", "crossbar"),
    )
    return [
        Case(title=title, network=network, weights=weights, family=family, chip=chip)
        for family, chip in chips
    ]


CASES = (
    *homes("MobileNetV1 0.25, 32 x 32", "mobilenet_v1", "drawn", "mram/paper_any"),
    *homes("MobileNetV2 0.25, 32 x 32", "mobilenet_v2", "drawn", "mram/paper_any"),
    *homes("DS-CNN, 49 x 10", "dscnn_kws_int8", "published", "mram/paper_any"),
    *homes("autoencoder, 640", "autoencoder_toycar_int8", "published", "mram/paper_any"),
    *homes("ResNet20, 32 x 32", PRUNED, "trained", "mram/paper"),
    Case(
        title="ResNet20, 32 x 32",
        network=WIDTHS,
        weights="trained",
        family="mram",
        chip="mram/paper",
        mode="0.25x",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What was made or measured elsewhere.

    networks: folder of networks, and of what `hwgen synthesize` found for each
    training: studies/results/mram-training.json
    """

    networks: Path
    training: Path

    def network(self, case: Case) -> Path:
        """Return the file of a network."""
        return networks().get(case.network, self.networks / f"{case.network}.npz")

    def chip(self, case: Case) -> Path:
        """Return the architecture, or the name of one that ships."""
        found = self.networks / case.network / "architecture.yaml"
        return found if case.family == "crossbar" else Path(case.chip)

    def synthesis(self, case: Case) -> dict[str, Any]:
        """Return the report of the search for the crossbar chip of a network."""
        path = self.networks / case.network / "report.json"
        return read_known(path, "hwgen.report.synthesize", (1,))

    @property
    def ns_of_like(self) -> float:
        """The slowest path of the netlist of the chip `LIKE`."""
        file = tables("crossbar")[LIKE]
        clock = measured(load_arch(file), file)
        assert clock is not None
        return clock.ns

    def accuracy(self, case: Case) -> float | None:
        """Return the accuracy of a network in its integers, of a mode if it has several.

        None for a network that nobody of us trained.
        """
        if case.weights != "trained":
            return None
        network = networks()[case.network]
        if case.mode is None:
            record = read_record(network, load_network(network).digest)
            if record is None:
                raise FormatError(
                    field="training.json",
                    allowed=f"beside {network.name}",
                    given="nothing",
                    source=str(network),
                )
            return float(record["accuracy"]["integer"])
        rows = json.loads(self.training.read_text(encoding="utf-8"))["rows"]
        recipe = load_network(network).graph.name
        (row,) = [row for row in rows if row["recipe"] == recipe]
        (width,) = [width for width in row["widths"] if width["mode"] == case.mode]
        return float(width["accuracy"])


def measure(context: Context, inputs: Inputs, *, command: str) -> FamiliesReport:
    """Return a row for each case. Raises HwgenError."""
    budgets = {
        inputs.synthesis(case)["power_budget_w"] for case in CASES if case.family == "crossbar"
    }
    if len(budgets) != 1:
        raise FormatError(
            field="power_budget_w",
            allowed="the same for all crossbar chips",
            given=sorted(budgets),
            source=str(inputs.networks),
        )
    return FamiliesReport(
        format="hwgen.report.three_families",
        version=2,
        power_w=budgets.pop(),
        like=LIKE,
        rows=[row_of(context, inputs, case) for case in CASES],
        commit=commit(),
        machine=machine(),
        command=command,
    )


def row_of(context: Context, inputs: Inputs, case: Case) -> HomeRow:
    """Return what an image takes."""
    context.say(f"{case.network} on {case.chip}")
    return HomeRow(
        title=case.title,
        network=case.network,
        weights=case.weights,
        family=case.family,
        chip=case.chip,
        mode=case.mode,
        accuracy=inputs.accuracy(case),
        found=found_on(context, inputs, case),
    )


def found_on(context: Context, inputs: Inputs, case: Case) -> Found:
    """Return time, energy, load and area of the first image.

    A network that was trained here has the first image that ships; others have drawn inputs.
    """
    mode: Mapping[str, Any] = {} if case.mode is None else {"mode": case.mode}
    data = None if case.weights == "trained" else drawn_inputs(context, inputs, case)
    asked = Model(
        inputs.network(case), inputs.chip(case), images=1, data=data, context=context, **mode
    )
    subject, batch = asked.stream()
    program = program_of(context, subject)
    maps = expected_maps(context, subject, batch)
    (run,) = predicted_cycles(context, subject, program, maps, batch.modes)
    prices, chip, events = Prices(subject.family), subject.timed, counted_events([run])
    outside = prices.outside_bytes(events, subject.arch, program, images=1)
    energy = prices.image(events, run.cycles, chip.arch, images=1, outside_bytes=outside)
    if energy is None:
        raise FormatError(field="energy", allowed="told", given=None, source=case.chip)
    ns, clock = clock_of(chip, inputs, case.family)
    time_us = run.cycles * ns / 1000
    parts, gated = parts_of(inputs, case, run, chip), None
    parts_mhz = (subject if case.family == "crossbar" else chip).arch.clock_mhz
    if case.family == "mram":
        gated = sum(mram_energy(run, chip.arch, "segments").values()) + energy.outside.uj
    layer, share = longest_layer(subject, run)
    return Found(
        cycles=run.cycles,
        ns=ns,
        clock=clock,
        time_us=time_us,
        file_us=run.cycles / subject.arch.clock_mhz,
        energy=energy,
        whole_uj=whole_uj(energy, parts, ns, parts_mhz) + energy.outside.uj,
        gated_uj=gated,
        layer=layer,
        layer_share=share,
        loading=loading_of(context, subject, program, run, parts),
        area_mm2=sum(prices.area_um2(subject.arch).values()) / 1e6,
        where=where(subject, [run]),
        utilization=subject.family.need(Able.cycle_model).utilization_of([run]),
        energy_shares={name: uj / sum(parts.values()) for name, uj in parts.items()},
    )


def drawn_inputs(context: Context, inputs: Inputs, case: Case) -> str:
    """Return a file of seeded inputs over the whole range."""
    folder = context.work / "three-families-inputs" / case.network
    folder.mkdir(parents=True, exist_ok=True)
    network = load_network(inputs.network(case))
    return str(write_inputs(network, folder, data=None, seed=SEED).layers)


def clock_of(chip: Timed, inputs: Inputs, family: Family) -> tuple[float, ClockOf]:
    """Return ns of a cycle and whose it is: a crossbar chip of a search was never measured."""
    if chip.clock is not None:
        return chip.clock.ns, "netlist"
    if family == "crossbar":
        return inputs.ns_of_like, "netlist of another chip"
    return 1000 / chip.arch.clock_mhz, "file"


def parts_of(inputs: Inputs, case: Case, run: Prediction, chip: Timed) -> dict[str, float]:
    """Return microjoules on the chip by part; of a crossbar chip those of its search: all parts."""
    if case.family == "crossbar":
        found: dict[str, float] = inputs.synthesis(case)["energy_by_part_mj"]
        return {part: mj * UJ_IN_MJ for part, mj in found.items()}
    arch: Any = chip.arch
    if case.family == "mram":
        return mram_energy(run, arch, "none")
    return {part: pj / PJ_IN_UJ for part, pj in dbpim_parts(run.events, run.cycles, arch).items()}


def mram_energy(run: Any, arch: Any, gating: Gating) -> dict[str, float]:
    """Return microjoules on an mram chip by part; gating: enables of its sense amplifiers."""
    total: Counter[str] = Counter()
    for step in run.found:
        total.update(mram_parts(step, arch, gating=gating))
    return {part: pj / PJ_IN_UJ for part, pj in total.items()}


def longest_layer(subject: Subject, run: Any) -> tuple[str, float]:
    """Return the layer that most of a run is for, and its share of it."""
    if subject.family.name == "crossbar":
        name, busy = max(run.busy.items(), key=lambda each: each[1])
        return name, busy / run.timing.steps
    layers = layer_cycles(subject, [run])
    longest = max(layers, key=lambda layer: layer.cycles_model)
    return longest.name, longest.cycles_model / run.cycles


def whole_uj(energy: EnergySum, parts: Mapping[str, float], ns: float, parts_mhz: float) -> float:
    """Return the energy of all parts, which take what passes with time for the time of an image.

    ns: of a cycle by which times are told; parts_mhz: the clock by which the parts were told
    """
    assert energy.clock_mhz is not None
    longer = (ns - 1000 / parts_mhz) * energy.clock_mhz / 1000
    return sum(parts.values()) + longer * energy.time_nj / NJ_IN_UJ


def loading_of(
    context: Context, subject: Subject, program: Any, run: Prediction, parts: Mapping[str, float]
) -> Loading:
    """Return what loads the network; parts: energy of an image on the chip in uJ."""
    prices, size = Prices(subject.family), int(program.image.size)
    arch: Any = subject.arch
    every_image, cycles = subject.family.name == "dbpim", run.loading
    if every_image:
        uj, counted, cycles = parts[LOADING_PART], "the part `loading` of the table", run.load
    elif subject.family.name == "mram":
        rows = program.facts.weight_rows * arch.sub_arrays
        uj = sum(prices.energy_pj({ROW_WRITES: rows}, subject.arch).values()) / PJ_IN_UJ
        counted = "rows of weights that are written"
    else:
        cost = writing_of_network(context, subject, devices_of(Path(RERAM), SEED))
        uj, counted = cost.energy_pj / PJ_IN_UJ, f"pulses by {RERAM}, which are assumed"
    return Loading(
        every_image=every_image,
        bytes=size,
        cycles=cycles,
        chip_uj=uj,
        outside_uj=prices.outside(size).uj,
        counted=counted,
    )


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    parser = page_options("three-families", __doc__)
    for name in ("networks", "training"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args(arguments)
    inputs = Inputs(networks=given.networks, training=given.training)
    command = (
        "python -m hwgen_studies.networks.three_families --networks FOLDER"
        f" --training {given.training.name}"
    )
    picture = given.out.with_suffix(".svg")
    try:
        report = measure(Context(work=given.work), inputs, command=command)
        write_text(given.out, families_page(report, picture.name), what="page")
        write_text(picture, families_picture(report), what="picture")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"three-families: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
