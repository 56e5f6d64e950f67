"""Reports as tables for the terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hwgen.report.model import ModelReport, Speedup
from hwgen.report.rows import Rows
from hwgen.report.run import Difference, Figures, Memory, RunLayer, RunReport
from hwgen.report.text import TextReport
from hwgen.report.types import DRAWN, ChipClock, EnergySum, ReplacedPart
from hwgen.report.writing import WritingCost

BAR, LONGEST_BAR = "=", 30
"""Of a picture in a table: every terminal and every file shows it."""
NOTHING = "-"
MOST_CLASSES = 20
"""Classes of images without labels that a line shows."""
RUN_COLUMNS = ["layer", "kind", "shape", "split", "unpruned", "zero planes"]
RUN_COLUMNS += ["model", "rtl", "equal"]


def number(value: int | None) -> str:
    """Return a count with commas between thousands, or a dash for what was not measured."""
    return NOTHING if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    """Return a fraction in percent, or a dash."""
    return NOTHING if value is None else f"{value:.1%}"


def size(shape: Sequence[int] | None) -> str:
    """Return a shape as heightxwidthxchannels, or a dash."""
    return NOTHING if shape is None else "x".join(map(str, shape))


def table(columns: Sequence[str], *, left: int = 1) -> Rows:
    """Return an empty table; the first `left` columns are text, the others numbers."""
    made = Rows(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for place, name in enumerate(columns):
        made.add_column(name, justify="left" if place < left else "right", overflow="fold")
    return made


def verdict(figures: Figures) -> Text:
    """Return whether values, cycles and events are equal, or a dash: nothing was compared."""
    if figures.mismatches:
        return Text(f"{figures.mismatches} differ", "bold red")
    fused = isinstance(figures, RunLayer) and figures.fused
    if figures.equal is None:
        return Text("fused" if fused else NOTHING)
    if figures.equal:
        return Text("equal, fused" if fused else "equal", "green")
    return Text("cycles differ" if figures.in_time is False else "events differ", "bold red")


def run_table(report: RunReport) -> RenderableType:
    """Return a row for each layer, and the sums."""
    rows = table(RUN_COLUMNS, left=3)
    for layer in report.layers:
        rows.add_row(*run_row(layer), verdict(layer))
    rows.add_section()
    cycles = [number(report.cycles_model), number(report.cycles_rtl)]
    rows.add_row("all", "", "", "", "", "", *cycles, verdict(report))
    parts: list[RenderableType] = [subject_line(report), "", rows]
    if len(report.modes) > 1:
        parts += ["", image_table(report)]
    if report.operations:
        parts += ["", *schedule_parts(report)]
    return Group(*parts, "", *run_lines(report))


def schedule_parts(report: RunReport) -> Iterator[RenderableType]:
    """Yield promised steps and simulated clocks of each operation, and the constants of a run."""
    columns = ["layer", "operation", "starts", "differ", "steps", "clocks", "lag"]
    rows = table(columns, left=2)
    for each in report.operations:
        clocks = span(each.first_clock, each.last_clock)
        counts = [number(each.starts or None), number(each.different if each.starts else None)]
        steps = span(each.first_step, each.last_step)
        rows.add_row(each.layer, each.operation, *counts, steps, clocks, number(each.lag_clocks))
    yield rows
    yield ""
    parts = table(["constant", "clocks", "share of a run"])
    for constant in report.constants:
        parts.add_row(constant.name, number(constant.clocks), percent(constant.share))
    yield parts
    yield ""
    energy = table(["energy of an image in", "events, nJ", "search, nJ"])
    for one in report.energy:
        energy.add_row(one.part, nanojoules(one.events_pj), nanojoules(one.search_pj))
    yield energy


def nanojoules(picojoules: float | None) -> str:
    """Return an energy in nJ, or a dash for what nobody counts."""
    return NOTHING if picojoules is None else f"{picojoules / 1000:,.2f}"


def span(first: int | None, last: int | None) -> str:
    """Return the first and the last of some numbers, or a dash."""
    return NOTHING if first is None else f"{number(first)} - {number(last)}"


def image_table(report: RunReport) -> Table:
    """Return a row for each image with its mode."""
    rows = table(["image", "mode", "class", "label", "model", "rtl", "equal"], left=2)
    for image in report.images:
        cycles = [number(image.cycles_model), number(image.cycles_rtl)]
        answer = [number(image.class_), number(image.label)]
        rows.add_row(str(image.index), image.mode, *answer, *cycles, same(image.equal))
    return rows


def same(equal: bool | None) -> Text:
    """Return whether all values are equal, or a dash where nothing was compared."""
    if equal is None:
        return Text(NOTHING)
    return Text("equal", "green") if equal else Text("differs", "bold red")


def subject_line(report: RunReport | ModelReport) -> str:
    """Return which network ran on which chip."""
    setting = report.setting
    count = report.images if isinstance(report, ModelReport) else len(report.images)
    images = f"{count} image{'s' if count > 1 else ''}"
    drawn = setting.data.name == DRAWN
    told = " drawn from a seed over the whole range (--data names others)" if drawn else ""
    return f"{setting.network.name} on {setting.architecture.name}: cycles of {images}{told}"


def in_words(found: Difference) -> str:
    """Return a difference as a sentence."""
    image = f"image {found.image}" + (f" (mode {found.mode})" if found.mode else "")
    match found.what:
        case "element":
            when = {"write": "written", "retirement": "in a layer that retired"}
            cycle = f", {when[found.cycle_of]} in cycle {found.cycle:,}" if found.cycle_of else ""
            return (
                f"{image}, layer {found.layer}, y {found.y}, x {found.x}, channel {found.channel}:"
                f" {found.expected} expected, {found.found} found{cycle}"
            )
        case "map":
            return (
                f"{image}, layer {found.layer}: a map of shape {found.expected} expected,"
                f" {found.found} found"
            )
        case "image":
            return f"{image} must run exactly once"
        case "mode":
            return f"{image} ran in the mode {found.found}"
        case "step":
            place = f"run {found.run}, step {found.layer}, {found.name}"
        case "run":
            same = "on both sides, with the same images and events"
            return f"run {found.run}: there is no such run {same}"
        case _:
            step = f"step {found.layer}, " if found.layer else ""
            place = f"run {found.run}, {step}{found.what} {found.name}"
    return f"{place}: {known(found.expected)} predicted, {known(found.found)} found"


def known(value: int | str | None) -> str:
    """Return a value of a difference as text."""
    return "nothing" if value is None else str(value)


def run_row(layer: RunLayer) -> Iterator[str]:
    """Yield the cells of a layer's row, but for the verdict."""
    yield layer.name
    yield layer.kind
    yield size(layer.shape)
    yield f"{layer.sets}x{layer.share}" if layer.sets else NOTHING
    yield percent(layer.weights_kept)
    yield percent(layer.zero_bit_columns)
    yield number(layer.cycles_model)
    yield number(layer.cycles_rtl)


