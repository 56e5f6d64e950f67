"""What it costs to write cells: the figures of a file, and those of a run."""

from pathlib import Path

import pytest

from hwgen import api
from hwgen.chip.effects import Writing
from hwgen.commands.architectures import chip_of
from hwgen.commands.effects import devices_of
from hwgen.commands.on_chip import subject_of
from hwgen.commands.writing import writing_cost, writing_of_network
from hwgen.report.tables import run_lines


@pytest.mark.promise("what writing the cells of a chip costs follows from the file of effects")
def test_cost_by_hand() -> None:
    writing = Writing(energy_pj=2.0, time_ns=100.0, pulses=4.0, cells_at_once=8, endurance=1e6)
    cost = writing_cost(writing, 20, "a load")
    # 20 cells, 8 at once: three writes of four pulses of 100 ns.
    assert (cost.pulses, cost.energy_pj, cost.time_ns) == (80.0, 160.0, 1200.0)
    assert cost.wears_out_after == 250_000


@pytest.mark.dear("run0-sot_mram-None-a load of the program")
@pytest.mark.parametrize(
    ("run", "file", "cells", "each"),
    [
        (("cadnn_digits", "mram/small"), "sot_mram", None, "a load of the program"),
        (("digits_small_cnn", "dbpim/small"), "sram_low_voltage", None, "a run"),
        (
            ("digits_small_cnn", "crossbar/digits_small_cnn"),
            "reram_study",
            298_336,
            "a load of the program",
        ),
    ],
)
def test_cells_of_a_chip(
    tmp_path: Path, run: tuple[str, str], file: str, cells: int | None, each: str
) -> None:
    context = api.Context(console=None, work=tmp_path)
    report = api.simulate(
        *run, images=1, engine="model", effects=f"effects/{file}", context=context
    )
    assert report.effects is not None
    # No Verilog ran, and that of DB-PIM cannot err at all.
    assert f"devices that err, in golden: {file}, seed 1" in list(run_lines(report))
    cost = report.effects.writing
    assert cost.each == each and cost.cells == (cells or cost.cells) > 1000
    subject = subject_of(context, run[0], chip_of(context, run[1]))
    assert writing_of_network(context, subject, devices_of(Path(f"effects/{file}"), 1)) == cost
    assert (cost.wears_out_after is None) == (file == "sram_low_voltage")
