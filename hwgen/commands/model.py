"""`hwgen model`: cycles, their causes, and the speed-up of each kind of sparsity."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hwgen.commands.capabilities import CYCLE_MODEL, MODES, SPARSITY
from hwgen.commands.context import Context
from hwgen.commands.engines import Maps, expected_maps, predicted_cycles
from hwgen.commands.images import Batch
from hwgen.commands.protocols import Prediction
from hwgen.commands.subject import Subject, program_of, with_switches
from hwgen.report.model import ModelLayer, ModelMode, ModelReport, Speedup, Variant

DENSE = "none"
SPARSE = "all"


def model_network(
    context: Context, subject: Subject, batch: Batch, *, speedup: bool
) -> ModelReport:
    """Return the cycles of a network on its chip, and of the same chip with other switches."""
    program = program_of(context, subject)
    maps = expected_maps(context, subject, batch)
    count = len(batch.images)
    predictions = predicted_cycles(context, subject, program, maps, batch.modes)
    cycles = sum(each.cycles for each in predictions)
    load = sum(each.load for each in predictions)
    return ModelReport(
        format="hwgen.report.model",
        version=2,
        setting=subject.setting(program, batch),
        images=count,
        cycles_model=cycles,
        cycles_compute_model=cycles - load,
        load_cycles_model=load,
        time_us=cycles / count / subject.arch.clock_mhz,
        where=where(subject, predictions),
        utilization=subject.family.need(CYCLE_MODEL).utilization_of(predictions),
        layers=layer_cycles(subject, predictions),
        modes=mode_cycles(context, subject, batch),
        speedup=speedup_of(modelled_variants(context, subject, maps, batch)) if speedup else None,
    )


def mode_cycles(context: Context, subject: Subject, batch: Batch) -> list[ModelMode]:
    """Return the cycles of the images in each mode; nothing for a network or chip without modes."""
    names = subject.network.graph.modes
    if len(names) == 1 or not subject.family.offers(MODES):
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


def where(subject: Subject, predictions: Sequence[Prediction]) -> dict[str, float]:
    """Return the fraction of all cycles by cause."""
    model = subject.family.need(CYCLE_MODEL)
    spent: Counter[str] = Counter()
    for prediction in predictions:
        spent.update(dict(model.where_cycles_go(prediction)))
    total = sum(spent.values())
    return {cause: cycles / total for cause, cycles in spent.items()}


def causes_of(context: Context, subject: Subject, maps: Maps, batch: Batch) -> dict[str, float]:
    """Return the fraction of all predicted cycles by cause."""
    program = program_of(context, subject)
    return where(subject, predicted_cycles(context, subject, program, maps, batch.modes))


def layer_cycles(subject: Subject, predictions: Sequence[Prediction]) -> list[ModelLayer]:
    """Return the cycles of each layer, and of what the chip does around them."""
    model = subject.family.need(CYCLE_MODEL)
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
        )
        for name, cycles in spent.items()
    ]


def modelled_variants(
    context: Context, subject: Subject, maps: Maps, batch: Batch
) -> dict[str, Variant]:
    """Return the cycles without any switch, with each alone, and with all of them."""
    return {
        switches: modelled_variant(context, with_switches(subject, switches), switches, maps, batch)
        for switches in (DENSE, *subject.family.need(SPARSITY).SWITCHES, SPARSE)
    }


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
