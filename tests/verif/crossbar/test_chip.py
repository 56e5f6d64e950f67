# amaranth: UnusedElaboratable=no
"""Whole chips compute whole networks: all maps exact, all starts and all cycles as promised."""

from pathlib import Path

import pytest

from tests.verif.crossbar.chip_runs import run_whole
from tests.verif.crossbar.whole import chip_for, design, plain_network


def test_three_layers(tmp_path: Path) -> None:
    network = plain_network()
    found = design(network, copies=[1, 1, 1], macros=[1, 1, 1], clocks=[1, 1, 4])
    whole = run_whole(chip_for(found, "plain"), network, tmp_path, images=2)
    whole.compare()
    whole.compare_starts()
    assert whole.load.cycles == whole.predicted_load
    assert whole.run.cycles == whole.predicted.cycles
    assert whole.run.registers["held_clocks"] == 0


@pytest.mark.long
def test_a_slow_memory_changes_no_answer_and_no_step(tmp_path: Path) -> None:
    network = plain_network()
    found = design(network, copies=[1, 1, 1], macros=[1, 1, 1], clocks=[1, 1, 4])
    chip = chip_for(found, "plain")
    whole = run_whole(chip, network, tmp_path, images=3, latency=30_000)
    whole.compare()
    whole.compare_starts()
    assert whole.run.registers["held_clocks"] > 0
