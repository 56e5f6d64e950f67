"""The shipped channel-adaptive network in RTL: every switch between its modes in one stream."""

import json
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest

from golden.network import predict
from hwgen.cli import main
from hwgen.commands.images import choose_images
from hwgen.network.file import load_network

ROOT = Path(__file__).parents[2]
NETWORK, ARCH = ROOT / "configs/networks/cadnn_digits.npz", ROOT / "configs/mram/small.yaml"
STREAM = [0, 1, 2, 3, 0, 2, 0, 3, 1, 3, 2, 1, 0]
"""Visits every ordered pair of four modes, and ends with the image and the mode of its begin."""


@pytest.mark.long
def test_every_pair_of_modes_in_one_stream(tmp_path: Path) -> None:
    network = load_network(NETWORK)
    modes = network.graph.modes
    assert set(pairwise(STREAM)) == set(permutations(range(len(modes)), 2))
    images = choose_images(network, None, len(STREAM)).images.copy()
    images[-1] = images[0]
    data, out = tmp_path / "images.npz", tmp_path / "run.json"
    np.savez(data, images=images)
    names = ",".join(modes[mode] for mode in STREAM)
    given = ["run", NETWORK, ARCH, "--data", data, "--modes", names, "--engine", "rtl"]
    given += ["--json", out]
    assert main([str(each) for each in [*given, "--work", tmp_path / "work"]]) == 0
    report = json.loads(out.read_text(encoding="utf-8"))
    assert (report["equal"], report["mismatches"], len(report["runs"])) == (True, 0, 1)
    assert report["weight_row_writes_after_load"] == 0
    assert report["switch_cycles_max"] <= 2
    (run,) = report["runs"]
    assert run["counters_rtl"]["active_mode"] == STREAM[-1]
    assert run["counters_rtl"]["weight_row_writes"] > 0
    assert report["predictions"][-1] == report["predictions"][0]
    cycles: dict[int, set[int]] = {}
    for row, mode in zip(report["images"], STREAM, strict=True):
        (expected,) = predict(network, images[row["index"]][None], mode=mode)
        assert (row["mode"], row["class"]) == (modes[mode], expected)
        assert row["cycles_rtl"] == row["cycles_model"]
        cycles.setdefault(mode, set()).add(row["cycles_rtl"])
    # Less than a beat of the memory port decides between images in one mode.
    assert all(max(found) - min(found) < 20 for found in cycles.values())
    assert max(cycles[3]) < min(cycles[2]) < min(cycles[1]) < min(cycles[0])
