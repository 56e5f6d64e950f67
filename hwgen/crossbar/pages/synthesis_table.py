"""What `hwgen synthesize` tells a person."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hwgen.crossbar.facts.rules import MERITS, Objective
from hwgen.crossbar.pages.synthesis import (
    ErringReport,
    SynthesisAccuracy,
    SynthesisPoint,
    SynthesisReport,
)
from hwgen.report.tables import NOTHING, number, percent, table, writing_lines

CHOSEN: dict[Objective, str] = {
    "stream": "the energy of an image in a stream",
    "throughput": "images a second in a stream",
    "latency": "the time of one image",
    "edp": "energy x delay of one image",
}
"""What a design was chosen for, if not for the energy of one image."""
LAYER_COLUMNS = [
    "#",
    "layer",
    "kind",
    "copies",
    "crossbars",
    "macros",
    "ADCs",
    "peak W",
    "steps",
    "busy",
]


def synthesis_table(report: SynthesisReport) -> RenderableType:
    """Return the figures of a design, its layers, and where power and energy go."""
    return Group(
        f"{report.network.name} within {report.power_budget_w:g} W, {report.rules} rules:"
        f" {point_text(report.point)}",
        "",
        layer_table(report),
        "",
        part_table(report),
        "",
        *figure_lines(report),
        *(erring_parts(report) if isinstance(report, ErringReport) else ()),
    )


def erring_parts(report: ErringReport) -> Iterator[RenderableType]:
    """Yield the accuracy of the chip, and what it costs to write the cells."""
    yield from accuracy_parts(report.accuracy)
    yield from writing_lines(report.writing)


def accuracy_parts(found: SynthesisAccuracy) -> Iterator[RenderableType]:
    """Yield the accuracy of the chip, and how many choices were measured."""
    seeds, chip = len(found.seeds), found.chip
    low, high, least, most = (100 * each for each in (*chip.interval, chip.least, chip.most))
    less = f", {chip.bits_less} less" if chip.bits_less else ""
    step = f", step {chip.step}" if chip.step > 1 else ""
    yield ""
    yield (
        f"accuracy of {found.data.images} images, devices of {found.effects.name},"
        f" {seeds} seed{'s' if seeds > 1 else ''}: {100 * chip.accuracy:.1f} %, {low:.1f} to"
        f" {high:.1f} % at 95 %; of the seeds {least:.1f} to {most:.1f} %;"
        f" without effects {100 * found.exact:.1f} %"
    )
    yield f"converters: {chip.point.adc_bits} bits{less}{step}"
    yield (
        f"{len(found.choices)} choices measured on {found.images_to_choose} images, of which"
        f" {sum(each.accuracy >= found.least_accuracy for each in found.choices)} have at least"
        f" {100 * found.least_accuracy:g} %"
    )


def point_text(point: SynthesisPoint) -> str:
    """Return what is the same in a whole chip."""
    ratio = "" if point.rram_ratio is None else f", {point.rram_ratio:.0%} of the power for them"
    kind = "differential " if point.cells == "differential" else ""
    return (
        f"crossbars of {point.side} x {point.side} {kind}cells of {point.cell_bits} bit{ratio},"
        f" DACs of {point.dac_bits} bit, ADCs of {point.adc_bits} bit"
    )


def layer_table(report: SynthesisReport) -> Table:
    """Return a row for each layer."""
    rows = table(LAYER_COLUMNS, left=3)
    names = [layer.name for layer in report.layers]
    for place, (layer, name) in enumerate(zip(report.layers, short_names(names), strict=True)):
        weights = layer.crossbars > 0
        shared = "" if layer.partner is None else f" with {names.index(layer.partner)}"
        rows.add_row(
            f"{place}",
            name,
            layer.kind,
            number(layer.copies),
            number(layer.crossbars) if weights else NOTHING,
            f"{layer.macros}{shared}" if weights else NOTHING,
            number(layer.adc) if weights else NOTHING,
            f"{layer.peak_w:.3f}",
            f"{layer.start_step:,} to {layer.end_step:,}",
            percent(layer.busy),
        )
    return rows


def short_names(names: Sequence[str]) -> list[str]:
    """Return the names without what an export puts around them, or as they are if two got equal.

    `/features/features.0/Conv_output_0` becomes `features.0/Conv`.
    """
    short = []
    for name in names:
        parts = name.removesuffix("_output_0").strip("/").split("/")
        kept = [
            part
            for place, part in enumerate(parts)
            if place + 1 == len(parts) or not parts[place + 1].startswith(f"{part}.")
        ]
        short.append("/".join(kept))
    return short if len(set(short)) == len(names) else list(names)


def part_table(report: SynthesisReport) -> Table:
    """Return where power, energy and area go; parts that the chip does not have are left out."""
    columns = ["part", "count", "peak W", "share", "energy mJ", "share", "counted mJ"]
    rows = table([*columns, "area mm2", "share"])
    for part in report.parts:
        if part.count == 0:
            continue
        energy = part.static_mj + part.dynamic_mj
        rows.add_row(
            part.part.replace("_", " "),
            number(part.count),
            f"{part.peak_w:.3f}",
            percent(part.peak_w / report.peak_power_w),
            f"{energy:.4f}",
            percent(energy / report.energy_mj),
            NOTHING if part.counted_mj is None else f"{part.counted_mj:.4f}",
            f"{part.area_mm2:.2f}",
            percent(part.area_mm2 / report.area_mm2),
        )
    rows.add_section()
    counted = [part.counted_mj for part in report.parts if part.counted_mj is not None]
    rows.add_row(
        "all",
        "",
        f"{report.peak_power_w:.3f}",
        "",
        f"{report.energy_mj:.4f}",
        "",
        f"{sum(counted):.4f}" if counted else NOTHING,
        f"{report.area_mm2:.2f}",
        "",
    )
    return rows


def figure_lines(report: SynthesisReport) -> Iterator[RenderableType]:
    """Yield what stands below the tables."""
    chip = report.chip
    at = "" if report.clock_ns is None else f" at {report.clock_ns:g} ns"
    yield (
        f"chip: {chip.macros} macros on a mesh of {chip.mesh_rows} x {chip.mesh_columns},"
        f" {chip.crossbars:,} crossbars, scratchpads of {chip.scratchpad_kilobytes} KB"
    )
    yield (
        f"efficiency: {report.efficiency_gops_per_w:,.2f} GOPS/W{at}; over its peak power, if every"
        f" crossbar computed: {report.peak_efficiency_gops_per_w:,.1f}"
    )
    yield (
        f"efficiency in a stream: {report.stream.efficiency_gops_per_w:,.2f} GOPS/W,"
        f" {report.stream.energy_mj:.4f} mJ an image"
    )
    if report.no_verilog is not None:
        yield Text(f"hwgen build cannot write this chip: {report.no_verilog}", "bold yellow")
    if report.identical:
        yield "identical macros: each has as many of a component as the one that needs most"
    if report.objective != "image":
        yield f"chosen for {CHOSEN[report.objective]}: {merit_text(report.merit, report.objective)}"
    if report.bound_gops_per_w is not None:
        yield (
            f"no design can beat {merit_text(report.bound_gops_per_w, report.objective)}:"
            f" at most {report.gap_to_bound_percent:.2f}% above this one"
        )
    elif report.objective != "image":
        yield "no bound"
    yield (
        f"one image: {report.latency_ms:.4f} ms, {report.energy_mj:.4f} mJ,"
        f" EDP {report.edp_ms_mj:.4f} ms mJ"
    )
    yield (
        f"a stream: {report.images_per_s:,.0f} images/s, {report.throughput_gops:,.0f} GOPS,"
        f" an image every {report.interval_steps:,} steps of {report.step_ns:.1f} ns, through in"
        f" {report.stream.latency_ms:.4f} ms ({report.stream.images} simulated)"
    )
    yield (
        f"search: {report.evaluations:,} evaluations, {report.exact_evaluations:,} exact,"
        f" {report.boxes:,} boxes bounded, seed {report.seed}"
    )
    if report.refused:
        yield f"of these designs {shares_of(report.refused, report.evaluations)}"
    if report.stopped_early:
        yield Text("stopped early: the search had not spent its budget", "bold yellow")
    yield verdict(report)


def merit_text(merit: float, objective: Objective) -> str:
    """Return what an objective makes large, with its unit."""
    return f"{merit_digits(merit, objective, 2)} {MERITS[objective]}"


def merit_digits(merit: float, objective: Objective, places: int) -> str:
    """Return what an objective makes large; places: of an efficiency, behind the point."""
    return f"{merit:,.{places}f}" if objective in ("image", "stream") else f"{merit:,.4g}"


def shares_of(refused: Mapping[str, int], evaluations: int) -> str:
    """Return why designs were refused, the most frequent reason first, in percent of all."""
    ranked = sorted(refused.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{100 * count / evaluations:.0f}% {reason}" for reason, count in ranked)


def verdict(report: SynthesisReport) -> Text:
    """Return whether all parts together keep the budget."""
    said = (
        f"audit: {len(report.audit)} items add up to {report.peak_power_w:.6f} W of"
        f" {report.power_budget_w:g} W"
    )
    if report.step_budget_w < report.power_budget_w:
        said += f", the step made for {report.step_budget_w:.4g} W"
    if report.within_budget:
        return Text(said, "green")
    return Text(f"{said}, too much", "bold red")
