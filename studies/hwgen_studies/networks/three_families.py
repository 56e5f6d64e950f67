"""ResNet20 on a chip of each family: time, energy and area of an image, and accuracy.

    python -m hwgen_studies.networks.three_families --crossbar ARCH --synthesis JSON --clocks JSON \
        --training JSON --data SET --out FILE --json FILE

Tests: `studies/tests/networks/test_three_families.py`.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic.dataclasses import dataclass as checked

from hwgen import api
from hwgen.commands.context import Context
from hwgen.commands.families import families
from hwgen.commands.origin import commit, machine
from hwgen.commands.prices import Prices
from hwgen.errors import FormatError, HwgenError
from hwgen.files.load import EXACT
from hwgen.files.output import write_text
from hwgen.files.shipped import networks
from hwgen.network.file import load_network
from hwgen.report.files import write_report
from hwgen.report.sheet import Sheet
from hwgen.report.tables import number
from hwgen.report.training_record import read_known, read_record
from hwgen.report.types import EnergySum, Fraction, NotNegative
from hwgen_studies.options import page_options

PRUNED, WIDTHS = "cifar10_resnet20_50", "cadnn_cifar10_resnet20"
COLUMNS = ("chip", "accuracy", "cycles", "ns", "us", "uJ", "uJ with memory", "mm2")
ABOUT = (
    "This page is for readers who want time, energy and area of one network on each family side by"
    " side. The network is ResNet20 for CIFAR-10.",
    "The image is the first of the official test batch. Cycles of a DB-PIM chip depend on the"
    " image: README and the [measured networks](../figures.md) have those of the first image that"
    " ships. Cycles of mram and crossbar chips are the same for every image. The crossbar chip is"
    " the answer of a search within 3 W of at most 24,000 designs. README has another chip: the"
    " answer of the [longer search](crossbar.md) that is the default.",
    "Accuracies are those of the chips' integers; their base, in float and in int8, stands"
    " with the [measured networks](../figures.md). Cycles are those of the cycle model; the same"
    " page says which chips ran in Verilog. `ns` is the slowest path of a netlist of the family"
    " in 45 nm cells, without wires"
    " ([clocks](../cost.md#clocks-the-slowest-paths-by-two-timers)); the time is cycles times it."
    " uJ: of the"
    " chip; with memory: with the memory outside, 8 pJ a bit. What leaks by time leaks at the clock"
    " of each architecture (DB-PIM 2 ns, mram 4 ns, crossbar 1 ns), not at that of the netlist.",
    "The three do not have equal technologies: DB-PIM and mram have 45 nm tables of ours; the"
    " crossbar has the published constants of 32 nm parts, and its energy leaves out the work of"
    " DACs and digital units. mram has 64 sub-arrays of 256 x 512 cells where the paper has 4,096:"
    " all weights of ResNet20 fit, but few positions are computed at a time. What mram and crossbar"
    " chips load once and keep is no energy of an image; a DB-PIM chip loads its weights with each"
    " image.",
)
Family = Literal["dbpim", "mram", "crossbar"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network on a chip; clock: chip of the clocks whose netlist is that of the family."""

    family: Family
    network: str
    chip: str
    clock: str
    mode: str | None = None


CASES = (
    Case(family="dbpim", network=PRUNED, chip="dbpim/paper", clock="dbpim/paper"),
    Case(family="mram", network=WIDTHS, chip="mram/paper", clock="mram/paper", mode="1.0x"),
    Case(family="mram", network=WIDTHS, chip="mram/paper", clock="mram/paper", mode="0.25x"),
    Case(family="crossbar", network=PRUNED, chip="crossbar", clock="crossbar/digits_small_cnn"),
)


@checked(frozen=True, kw_only=True, config=EXACT)
class FamilyRow:
    """An image on a chip; ns: of the slowest path; accuracy: of the whole test batch."""

    family: Family
    network: str
    chip: str
    mode: str | None
    accuracy: Fraction
    cycles: int
    ns: NotNegative
    time_us: NotNegative
    energy: EnergySum
    area_mm2: NotNegative