def run_lines(report: RunReport) -> Iterator[str]:
    """Yield the lines below the table."""
    for name, cycles, load in (
        ("model", report.cycles_model, report.load_cycles_model),
        ("rtl", report.cycles_rtl, report.load_cycles_rtl),
    ):
        if cycles is not None and load is not None:
            yield f"{name}: {cycles:,} cycles, {load:,} of them load stalls"
    if report.time_us is not None and report.clock is not None:
        yield f"{report.time_us:,.4g} us an image at {clock_words(report.clock)}"
    yield from energy_lines(report.image_energy)
    if report.effects is not None:
        where = "golden" if report.equal is None else "golden as on the chip"
        chips = f"{report.effects.file.name}, seed {report.effects.seed}"
        yield f"devices that err, in {where}: {chips}"
        yield from writing_lines(report.effects.writing)
    yield from replaced_lines(report.replaced)
    if report.memory is not None:
        yield from memory_lines(report.memory)
    yield from schedule_lines(report)
    if report.weight_row_writes_after_load is not None:
        yield f"rows of weights written after the load: {report.weight_row_writes_after_load:,}"
    if report.switch_cycles_max is not None:
        yield f"a switch of the mode costs at most {report.switch_cycles_max:,} cycles (rtl)"
    if report.first_difference is not None:
        yield f"first difference: {in_words(report.first_difference)}"
    yield from class_lines(report)
    if report.waves is not None:
        yield f"waves: {report.waves}"


