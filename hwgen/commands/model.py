"""`hwgen model`: cycles, their causes, and the speed-up of each kind of sparsity.

Tests: `tests/commands/test_page.py`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar

from rich.console import RenderableType

from hwgen.chip.family import Family
from hwgen.chip.runs import Prediction
from hwgen.commands.context import Context
from hwgen.commands.engines import Maps, expected_maps, predicted_cycles
from hwgen.commands.fields import File, path_of
from hwgen.commands.fitting import filters_of_digits, with_few_digits
from hwgen.commands.images import Batch
from hwgen.commands.on_chip import WithImages
from hwgen.commands.packages import check_package
from hwgen.commands.page import Made, PageFile, where, write_page
from hwgen.commands.pictures import write_plot
from hwgen.commands.prices import EnergyFile, Prices, counted_events
from hwgen.commands.request import OUTPUT_FILE, Says
from hwgen.commands.run import run_network
from hwgen.commands.subject import Subject, program_of, with_switches
from hwgen.errors import ConfigError
from hwgen.files.earlier import DENSITIES, PICTURES
from hwgen.network.densities import densities_of, save_densities
from hwgen.network.sparsity import PHI_LIMIT
from hwgen.plan.file import is_plan
from hwgen.report.model import ModelLayer, ModelMode, ModelReport, Speedup, Variant
from hwgen.report.plans import PlanReport, plan_table
from hwgen.report.tables import model_table

DENSE = "none"
SPARSE = "all"
WEIGHT_BITS = "weight_bits"
"""The switch of chips that skip zero digits of weights."""
COUNTED = ("cycles", "load")
"""Of a prediction: all cycles, and those that wait for a load."""


@dataclass(frozen=True)
class Model(WithImages, command="model", example="network.npz chip.yaml --images 4 --speedup"):
    """Predict the exact number of cycles without simulating, and the causes of the cycles.

    busy: cells that hold weights compute on a position. Cells of a macro at work that do not:
    inactive_positions (the position vector is not full), empty_slots (the row of weights is not
    full), absent_filters (cell columns that no filter uses). simd: layers without weights, and
    depthwise ones. row_write: a row of weights is being written. Waiting: load (for weights or
    instructions), switch (for a group of inputs), queue (for a slower macro of the core), output
    (for the output stage), write_bus (another core has it), pipeline (a step starts or ends),
    imbalance (for other macros and cores), port (for weights or for other cores, in a step whose
    memory port has a beat in more than nine of ten cycles). image, spill, store, end: around the
    layers. A layer is bound by what takes most of its cycles.

    utilization: fraction of the cells of active rows whose digit is a non-zero digit of a weight.

    A file of densities may stand in place of the network: shapes, and shares of pruned blocks,
    digits and zero bits (.yaml; --densities writes those of a network).

    Raises DataError for an unknown mode, FamilyError for a family without modes.
    """

    OF_DENSITIES: ClassVar[bool] = True

    _: KW_ONLY
    speedup: Annotated[
        bool, Says("the dense chip against each kind of sparsity, alone and together")
    ] = False
    energy: EnergyFile = None
    page: PageFile = None
    plot: Annotated[
        File | None,
        Says(
            "picture of the cycles by layer to write (.svg)",
            metavar="FILE",
            use=OUTPUT_FILE,
            replaces=PICTURES,
        ),
    ] = None
    densities: Annotated[
        File | None,
        Says(
            "shapes and densities of the network and of its maps to write (.yaml)",
            metavar="FILE",
            use=OUTPUT_FILE,
            replaces=DENSITIES,
        ),
    ] = None

    def check(self) -> None:
        """Refuse a picture that no installed package draws."""
        super().check()
        if self.plot is not None:
            check_package("matplotlib")

    def run(self) -> ModelReport | PlanReport:
        """Predict, and write page and picture; of a plan its pieces on the chip."""
        if is_plan(Path(self.network)):
            refused = ("speedup", "energy", "plot", "densities")
            found = self.of_plan("model", refused, run_network)
            if self.page is not None:
                write_page(self, Path(self.page), found)
            return found
        context = self.quiet
        subject, batch = self.stream()
        prices = Prices(subject.family, path_of(self.energy))
        program = program_of(context, subject)
        maps = expected_maps(context, subject, batch)
        predictions = predicted_cycles(context, subject, program, maps, batch.modes)
        cycles, load = (sum(getattr(each, name) for each in predictions) for name in COUNTED)
        images, events, chip = len(batch.images), counted_events(predictions), subject.timed
        report = ModelReport(
            format="hwgen.report.model",
            version=5,
            setting=subject.setting(program, batch),
            images=images,
            cycles_model=cycles,
            cycles_compute_model=cycles - load,
            load_cycles_model=load,
            time_us=chip.time_us(cycles / images),
            clock=chip.clock,
            energy=prices.image(
                events,
                cycles,
                chip.arch,
                images=images,
                outside_bytes=prices.outside_bytes(events, subject.arch, program, images=images),
            ),
            where=where(subject, predictions),
            utilization=subject.family.need(Family.cycle_model).utilization_of(predictions),
            layers=layer_cycles(subject, predictions),
            modes=mode_cycles(context, subject, batch),
            speedup=speedup_of(modelled_variants(context, subject, maps, batch))
            if self.speedup
            else None,
        )
        if self.densities is not None:
            save_densities(densities_of(subject.network, maps), Path(self.densities))
        if self.page is not None:
            made = Made(
                subject=subject,
                program=program,
                modes=batch.modes,
                maps=maps,
                predictions=predictions,
            )
            write_page(self, Path(self.page), report, made, prices)
        if self.plot is not None:
            from hwgen.report.model_plot import model_picture

            drawn: str = model_picture(report)
            write_plot(self.plot, lambda _: drawn.encode())
        self.tell_of_fit(subject, batch, predictions[0].cycles)
        return report

    def tell_of_fit(self, subject: Subject, batch: Batch, cycles: int) -> None:
        """Say what weights of few digits would bring to an imported network with weight_bits.

        cycles: of the first run. By the published rule, which needs no images; what it costs in
        accuracy, only `hwgen fit` says.
        """
        skips_digits = getattr(getattr(subject.arch, "sparsity", None), WEIGHT_BITS, False)
        given = subject.network_file == Path(self.network) or subject.densities is not None
        if given or not skips_digits:
            return
        if not any(filters_of_digits(subject.network)[PHI_LIMIT + 1 :]):
            return
        size = subject.run_images
        first = replace(batch, images=batch.images[:size], modes=batch.modes[:size])
        few = replace(subject, network=with_few_digits(subject.network))
        maps = expected_maps(self.quiet, few, first)
        program = program_of(self.quiet, few)
        (fitted,) = predicted_cycles(self.quiet, few, program, maps, first.modes)
        self.quiet.say(
            f"after hwgen fit a run would take about {fitted.cycles:,} cycles, not {cycles:,}:"
            f" {cycles / fitted.cycles:.2f}x faster; what that costs in accuracy, hwgen fit says"
        )

    def table(self, report: ModelReport | PlanReport) -> RenderableType:
        """Return cycles, causes and layers."""
        return plan_table(report) if isinstance(report, PlanReport) else model_table(report)


def mode_cycles(context: Context, subject: Subject, batch: Batch) -> list[ModelMode]:
    """Return the cycles of the images in each mode; nothing for a network or chip without modes."""
    names = subject.network.graph.modes
    if len(names) == 1 or not subject.family.offers(Family.modes):
        return []
    program, widest, found = program_of(context, subject), 0, []
    for mode, name in enumerate(names):
        of_mode = replace(batch, modes=(mode,) * len(batch.images))
        maps = expected_maps(context, subject, of_mode)
        predictions = predicted_cycles(context, subject, program, maps, of_mode.modes)
        cycles = sum(each.cycles for each in predictions)
        widest = widest or cycles
        found.append(ModelMode(name=name, cycles_model=cycles, fraction=cycles / widest))
    return found


def layer_cycles(subject: Subject, predictions: Sequence[Prediction]) -> list[ModelLayer]:
    """Return the cycles of each layer, and of what the chip does around them."""
    model = subject.family.need(Family.cycle_model)
    kinds = {layer.name: layer.op for layer in subject.network.layers}
    spent: Counter[str] = Counter()
    for prediction in predictions:
        for step in prediction.steps:
            spent[step.layer] += step.end - step.begin
    return [
        ModelLayer(
            name=name,
            kind=kinds.get(name, "chip"),
            cycles_model=cycles,
            utilization=model.utilization_of(predictions, layer=name),
            bound=model.bound_of(predictions, layer=name),
        )
        for name, cycles in spent.items()
    ]


def modelled_variants(
    context: Context, subject: Subject, maps: Maps, batch: Batch
) -> dict[str, Variant]:
    """Return the cycles without any switch, with each alone, and with all of them.

    Settings that the chip's sizes forbid are left out and said.
    """
    found: dict[str, Variant] = {}
    refused: ConfigError | None = None
    for switches in (DENSE, *subject.family.need(Family.sparsity).SWITCHES, SPARSE):
        try:
            other = with_switches(subject, switches)
        except ConfigError as error:
            refused = error
            context.say(f"not compared: --sparsity {switches}: {error}")
            continue
        found[switches] = modelled_variant(context, other, switches, maps, batch)
    if refused is not None and found.keys() == {DENSE}:
        raise refused
    return found


def modelled_variant(
    context: Context, subject: Subject, switches: str, maps: Maps, batch: Batch
) -> Variant:
    """Return the modelled cycles of one setting of the switches."""
    program = program_of(context, subject)
    predictions = predicted_cycles(context, subject, program, maps, batch.modes)
    cycles = sum(each.cycles for each in predictions)
    return Variant(
        sparsity=switches,
        source="model",
        cycles=cycles,
        cycles_compute=cycles - sum(each.load for each in predictions),
    )


def speedup_of(variants: Mapping[str, Variant]) -> Speedup:
    """Return cycles of the dense variant over those of each other one.

    The source of a figure is that of its variant; the dense one is measured if any is.
    """
    dense = variants[DENSE]
    others = {name: variant for name, variant in variants.items() if name != DENSE}
    return Speedup(
        compute={name: dense.cycles_compute / each.cycles_compute for name, each in others.items()},
        end_to_end={name: dense.cycles / each.cycles for name, each in others.items()},
        source={name: each.source for name, each in others.items()},
        variants=list(variants.values()),
    )
