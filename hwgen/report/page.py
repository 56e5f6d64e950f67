"""The page of a run, a prediction or a plan: one HTML file that asks no server for anything.

The pictures are inside; it follows the colours of its reader, and is the same bytes every time.

Tests: `tests/commands/test_page.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from hwgen.chip.step import Step
from hwgen.chip.timeline import Interval, Track
from hwgen.report.bars import CLASSES, Row, bars, lanes, legend, stacked
from hwgen.report.model import ModelReport, Speedup
from hwgen.report.plans import PlanReport, first_line, plan_lines
from hwgen.report.run import RunReport
from hwgen.report.tables import (
    NOTHING,
    in_words,
    number,
    percent,
    run_lines,
    size,
    subject_line,
    verdict,
)
from hwgen.report.types import ChipClock, EnergySum, Setting

TEMPLATE = "page.html"
ZOOMS = (1, 4, 16, 64)
"""How much wider than the page a schedule may be drawn."""
OTHERS = "all others"
"""Causes that are small, in the picture; the table has each."""
VERDICTS = {True: ("all equal", "ok"), False: ("not equal", "bad"), None: ("not compared", "")}
"""Words and kind of a figure, by whether all is equal."""
CAUSES = {
    "busy": "cells that hold weights compute",
    "inactive_positions": "the position vector is not full",
    "empty_slots": "the row of weights is not full",
    "absent_filters": "cell columns that no filter uses",
    "simd": "layers without weights, and depthwise ones",
    "row_write": "a row of weights is being written",
    "load": "waiting for weights or instructions",
    "switch": "waiting for a group of inputs",
    "queue": "waiting for a slower macro of the core",
    "output": "waiting for the output stage",
    "write_bus": "another core has the bus",
    "pipeline": "a step starts or ends",
    "imbalance": "waiting for other macros and cores",
    "port": "waiting for a memory port that is never idle",
    "image": "an image comes in",
    "spill": "a map goes to memory or back",
    "store": "logits go out",
    "end": "the last image has left",
}
"""What each cause of cycles means, for people; a cause that is missing here goes by its name."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a page shows beside a report; empty where the family does not tell it.

    command: that made the report
    where: fraction of all cycles by cause
    steps: of the first run; tracks: what the units of the chip do in it
    energy_nj: of an image on average, by event, or of time alone (`time`)
    area_um2: by part of the chip
    """

    command: str
    where: Mapping[str, float] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    tracks: Sequence[Track] = ()
    energy_nj: Mapping[str, float] = field(default_factory=dict)
    area_um2: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A large figure at the head of the page; kind: ok, bad or neither."""

    value: str
    what: str
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page: pictures, then a table whose first `left` columns are text."""

    title: str
    text: str = ""
    verbatim: str = ""
    charts: Sequence[Markup] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    left: int = 1


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that the template shows; origin: where the figures come from, by name."""

    title: str
    lead: str
    figures: Sequence[Figure]
    sections: Sequence[Section]
    origin: Mapping[str, str]


