"""The page of three families: tables, a picture, and reasons that follow from the figures.

Tests: `studies/tests/networks/test_three_families.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import matplotlib.ticker as ticks
from matplotlib.figure import Figure

from hwgen.report.sheet import Sheet
from hwgen.report.svg import COLUMN, SERIES, name_all, report_picture
from hwgen.report.tables import NOTHING, number
from hwgen_studies.networks.families_report import FamiliesReport, HomeRow, Loading
from hwgen_studies.networks.families_why import reasons, share_of

TITLE = "Which chip for which network"
COLUMNS = (
    *("chip", "cycles", "MHz", "us", "uJ", "uJ with memory", "uJ, all", "mm2", "us x mm2"),
    "accuracy",
)
SHORT = ("network", "fastest", "us", "least energy", "uJ, all", "fastest for its area", "us x mm2")
WHERE = ("chip", "cycles go to", "longest layer", "cells or ADCs used", "energy goes to")
LOADS = ("network", "chip", "when", "KB", "cycles", "uJ on the chip", "uJ outside", "as much as")
DRAWN: Mapping[str, str] = {
    "drawn": "drawn weights",
    "published": "weights as published by MLPerf Tiny, drawn inputs",
    "trained": "trained weights",
}
ABOUT = (
    "This page is for readers who have a network and ask which of the three families to take. Five"
    " networks run on an mram chip, on three DB-PIM chips, and on the crossbar chip that `hwgen"
    " synthesize NETWORK --power-w {power:g} --evaluations 24000` writes for each of them, with"
    " the same budget of power for all; the search looks for the most operations a joule, not for"
    " the fastest chip. `mram/paper_any` has kernels of any size and twice the"
    " rows of `mram/paper`, which refuses the first four networks.",
    "**Weights.** Only ResNet20 is trained for this kit: half of its blocks are pruned, a weight"
    " has at most two signed digits, and its image is the first that ships. DS-CNN and the"
    " autoencoder are the int8 files of MLPerf Tiny, imported as they are. Both MobileNets have"
    " drawn weights: nobody trained them. Inputs of these four are drawn over the whole range."
    " Pruned blocks and few digits, for which DB-PIM chips are made, are in ResNet20 alone; zero"
    " bits and digits of the others are as they come. Cycles of mram and crossbar chips depend on"
    " neither weights nor inputs.",
    "**Time.** Cycles are those of the cycle model. MHz: of the chip's own netlist in 45 nm cells,"
    " without wires ([clocks](../dbpim-data-sheet.md#clocks)). No netlist of these crossbar chips"
    " was measured: `us` takes the {like_ns:.2f} ns of `{like}`"
    " ([clocks](../crossbar-data-sheet.md#clocks)), and in parentheses is the time"
    " at the clock that the file names, which that netlist does not reach.",
    "**Energy.** uJ and uJ with memory: as `hwgen model NETWORK CHIP` prints them; memory: that"
    " outside the chip, 8 pJ a bit. uJ, all: what chips are compared by. It is uJ with memory, but"
    " of a crossbar chip it has all parts as the search counts them, which leak for as long as"
    " `us` says. Rows that are read back, what leaks, and writes of loads are in it where an image"
    " causes them; a load that is done once is in the last tables alone.",
    "**Technology.** DB-PIM and mram have 45 nm tables of ours. The crossbar has the published"
    " constants of 32 nm parts, and its areas are of those. A chip with more area is not better:"
    " `us x mm2` compares copies that fill the same area.",
)
WHY = (
    "Cycles go to: the causes of `hwgen model`. Longest layer: its"
    " share of the cycles; layers of a crossbar chip work at the same time, so it is the one whose"
    " ADCs convert in most of the steps. Used: of DB-PIM the active cells whose digit is not zero,"
    " of mram the columns of an AND that have an input, of a crossbar chip the steps in which the"
    " ADCs of a layer convert, on average. Energy on the chip, without the memory outside."
)
FOOT = "`us x mm2` in us mm2; in bold the least of each column among rows of the same network."


def families_page(report: FamiliesReport, picture: str) -> str:
    """Return the page; picture: name of the file beside it."""
    like = next((row.found.ns for row in report.rows if row.family == "crossbar"), 0.0)
    about = (text.format(power=report.power_w, like=report.like, like_ns=like) for text in ABOUT)
    lines = [f"# {TITLE}", "", *(f"{text}\n" for text in about)]
    lines += ["## The best chip of each network", ""]
    lines += [*Sheet(SHORT, map(short_cells, by_network(report.rows))).markdown(), ""]
    lines += [f"![{TITLE}]({picture})", "", "## What each chip takes for an image", "", FOOT, ""]
    for name, rows in by_network(report.rows):
        lines += [f"### {name}: {DRAWN[rows[0].weights]}", ""]
        lines += [*Sheet(COLUMNS, cells_of(rows)).markdown(), ""]
    lines += ["## Why", "", WHY, ""]
    for name, rows in by_network(report.rows):
        lines += [f"### {name}, the reasons", "", *(f"- {text}" for text in reasons(rows)), ""]
        lines += [*Sheet(WHERE, map(where_cells, rows)).markdown(), ""]
    lines += [*loads(report.rows), *counted(report.rows)]
    lines += ["", f"- commit: {report.commit or 'unknown'}; machine: {report.machine}"]
    return "\n".join([*lines, f"- command: `{report.command}`"]) + "\n"


def by_network(rows: Sequence[HomeRow]) -> Iterator[tuple[str, list[HomeRow]]]:
    """Yield each network with its rows."""
    for name, each in groupby(rows, key=lambda row: row.title):
        yield name, list(each)


def short_cells(network: tuple[str, Sequence[HomeRow]]) -> Iterator[str]:
    """Yield the best chips of a network, each with its figure."""
    name, rows = network
    yield name
    for key, form in (("time_us", "{:,.1f}"), ("whole_uj", "{:,.1f}"), ("us_mm2", "{:,.0f}")):
        best = min(
            (row for row in rows if row.mode is None), key=lambda row: getattr(row.found, key)
        )
        yield chip_of(best)
        yield form.format(getattr(best.found, key))


def chip_of(row: HomeRow) -> str:
    """Return the name of a chip, with the mode if the network has several."""
    name = "crossbar, made for it" if row.family == "crossbar" else f"`{row.chip}`"
    return f"{name}, {row.mode}" if row.mode else name


def cells_of(rows: Sequence[HomeRow]) -> Iterator[list[str]]:
    """Yield the cells of the rows of a network; a row of a narrower mode is not compared."""
    least = {
        name: min(getattr(row.found, name) for row in rows if row.mode is None)
        for name in ("time_us", "whole_uj", "us_mm2")
    }

    def told(row: HomeRow, name: str, text: str) -> str:
        best = row.mode is None and getattr(row.found, name) == least[name]
        return f"**{text}**" if best else text

    for row in rows:
        found = row.found
        us = told(row, "time_us", f"{found.time_us:,.1f}")
        other = f" ({found.file_us:,.1f})" if found.clock == "netlist of another chip" else ""
        yield [
            chip_of(row),
            number(found.cycles),
            f"{1000 / found.ns:.0f}{' (file)' if found.clock == 'file' else ''}",
            us + other,
            f"{found.energy.image_uj:,.1f}",
            f"{found.energy.with_outside_uj:,.1f}",
            told(row, "whole_uj", f"{found.whole_uj:,.1f}"),
            f"{found.area_mm2:,.1f}",
            told(row, "us_mm2", f"{found.us_mm2:,.0f}"),
            NOTHING if row.accuracy is None else f"{row.accuracy:.2%}",
        ]


def where_cells(row: HomeRow) -> Iterator[str]:
    """Yield what takes most of the cycles and of the energy of a row."""
    yield chip_of(row)
    yield largest(row.found.where, 4)
    yield f"{row.found.layer.replace('_', ' ')} {share_of(row.found.layer_share)}"
    yield NOTHING if row.found.utilization is None else f"{row.found.utilization:.0%}"
    yield largest(row.found.energy_shares, 3)


def largest(shares: Mapping[str, float], count: int) -> str:
    """Return the largest shares with their names."""
    ordered = sorted(shares.items(), key=lambda each: -each[1])[:count]
    ordered = [each for each in ordered if each[1] > 0]
    return ", ".join(f"{name.replace('_', ' ')} {share_of(share)}" for name, share in ordered)


def loads(rows: Sequence[HomeRow]) -> Iterator[str]:
    """Yield the table of loads."""
    yield from ("## Loads", "")
    yield (
        "DB-PIM chips load the network with each image of a run of one image; a larger `--batch`"
        " shares it, and the load is part of the figures above. mram and crossbar chips load once"
        " and keep it. Cycles: of an image, those in which nothing computes because a load is"
        " pending; of a load that is done once, all. As much as: images by `uJ, all`. Cells of a"
        " crossbar are written one after another, in pulses of an assumed energy, whose time is"
        " not among the cycles."
    )
    yield ""
    yield from Sheet(LOADS, map(load_cells, rows)).markdown()
    yield ""


def load_cells(row: HomeRow) -> Iterator[str]:
    """Yield the cells of a load."""
    load: Loading = row.found.loading
    yield row.title
    yield chip_of(row)
    yield "each image" if load.every_image else "once"
    yield f"{load.bytes / 1000:,.0f}"
    yield number(load.cycles)
    yield f"{load.chip_uj:,.2f}"
    yield f"{load.outside_uj:,.1f}"
    yield f"{load.uj / row.found.whole_uj:,.2f} images"


def counted(rows: Sequence[HomeRow]) -> Iterator[str]:
    """Yield what each figure is of."""
    yield from ("## What each energy is of", "")
    of_family = {row.family: row.found for row in rows}
    for family, found in of_family.items():
        table = found.energy.table
        named = table.name if table else "the constants of the architecture"
        yield f"- {family}, by {named}: {found.energy.counted}; a load: {found.loading.counted}"


def families_picture(report: FamiliesReport) -> str:
    """Return the picture: time, energy, and time for an area, on every chip, as SVG."""
    kinds = {
        "us an image": "time_us",
        "uJ an image, all": "whole_uj",
        "us x mm2": "us_mm2",
    }
    shown = [(name, rows) for name, rows in by_network(report.rows)]

    def draw(figure: Figure) -> None:
        plots = figure.subplots(1, len(kinds), sharey=True)
        for axes, (label, figure_of) in zip(plots, kinds.items(), strict=True):
            for group, (_, rows) in enumerate(shown):
                compared = [row for row in rows if row.mode is None]
                wide = 0.8 / len(compared)
                for turn, row in enumerate(compared):
                    place = group + (turn - (len(compared) - 1) / 2) * wide
                    name = "crossbar" if row.family == "crossbar" else row.chip
                    axes.barh(
                        place,
                        getattr(row.found, figure_of),
                        wide,
                        color=SERIES[turn],
                        label=(name if row.family != "mram" else "mram") if not group else None,
                    )
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(ticks.FuncFormatter(lambda value, _: f"{value:g}"))
            axes.set_xlabel(label)
            axes.grid(axis="x")
        plots[0].set_yticks(range(len(shown)), [name.partition(",")[0] for name, _ in shown])
        plots[0].invert_yaxis()
        name_all(figure, plots)

    return report_picture("svg", COLUMN, 4.6, draw).decode()
