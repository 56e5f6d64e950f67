"""The page of `hwgen paper dbpim --parts figures`: rows, tables of what is drawn, pictures."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hwgen.report.files import report_text
from hwgen.report.sheet import Sheet
from hwgen.report.svg import HALF, MARKERS, MUTED, SERIES, name_series, picture
from hwgen_studies.comparison_page import compact_page
from hwgen_studies.dbpim_paper.clock import at_clock, clock_words
from hwgen_studies.dbpim_paper.figures_rows import KINDS, groups_of, lost_points, mean_percent
from hwgen_studies.dbpim_paper.published import TITLES
from hwgen_studies.dbpim_paper.report import FiguresReport

NAME = "dbpim-figures"
HEIGHT = 3.4
IDEAL = "1 / (1 - sparsity)"
"""A line beside those of networks, with neither their colours nor their points."""
Cells = Iterator[list[str]]
Points = Sequence[tuple[float, float]]
WORDS = """\
Accuracies are measured on all test images, in integers; a short training is marked. Everything
else is modelled: cycles of the cycle model (the Verilog's are the same), energies of the 45 nm
table, one image a run, loading included. Sparsity is nominal: a weight of two digits has two of
eight, and pruned blocks have none; zero digits are counted in the weights. Blocks: pruned alone,
all digits of the rest stay; two digits, one digit: the rest has as many a weight at most."""


def figures_files(report: FiguresReport) -> dict[str, str]:
    """Return page, pictures and JSON by name."""
    drawn = pictures(report)
    files = {f"{NAME}-{name}.svg": f"{svg}\n" for name, (_, svg) in drawn.items()}
    page = "\n".join(page_lines(report, {name: title for name, (title, _) in drawn.items()}))
    return {f"{NAME}.md": f"{page}\n", f"{NAME}.json": report_text(report), **files}


def page_lines(report: FiguresReport, drawn: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of the page; drawn: titles of the pictures by name."""
    yield from ("# DB-PIM: accuracy and speed over sparsity, time by kind, power", "")
    clocks = clock_words(report.clock_mhz, report.clock)
    yield from (f"On {report.architecture.name}. {clocks} Power is at the first. {WORDS}", "")
    for name, title in drawn.items():
        yield from (f"![{title}]({NAME}-{name}.svg)", "")
    for title, sheet in sheets(report).items():
        yield from (f"## {title}", "", *sheet.markdown(), "")
    yield from (f"- refused: {sentence}" for sentence in report.refused)
    yield from ("## Beside the paper", "", *compact_page(report.rows), "")
    yield from (f"- commit: {report.commit or '-'}", f"- seconds: {report.seconds:g}")


def sheets(report: FiguresReport) -> dict[str, Sheet]:
    """Return the tables by title."""
    heads = ["data", "network", "method", "blocks pruned", "sparsity", "zero digits", "accuracy"]
    heads += ["least to most", "lost", "seeds", "training"]
    points = ["network", "weights", "blocks pruned", "sparsity", "zero digits", "dense cycles"]
    points += ["cycles", "x", "dense uJ", "uJ", "saved"]
    power = ["network", "million multiplications", "ms", "at the clock of the netlist", "mW"]
    power += ["without leakage of logic"]
    return {
        "Accuracy over sparsity (Fig. 10)": Sheet(heads, accuracy_cells(report)),
        "Conv+FC layers over sparsity of weights (Fig. 11)": Sheet(points, sweep_cells(report)),
        "Time by kind of layer (Fig. 13)": Sheet(
            ["network", "weights", "cycles", *KINDS.values()], kind_cells(report)
        ),
        "Power (Table II)": Sheet([*power, "TOPS", "TOPS/W"], power_cells(report)),
    }


def accuracy_cells(report: FiguresReport) -> Cells:
    """Yield a row for each data set, method and fraction of pruned blocks."""
    groups = groups_of(report.accuracy)
    for (dataset, method, pruned), same in groups.items():
        found, dense = [each.accuracy for each in same], groups.get((dataset, "blocks", 0.0))
        lost = "-" if dense is None else f"{lost_points(dense, same):.2f}"
        zeros = sum(each.zero_digits for each in same) / len(same)
        yield [
            *(dataset, TITLES.get(same[0].model, same[0].model), method, f"{pruned:.0%}"),
            *(f"{same[0].sparsity:.1%}", f"{zeros:.1%}", f"{mean_percent(same):.2f}%"),
            *(f"{min(found):.2%} to {max(found):.2%}", lost, str(len(same))),
            f"short: {same[0].state}" if same[0].short else same[0].state,
        ]


def sweep_cells(report: FiguresReport) -> Cells:
    """Yield a row for each point of Fig. 11."""
    for each in report.sweep:
        yield [
            *(TITLES[each.network], each.weights.partition(":")[0], f"{each.pruned:.0%}"),
            *(f"{each.sparsity:.1%}", f"{each.zero_digits:.1%}", f"{each.dense_cycles:,.0f}"),
            *(f"{each.cycles:,.0f}", f"{each.speedup:.2f}", f"{each.dense_uj:,.4g}"),
            *(f"{each.energy_uj:,.4g}", f"{each.saved_percent:.1f}%"),
        ]


def kind_cells(report: FiguresReport) -> Cells:
    """Yield a row for each network with the share of each kind of layer."""
    weights = {each.name: each.weights.partition(":")[0] for each in report.networks}
    for run in report.runs:
        shares = (f"{run.kinds.get(kind, 0.0) / run.cycles:.1%}" for kind in KINDS)
        yield [TITLES[run.network], weights[run.network], f"{run.cycles:,.0f}", *shares]


def power_cells(report: FiguresReport) -> Cells:
    """Yield a row for each network."""
    for each in report.power:
        yield [
            *(TITLES[each.network], f"{each.multiplications / 1e6:,.1f}", f"{each.time_ms:.3f}"),
            at_clock(each.time_ms, report.clock_mhz, report.clock),
            *(f"{each.power_mw:,.1f}", f"{each.power_memories_mw:,.1f}"),
            *(f"{each.tops:.3f}", f"{each.tops_per_w:.3f}"),
        ]


def pictures(report: FiguresReport) -> dict[str, tuple[str, str]]:
    """Return title and SVG of each picture by name; none of what there are no points of."""
    found: dict[str, tuple[str, str]] = {}
    series: dict[str, list[tuple[float, float]]] = {}
    for (dataset, method, _), same in groups_of(report.accuracy).items():
        short = " (short)" if same[0].short else ""
        point = (100 * same[0].sparsity, mean_percent(same))
        series.setdefault(f"{dataset}, {method}{short}", []).append(point)
    if series:
        found["accuracy"] = ("Accuracy over sparsity", curves(series, "accuracy, %"))
    speeds: dict[str, list[tuple[float, float]]] = {}
    for each in report.sweep:
        point = (100 * each.sparsity, each.speedup)
        speeds.setdefault(TITLES[each.network], []).append(point)
    if speeds:
        speeds[IDEAL] = [(at, 100 / (100 - at)) for at in (75.0, 80.0, 85.0, 90.0)]
        label = "conv+FC layers, times faster than dense"
        found["sparsity"] = ("Speed-up over sparsity of weights", curves(speeds, label))
    return found


def curves(series: Mapping[str, Points], label: str) -> str:
    """Return the SVG of curves over sparsity in percent; label: of the upright axis."""
    kept: list[str] = []
    with picture(HALF, HEIGHT, kept) as axes:
        for turn, (name, points) in enumerate(series.items()):
            x, y = zip(*sorted(points), strict=True)
            if name == IDEAL:
                axes.plot(x, y, linestyle="--", color=MUTED, label=name)
                continue
            looks: Any = {"marker": MARKERS[turn % len(MARKERS)], "markersize": 3.5}
            axes.plot(x, y, color=SERIES[turn % len(SERIES)], label=name, **looks)
        axes.set_xlabel("sparsity of weights, %")
        axes.set_ylabel(label)
        axes.grid()
        name_series(axes, 7, columns=3)
    return kept[0]