def time_words(time_us: float | None, clock: ChipClock | None) -> str:
    """Return the time of an image and its clock, behind its cycles; without a clock nothing."""
    if time_us is None or clock is None:
        return ""
    return f"; {time_us:,.4g} us an image at {clock_words(clock)}"


def clock_words(clock: ChipClock) -> str:
    """Return a clock, and what it is of."""
    corner = f", {clock.corner}" if clock.corner else ""
    whole = "the slowest module" if clock.mapped == "modules" else "the flat netlist"
    cells = f"in {clock.library}{corner}, no wires"
    if clock.of_file:
        return f"{clock.mhz:,.4g} MHz of its file, which {whole} reaches {cells}"
    return f"{clock.mhz:,.4g} MHz of {whole} {cells}"


def energy_lines(energy: EnergySum | None) -> Iterator[str]:
    """Yield the energy of an image, on the chip and with the memory outside, and by which table."""
    if energy is None:
        return
    by = energy.table.name if energy.table else "the constants of the architecture"
    at = "" if energy.clock_mhz is None else f" at {energy.clock_mhz:,.4g} MHz"
    out = energy.outside
    chip, rest = energy.image_uj, (out.low_uj, out.high_uj)
    low, high = (f"{chip + each:,.4g}" for each in rest)
    yield (
        f"energy: {chip:,.4g} uJ an image on the chip, {energy.time_nj / 1e3:,.4g} of it by time"
        f" alone{at}, by {by}"
    )
    yield (
        f"with the memory outside {energy.with_outside_uj:,.4g} uJ, {low} to {high}:"
        f" {out.bytes:,.0f} bytes, {out.pj_a_bit:g} pJ a bit by {out.memory.name}"
    )
    yield f"counted: {energy.counted}"


def writing_lines(cost: WritingCost) -> Iterator[str]:
    """Yield what it costs to write cells."""
    yield (
        f"to write {cost.cells:,} cells in {cost.each}: {cost.pulses:,.0f} pulses,"
        f" {cost.energy_pj / 1e6:,.4g} uJ, {cost.time_ns / 1e6:,.4g} ms"
    )
    if cost.wears_out_after is not None:
        yield f"cells wear out after {cost.wears_out_after:,.4g} times {cost.each}"


def replaced_lines(parts: Sequence[ReplacedPart]) -> Iterator[str]:
    """Yield what stands for the cells of each replaced part."""
    for one in parts:
        count = one.banks * one.columns * one.copies
        shape = f"{one.banks} behind each other, {one.columns} side by side"
        copies = f", {one.copies} copies" if one.copies > 1 else ""
        yield f"{one.part}: {count} of {one.module} ({shape}{copies})"
        if one.energy_pj is not None and one.table_pj is not None:
            spent = f"{one.energy_pj / 1000:,.2f} nJ, by the table {one.table_pj / 1000:,.2f} nJ"
            yield f"{one.part}: its accesses take {spent}"


def schedule_lines(report: RunReport) -> Iterator[str]:
    """Yield how many starts were compared, and by how many clocks steps were longer."""
    if report.starts_checked is not None:
        by = {"schedule": "schedule.npz", "model": "the model"}[
            report.starts_promised_by or "model"
        ]
        yield (
            f"starts: {report.starts_checked:,} checked against {by},"
            f" {number(report.starts_different)} different"
        )
    if report.held_clocks is not None:
        yield f"held clocks: {report.held_clocks:,}"


def class_lines(report: RunReport) -> Iterator[str]:
    """Yield the accuracy, or the classes of images without labels."""
    if report.accuracy is not None:
        yield f"accuracy on these images: {report.accuracy:.2%}"
    elif any(each is not None for each in report.predictions):
        shown = [NOTHING if each is None else str(each) for each in report.predictions]
        more = ", ..." if len(shown) > MOST_CLASSES else ""
        yield f"classes of these images: {', '.join(shown[:MOST_CLASSES])}{more}"