def page_of(report: RunReport | ModelReport | PlanReport, facts: Facts) -> str:
    """Return the page of a report."""
    made = plan_page(report, facts) if isinstance(report, PlanReport) else chip_page(report, facts)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    text = files("hwgen.report").joinpath(TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(text).render(page=made, zooms=ZOOMS)


def chip_page(report: RunReport | ModelReport, facts: Facts) -> Page:
    """Return the page of a network on a chip."""
    setting = report.setting
    if isinstance(report, RunReport):
        energy, more = report.image_energy, [*image_sections(report)]
        told = "\n".join(run_lines(report))
        more.append(Section(title="What was counted and compared", verbatim=told))
    else:
        energy = report.energy
        more = [*speedup_sections(report.speedup), *mode_sections(report)]
    return Page(
        title=f"{setting.network.name} on {setting.architecture.name}",
        lead=lead_of(report),
        figures=list(figures_of(report, energy)),
        sections=[
            layer_section(report),
            *cause_sections(facts.where),
            *schedule_sections(facts),
            *energy_sections(energy, facts),
            *more,
        ],
        origin=origin_of(setting, report.clock, facts.command),
    )


def lead_of(report: RunReport | ModelReport) -> str:
    """Return one sentence on what ran, and beside what."""
    line = subject_line(report)
    if isinstance(report, ModelReport):
        return f"{line}, as the cycle model predicts."
    told = {
        "golden": "by the NumPy reference alone",
        "model": "by the cycle model; the answers are the NumPy reference's",
        "rtl": "simulated in Verilog; every element of every map was compared with a reference in"
        " NumPy, and every cycle with a model",
    }
    return f"{line}, {told[report.engine]}."


def figures_of(report: RunReport | ModelReport, energy: EnergySum | None) -> Iterator[Figure]:
    """Yield the large figures: the verdict, then cycles, time and energy of an image."""
    cycles: int | None
    if isinstance(report, ModelReport):
        count, cycles = report.images, report.cycles_model
        yield Figure(value="predicted", what="cycles by the model")
    else:
        count, cycles = len(report.images), report.cycles
        value, kind = VERDICTS[report.equal]
        first = report.first_difference
        what = in_words(first) if first else "every element, every cycle"
        yield Figure(value=value, what=what if report.equal is not None else "", kind=kind)
    if cycles is not None:
        yield Figure(value=f"{cycles / count:,.0f}", what="cycles of an image")
    if report.time_us is not None and report.clock is not None:
        at = f"us of an image, at {report.clock.mhz:,.0f} MHz"
        yield Figure(value=f"{report.time_us:,.2f}", what=at)
    if energy is not None:
        outside = f"uJ of an image; {energy.with_outside_uj:,.3g} with the memory outside"
        yield Figure(value=f"{energy.image_uj:,.3g}", what=outside)
    if isinstance(report, RunReport) and report.accuracy is not None:
        right = f"of {count} images {'are' if count > 1 else 'is'} right"
        yield Figure(value=percent(report.accuracy), what=right)


def layer_section(report: RunReport | ModelReport) -> Section:
    """Return the cycles of each layer, with a bar and a row.

    A layer that no chip computes in steps of its own has no cycles, and so no bar.
    """
    spent: dict[str, int] = {}
    if isinstance(report, ModelReport):
        columns = ["layer", "kind", "cycles", "share", "utilization", "bound by"]
        rows: list[list[object]] = []
        for each in report.layers:
            spent[each.name] = each.cycles_model
            share = percent(each.cycles_model / report.cycles_model)
            used = [percent(each.utilization), each.bound or NOTHING]
            rows.append([each.name, each.kind, number(each.cycles_model), share, *used])
    else:
        columns = ["layer", "kind", "output", "unpruned", "zero planes", "cycles", "equal"]
        rows = []
        for layer in report.layers:
            if layer.cycles is not None:
                spent[layer.name] = layer.cycles
            kept = [percent(layer.weights_kept), percent(layer.zero_bit_columns)]
            shape = [layer.name, layer.kind, size(layer.shape)]
            rows.append([*shape, *kept, number(layer.cycles), verdict(layer).plain])
    drawn = [Row(label=name, values=[each], texts=[number(each)]) for name, each in spent.items()]
    return Section(
        title="Cycles by layer",
        text="Rows of the kind chip are the work around the layers. A layer that another one"
        " computes on the way (fused) has no cycles of its own.",
        charts=[Markup(bars(drawn, title="cycles by layer"))] if drawn else [],
        columns=columns,
        rows=rows,
        left=2,
    )


def cause_sections(where: Mapping[str, float]) -> Iterator[Section]:
    """Yield where the cycles go: a bar, and a row for each cause."""
    if not where:
        return
    causes = [name for name in CAUSES if name in where]
    causes += sorted(set(where) - set(causes))
    drawn = largest({name: where[name] for name in causes})
    yield Section(
        title="Where the cycles go",
        text="Shares of all cycles, by the model.",
        charts=[Markup(legend(list(drawn)) + stacked({"all": drawn}, title="where the cycles go"))],
        columns=["cause", "what it means", "share"],
        rows=[[name, CAUSES.get(name, name), percent(where[name])] for name in causes],
        left=2,
    )


def largest(shares: Mapping[str, float]) -> dict[str, float]:
    """Return the large shares in their order, and the sum of all others."""
    chosen = sorted(shares, key=lambda name: -shares[name])[: len(CLASSES) - 1]
    found = {name: share for name, share in shares.items() if name in chosen}
    others = sum(share for name, share in shares.items() if name not in chosen)
    return found | ({OTHERS: others} if len(shares) > len(found) else {})


def schedule_sections(facts: Facts) -> Iterator[Section]:
    """Yield the first run over its cycles: its steps, and what the units do."""
    if not facts.steps:
        return
    rows: list[tuple[str, Sequence[Interval]]] = [("steps", step_intervals(facts.steps))]
    rows += [(track.unit, track.intervals) for track in facts.tracks]
    doing: dict[str, int] = {}
    for track in facts.tracks:
        for each in track.intervals:
            doing[each.what] = doing.get(each.what, 0) + each.end - each.begin
    named = sorted(doing, key=lambda name: -doing[name])
    buttons = "".join(
        f'<label class="zoom"><input type="radio" name="zoom" class="zoom-{times}"'
        f"{' checked' if times == 1 else ''}> {times}x</label>"
        for times in ZOOMS
    )
    end = max(step.end for step in facts.steps)
    yield Section(
        title="The schedule of the first run",
        text="Cycles from left to right, as the model has them; the mouse on a block tells its"
        " name and cycles. Blocks of a lane that are narrower than a hair are drawn as one.",
        charts=[Markup(buttons + legend(named[: len(CLASSES)]) + lanes(rows, end, named))],
    )


def step_intervals(steps: Sequence[Step]) -> list[Interval]:
    """Return the steps that take cycles."""
    return [
        Interval(begin=step.begin, end=step.end, what=step.name, fraction=1.0)
        for step in steps
        if step.end > step.begin
    ]


def energy_sections(energy: EnergySum | None, facts: Facts) -> Iterator[Section]:
    """Yield energy by event and area by part."""
    if energy is not None:
        yield Section(
            title="Energy of an image",
            text=f"Counted: {energy.counted}. Events times constants, no measurement.",
            charts=[part_bars(facts.energy_nj, "nJ", title="energy of an image by event")],
        )
    if facts.area_um2:
        mm2 = {name: um2 / 1e6 for name, um2 in facts.area_um2.items()}
        yield Section(
            title="Area",
            text=f"{sum(mm2.values()):,.4g} mm2 by the table of parts.",
            charts=[part_bars(mm2, "mm2", title="area by part")],
        )


def part_bars(parts: Mapping[str, float], unit: str, *, title: str) -> Markup:
    """Return a bar for each part that is more than 0, the largest first, with its share."""
    whole = sum(parts.values())
    rows = [
        Row(label=name, values=[value], texts=[f"{value:,.4g} {unit}, {value / whole:.1%}"])
        for name, value in sorted(parts.items(), key=lambda each: -each[1])
        if value
    ]
    return Markup(bars(rows, title=title))


def speedup_sections(speedup: Speedup | None) -> Iterator[Section]:
    """Yield the cycles with no kind of sparsity, with each alone, and with all."""
    if speedup is None:
        return
    rows = [
        Row(
            label=each.sparsity.replace("_", " "),
            values=[each.cycles],
            texts=[
                number(each.cycles)
                + (
                    f", {speedup.end_to_end[each.sparsity]:.2f}x fewer"
                    if each.sparsity in speedup.end_to_end
                    else ""
                )
            ],
        )
        for each in speedup.variants
    ]
    yield Section(
        title="Dense against sparse",
        text="The same chip with no kind of sparsity, with each alone, and with all.",
        charts=[Markup(bars(rows, title="cycles by kind of sparsity"))],
    )


def mode_sections(report: ModelReport) -> Iterator[Section]:
    """Yield the cycles of the same images in each mode."""
    if report.modes:
        rows = [
            Row(
                label=mode.name,
                values=[mode.cycles_model],
                texts=[f"{mode.cycles_model:,}, {mode.fraction:.1%}"],
            )
            for mode in report.modes
        ]
        yield Section(
            title=f"One network in {len(report.modes)} widths",
            text="Nothing is loaded for a switch.",
            charts=[Markup(bars(rows, title="cycles by width"))],
        )


def image_sections(report: RunReport) -> Iterator[Section]:
    """Yield a row for each image."""
    if report.images:
        yield Section(
            title="Images",
            columns=["image", "mode", "class", "label", "cycles, model", "cycles, Verilog"],
            rows=[
                [
                    each.index,
                    each.mode,
                    *map(number, (each.class_, each.label, each.cycles_model, each.cycles_rtl)),
                ]
                for each in report.images
            ],
            left=2,
        )


def origin_of(setting: Setting, clock: ChipClock | None, command: str) -> dict[str, str]:
    """Return files and digests, the clock, versions, and the command that made the report."""
    network, chip, data = setting.network, setting.architecture, setting.data
    found = {
        "network": f"{network.file} {network.digest[:16]}",
        "architecture": f"{chip.file} {chip.digest[:16]}",
        "images": f"{data.name} ({data.split}) {data.digest[:16]}",
    }
    if setting.program_digest is not None:
        found["program"] = setting.program_digest[:16]
    if clock is not None:
        where = "its file" if clock.of_file else f"its netlist in {clock.library}"
        found["clock"] = f"{clock.ns:g} ns, by {where}"
    versions = ", ".join(f"{name} {version}" for name, version in setting.versions.items())
    return found | {"versions": versions, "command": command}


def plan_page(report: PlanReport, facts: Facts) -> Page:
    """Return the page of a file that is cut between a chip and its host."""
    value, kind = VERDICTS[report.equal]
    figures = [Figure(value=value, what="chip and reference", kind=kind)]
    if report.share is not None:
        what = f"of the multiply-accumulates on {report.chip}"
        figures.append(Figure(value=percent(report.share), what=what))
    if report.cycles is not None and report.data is not None:
        each = report.cycles / report.data.images
        figures.append(Figure(value=f"{each:,.0f}", what="cycles of the chip for a call"))
    if report.total_ms is not None:
        figures.append(Figure(value=f"{report.total_ms:,.3f}", what="ms a call, host included"))
    rows = [
        [
            piece.name,
            piece.where,
            ", ".join(f"{count} {name}" for name, count in piece.operators.items()),
            number(piece.products),
            NOTHING if piece.run is None else number(piece.run.cycles),
            NOTHING if piece.run is None else verdict(piece.run).plain,
        ]
        for piece in report.pieces
    ]
    table = Section(
        title="Pieces",
        text="In the order in which they run. The host computes what the chip does not take.",
        columns=["piece", "where", "operators", "products", "cycles", "equal"],
        rows=rows,
        left=3,
    )
    known = Section(title="What is known", verbatim="\n".join(plan_lines(report)))
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return Page(
        title=f"{report.plan.name} on {report.chip} and its host",
        lead=f"{first_line(report)}.",
        figures=figures,
        sections=[table, *piece_sections(report), known],
        origin={
            "plan": f"{report.plan.file} {report.plan.digest[:16]}",
            "runtime": report.runtime,
            "versions": versions,
            "command": facts.command,
        },
    )


def piece_sections(report: PlanReport) -> Iterator[Section]:
    """Yield the layers of each piece that ran on the chip."""
    for piece in report.pieces:
        if piece.run is not None and piece.run.layers:
            made = layer_section(piece.run)
            yield Section(
                title=f"{piece.name}: cycles by layer",
                charts=made.charts,
                columns=made.columns,
                rows=made.rows,
                left=made.left,
            )
