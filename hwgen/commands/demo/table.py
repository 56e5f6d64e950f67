"""The tables of `scripts/demo`.

Tests: `tests/commands/demo/test_run.py`.
"""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hwgen.commands.demo.report import DemoReport
from hwgen.report.adaptive_table import adaptive_parts
from hwgen.report.tables import (
    NOTHING,
    in_words,
    number,
    percent,
    size,
    speedup_table,
    table,
    verdict,
)


def demo_table(report: DemoReport) -> RenderableType:
    """Return accuracy, a row for each layer, speed-up, and the folders of the Verilog."""
    return Group(*demo_parts(report))


def demo_parts(report: DemoReport) -> Iterator[RenderableType]:
    """Yield the parts of the output, in order."""
    accuracy, name = report.accuracy, report.network.name
    yield f"{name}: {report.network.file}"
    yield (
        f"accuracy on {report.test_images} test images: float {accuracy.float:.2%},"
        f" pruned {accuracy.pruned:.2%}, integer {accuracy.integer:.2%}"
    )
    yield ""
    yield f"cycles in RTL of {len(report.sparse.images)} images, dense and sparse"
    yield ""
    yield layer_table(report)
    yield ""
    yield "speed-up over the dense chip"
    yield ""
    yield speedup_table(report.speedup)
    yield ""
    for chip, folder in report.verilog.items():
        yield f"Verilog of the {chip} chip: {folder}"
    yield f"page with pictures: {report.page}"
    yield ""
    if report.adaptive is not None:
        yield from adaptive_parts(report.adaptive)
        yield ""
    if report.equal:
        yield Text("Every element equals golden, every cycle the model.", "green")
    else:
        yield Text("RTL, golden, model and training do not agree.", "bold red")
        for chip, run in (("dense", report.dense), ("sparse", report.sparse)):
            if run.first_difference is not None:
                yield f"first difference of the {chip} chip: {in_words(run.first_difference)}"


def layer_table(report: DemoReport) -> Table:
    """Return both chips layer by layer."""
    dense, sparse = report.dense, report.sparse
    columns = ["layer", "kind", "shape", "split", "unpruned", "zero planes"]
    rows = table([*columns, "dense", "equal", "sparse", "equal"], left=3)
    for before, after in zip(dense.layers, sparse.layers, strict=True):
        rows.add_row(
            after.name,
            after.kind,
            size(after.shape),
            f"{after.sets}x{after.share}" if after.sets else NOTHING,
            percent(after.weights_kept),
            percent(after.zero_bit_columns),
            number(before.cycles_rtl),
            verdict(before),
            number(after.cycles_rtl),
            verdict(after),
        )
    rows.add_section()
    rows.add_row(
        *("all", "", "", "", "", ""),
        number(dense.cycles_rtl),
        verdict(dense),
        number(sparse.cycles_rtl),
        verdict(sparse),
    )
    return rows