def memory_lines(memory: Memory) -> Iterator[str]:
    """Yield what the memory did that the model does not know."""
    if memory.latency is not None:
        yield (
            f"the memory answered after {memory.latency:,} cycles:"
            f" {number(memory.more_cycles)} more cycles than the model's, which are not compared"
        )
    if memory.stall_percent:
        yield (
            f"the memory stalled in {memory.stall_percent} % of cycles (seed {memory.stall_seed}):"
            f" {number(memory.more_cycles)} more cycles than the model's, which are not compared"
        )
    if memory.error_address is not None:
        yield f"no error of the bus: the chip missed it at {memory.error_address:#x}"


def model_table(report: ModelReport) -> RenderableType:
    """Return cycles by layer, where they go, and the speed-up if it was asked for."""
    rows = table(["layer", "kind", "bound by", "cycles", "fraction", "utilization"], left=3)
    rows.add_column("cycles by layer")
    rows.bars = True
    most = max((layer.cycles_model for layer in report.layers), default=0) or 1
    for layer in report.layers:
        fractions = [percent(layer.cycles_model / report.cycles_model), percent(layer.utilization)]
        bar = BAR * round(LONGEST_BAR * layer.cycles_model / most)
        bound = layer.bound or "-"
        rows.add_row(layer.name, layer.kind, bound, number(layer.cycles_model), *fractions, bar)
    rows.add_section()
    whole = percent(1), percent(report.utilization)
    rows.add_row("all", "", "", number(report.cycles_model), *whole)
    causes = table(["where they go", "fraction"])
    for cause, fraction in sorted(report.where.items(), key=lambda item: -item[1]):
        causes.add_row(cause, percent(fraction))
    total = (
        f"{report.cycles_model:,} cycles, {report.load_cycles_model:,} of them load stalls"
        f"{time_words(report.time_us, report.clock)}"
    )
    parts: list[RenderableType] = [subject_line(report), "", rows, "", causes, "", total]
    parts += energy_lines(report.energy)
    if report.modes:
        modes = table(["mode", "cycles", "fraction"])
        for mode in report.modes:
            modes.add_row(mode.name, number(mode.cycles_model), percent(mode.fraction))
        parts += ["", "cycles of the same images in each mode", "", modes]
    if report.speedup is not None:
        parts += ["", "speed-up over the dense chip", "", speedup_table(report.speedup)]
    return Group(*parts)


def speedup_table(speedup: Speedup) -> Table:
    """Return dense against each kind of sparsity, and against all of them."""
    columns = ["sparsity", "source", "cycles", "compute cycles", "end to end", "compute"]
    rows = table(columns, left=2)
    for variant in speedup.variants:
        name = variant.sparsity
        gain = [
            f"{figures[name]:.2f}x" if name in figures else NOTHING
            for figures in (speedup.end_to_end, speedup.compute)
        ]
        rows.add_row(
            name, variant.source, number(variant.cycles), number(variant.cycles_compute), *gain
        )
    return rows


def text_table(report: TextReport) -> RenderableType:
    """Return a text, and what a call takes."""
    lines: list[RenderableType] = [Text(report.prompt + report.text), ""]
    if report.cycles is not None:
        load = 0.0 if report.load_cycles is None else report.load_cycles
        parts = [
            f"{report.cycles:,.0f} cycles a token, {load / report.cycles:.0%} of them waiting"
            f" for loads ({report.calls:,} calls of {report.cycles_least:,} to"
            f" {report.cycles_most:,})",
        ]
        if report.time_us is not None and report.clock is not None:
            parts.append(f"{report.time_us:.1f} us at {report.clock.mhz:,.4g} MHz")
        if report.bytes is not None:
            parts.append(f"{report.bytes:,.0f} bytes")
        if report.energy is not None:
            parts.append(
                f"{report.energy.image_uj:.1f} uJ on the chip,"
                f" {report.energy.with_outside_uj:.1f} uJ with the memory outside"
            )
        lines.append(Text(", ".join(parts)))
    if report.drafts:
        taken = f"{report.tokens_a_call} tokens a call, as far as drafts go"
        lines.append(Text(f"{taken}: {report.right_drafts:,} of {report.drafts:,} were right"))
    if report.calls_again:
        lines.append(
            Text(f"{report.calls_again:,} calls read the last half of a full context again")
        )
    if report.equal is not None:
        lines.append(Text("equal to golden" if report.equal else "NOT equal to golden"))
    return Group(*lines)