@checked(frozen=True, kw_only=True, config=EXACT)
class FamiliesReport:
    """All rows."""

    format: Literal["hwgen.report.three_families"]
    version: Literal[1]
    rows: list[FamilyRow]
    commit: str | None
    machine: str
    command: str


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What was measured elsewhere.

    crossbar: architecture of `hwgen synthesize`; synthesis: its report
    clocks: studies/results/clock.json; training: studies/results/mram-training.json
    """

    crossbar: Path
    synthesis: Path
    clocks: Path
    training: Path

    def ns(self, chip: str) -> float:
        """Return the slowest path of the whole netlist of a chip."""
        rows = json.loads(self.clocks.read_text(encoding="utf-8"))["rows"]
        return float(next(row["ns"] for row in rows if row["chip"] == chip and not row["part"]))

    def accuracy(self, case: Case) -> float:
        """Return the accuracy of a network in its integers, of a mode if it has several."""
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

    def area_mm2(self, case: Case, chip: Path) -> float:
        """Return the area of a chip: by the table of its family, or by the search that found it."""
        if case.family == "crossbar":
            found = read_known(self.synthesis, "hwgen.report.synthesize", (1,))
            return float(found["area_mm2"])
        arch = api.load_architecture(chip).parameters
        return sum(Prices(families()[case.family]).area_um2(arch).values()) / 1e6


def measure(context: Context, inputs: Inputs, *, data: str | None, command: str) -> FamiliesReport:
    """Return a row for each case."""
    return FamiliesReport(
        format="hwgen.report.three_families",
        version=1,
        rows=[row_of(context, inputs, case, data) for case in CASES],
        commit=commit(),
        machine=machine(),
        command=command,
    )


def row_of(context: Context, inputs: Inputs, case: Case, data: str | None) -> FamilyRow:
    """Return what an image takes."""
    chip = inputs.crossbar if case.family == "crossbar" else Path(case.chip)
    mode: Mapping[str, Any] = {} if case.mode is None else {"mode": case.mode}
    report = api.model(case.network, chip, images=1, data=data, context=context, **mode)
    ns = inputs.ns(case.clock)
    if report.energy is None:
        raise FormatError(field="energy", allowed="told", given=None, source=str(chip))
    return FamilyRow(
        family=case.family,
        network=case.network,
        chip=report.setting.architecture.name,
        mode=case.mode,
        accuracy=inputs.accuracy(case),
        cycles=report.cycles_model,
        ns=ns,
        time_us=report.cycles_model * ns / 1000,
        energy=report.energy,
        area_mm2=inputs.area_mm2(case, chip),
    )


def families_page(report: FamiliesReport) -> str:
    """Return the page."""
    lines = ["# One network on three families", "", *(f"{text}\n" for text in ABOUT)]
    lines += [*Sheet(COLUMNS, map(cells, report.rows)).markdown(), ""]
    lines += ["What each energy is of:", ""]
    counted = {row.family: row.energy for row in report.rows}
    for family, energy in counted.items():
        table = energy.table.name if energy.table else "the constants of the architecture"
        lines.append(f"- {family}, by {table}: {energy.counted}")
    lines += ["", f"- commit: {report.commit or 'unknown'}; machine: {report.machine}"]
    return "\n".join([*lines, f"- command: `{report.command}`"]) + "\n"


def cells(row: FamilyRow) -> Iterator[str]:
    """Yield the cells of a row."""
    yield f"{row.family}, `{row.chip}`{f', {row.mode}' if row.mode else ''}"
    yield f"{row.accuracy:.2%}"
    yield number(row.cycles)
    yield f"{row.ns:.2f}"
    yield f"{row.time_us:,.0f}"
    yield f"{row.energy.image_uj:,.1f}"
    yield f"{row.energy.with_outside_uj:,.1f}"
    yield f"{row.area_mm2:,.1f}"


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    parser = page_options("three-families", __doc__)
    for name in ("crossbar", "synthesis", "clocks", "training"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args(arguments)
    inputs = Inputs(
        crossbar=given.crossbar,
        synthesis=given.synthesis,
        clocks=given.clocks,
        training=given.training,
    )
    command = (
        "python -m hwgen_studies.networks.three_families --crossbar architecture.yaml"
        f" --synthesis {given.synthesis.name} --clocks {given.clocks.name}"
        f" --training {given.training.name} --data {Path(given.data or 'cifar10').name}"
    )
    try:
        report = measure(Context(work=given.work), inputs, data=given.data, command=command)
        write_text(given.out, families_page(report), what="page")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"three-families: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
