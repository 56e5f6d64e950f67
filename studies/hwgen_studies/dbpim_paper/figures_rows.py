"""Figures beside those that the paper prints, and why the others have no published number."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean

from hwgen_studies.comparison import PaperRow, row
from hwgen_studies.dbpim_paper import published
from hwgen_studies.dbpim_paper.accuracy import AccuracyRow
from hwgen_studies.dbpim_paper.published import TITLES
from hwgen_studies.dbpim_paper.report import FiguresReport

NO_NUMBERS = "the text has no numbers of the bars, and has lost those of its sentences about them"
LEAST = "drawn weights have two digits in nearly all filters: the least that this sparsity gives"
KINDS = {
    "conv_fc": "std/pw-conv and FC",
    "depthwise": "dw-conv",
    "multiply": "multiply",
    "other": "pool, unfused add, tables",
    "around": "images in, answers out, spilled maps",
}
"""Of layers, as Fig. 13 has them; the last is not among the paper's."""
COMPACT = ("mobilenetv2", "efficientnetb0")
"""Networks of Fig. 13."""
COMMAND = "python -m hwgen_studies.dbpim_paper.accuracy"


def figure_rows(report: FiguresReport) -> Iterator[PaperRow]:
    """Yield the rows by figure and table."""
    yield from accuracy_rows(report.accuracy)
    yield from sweep_rows(report)
    yield from kind_rows(report)
    yield from power_rows(report)


def groups_of(rows: Sequence[AccuracyRow]) -> Mapping[tuple[str, str, float], list[AccuracyRow]]:
    """Return the trainings of each data set, method and fraction of pruned blocks, one a seed."""
    found: dict[tuple[str, str, float], list[AccuracyRow]] = {}
    for each in sorted(rows, key=lambda each: (each.dataset, each.method, each.pruned)):
        found.setdefault((each.dataset, each.method, each.pruned), []).append(each)
    return found


def mean_percent(rows: Sequence[AccuracyRow]) -> float:
    """Return the mean accuracy of the integers over seeds, in percent."""
    return 100 * mean(each.accuracy for each in rows)


def lost_points(dense: Sequence[AccuracyRow], same: Sequence[AccuracyRow]) -> float:
    """Return the points of accuracy lost, of means over seeds, without what floats add to them."""
    return round(mean_percent(dense) - mean_percent(same), 6) + 0.0


def accuracy_rows(rows: Sequence[AccuracyRow]) -> Iterator[PaperRow]:
    """Yield what a sparsity costs beside the unpruned network of all digits, and what lacks."""
    groups = groups_of(rows)
    for (dataset, method, pruned), same in groups.items():
        dense = groups.get((dataset, "blocks", 0.0))
        if dense is None or same is dense:
            continue
        some = len({each.seed for each in same})
        told = f"{some} seed{'s' if some > 1 else ''}, {same[0].state}"
        short = ", short training" if same[0].short else ""
        yield row(
            "Fig. 10",
            f"accuracy lost at {same[0].sparsity:.1%} sparsity, {dataset}, {method},"
            f" {pruned:.0%} of blocks pruned{short}",
            TITLES.get(same[0].model, same[0].model),
            published=None,
            ours=lost_points(dense, same),
            unit="points",
            reason=f"measured on {same[0].test_images:,} test images, {told}; not a network of the"
            f" paper; {NO_NUMBERS}",
        )
    for name in published.NETWORKS:
        yield row(
            "Fig. 10",
            "accuracy over sparsity, CIFAR-100",
            TITLES[name],
            published=None,
            ours=None,
            unit="%",
            reason="not trained: 13 trainings of many hours on one core each;"
            f" `{COMMAND} configs/train/cifar100_{name}.yaml` makes them; {NO_NUMBERS}",
        )


def sweep_rows(report: FiguresReport) -> Iterator[PaperRow]:
    """Yield speed-up and saving of each point of Fig. 11."""
    for each in report.sweep:
        at = f"at {each.sparsity:.1%} sparsity, {each.weights.partition(':')[0]} weights"
        why = f"modelled, conv+FC layers; {NO_NUMBERS}"
        for what, ours, unit in (
            ("speed-up over the dense chip", each.speedup, "x"),
            ("saving of energy", each.saved_percent, "%"),
        ):
            yield row(
                "Fig. 11",
                f"{what} {at}",
                TITLES[each.network],
                published=None,
                ours=ours,
                unit=unit,
                reason=f"{why}; {LEAST}" if each.weights == "drawn" else why,
            )


def kind_rows(report: FiguresReport) -> Iterator[PaperRow]:
    """Yield the time of each kind of layer in the two compact networks."""
    for run in report.runs:
        about = next(each for each in report.networks if each.name == run.network)
        for kind, words in KINDS.items() if run.network in COMPACT else ():
            yield row(
                "Fig. 13",
                f"share of the time, {words}",
                TITLES[run.network],
                published=None,
                ours=100 * run.kinds.get(kind, 0.0) / run.cycles,
                unit="%",
                reason=f"modelled, all layers, all switches, loading included; {about.weights};"
                f" {NO_NUMBERS}",
            )


def power_rows(report: FiguresReport) -> Iterator[PaperRow]:
    """Yield power, peak a watt and peak a macro beside Table II."""
    ordered = sorted(report.power, key=lambda each: each.power_mw)
    least, most, peak = *published.POWER_MW, 1000 * published.PEAK_TOPS
    for place, words, theirs in ((0, "least", least), (-1, "most", most)):
        each = ordered[place] if ordered else None
        yield row(
            "Table II",
            f"power, {words}",
            TITLES[each.network] if each else None,
            published=theirs,
            ours=each.power_mw if each else None,
            unit="mW",
            reason="modelled: energy over time of whole networks, at 45 nm and"
            f" {report.clock_mhz:g} MHz, leakage of logic included; the published at 28 nm, 333 to"
            " 500 MHz and 0.72 to 0.80 V, of which workload the text does not say; the clock is the"
            " paper's, which our netlist does not reach",
        )
    yield row(
        "Table II",
        "peak over the most power",
        None,
        published=peak / most,
        ours=report.peak_tops / ordered[-1].power_mw * 1000 if ordered else None,
        unit="TOPS/W",
        reason="the quotient of two printed figures: Table II names no TOPS/W in the text that we"
        " have; ours is at one bit plane a cycle and two digits, see the row `peak` of dbpim-paper",
    )
    for each in report.power:
        yield row(
            "Table II",
            "work of the dense network over power",
            TITLES[each.network],
            published=None,
            ours=each.tops_per_w,
            unit="TOPS/W",
            reason="modelled: two operations a multiplication of the network before pruning, whole"
            " networks, memory outside the chip left out; not in the paper",
        )
    yield row(
        "Table II",
        "a row below the peaks that has lost its name",
        None,
        published=published.NAMELESS,
        ours=None,
        unit="?",
        reason="no quotient of printed figures gives it (peak over power:"
        f" {peak / most:.2f} to {peak / least:.2f} TOPS/W, over area:"
        f" {published.PEAK_TOPS / published.AREA_MM2:.2f} TOPS/mm2), so we do not know what to"
        " compare",
    )
