"""`hwgen explore --grid` as a person uses it, with a process."""

import json
from pathlib import Path

import numpy as np
import pytest

from hwgen.network.file import save_network
from tests.cli.given import NETWORK, TINY, Command
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images


@pytest.mark.promise("a sweep predicts every combination of values of keys, as the model does")
def test_a_sweep_prints_rows_and_writes_its_picture(hwgen: Command, tmp_path: Path) -> None:
    network = directed("narrow")
    save_network(network, tmp_path / "network.npz")
    np.savez(tmp_path / "images.npz", images=random_images(network, 1, seed=0))
    out, plot = tmp_path / "report.json", tmp_path / "plot.svg"
    given = [
        "explore",
        tmp_path / "network.npz",
        TINY,
        "--grid",
        "queue_depth=1,2",
        "--grid",
        "cores=1,3",
    ]
    given += ["--data", tmp_path / "images.npz", "--workers", 1]
    code, shown, err = hwgen(*given, "--plot", plot, "--json", out, "--work", tmp_path / "work")
    assert (code, err) == (0, "")
    lines = [line.split() for line in shown.splitlines()]
    report = json.loads(out.read_text(encoding="utf-8"))
    cycles = [point["cycles_model"] for point in report["points"]]
    assert ["1", "1", f"{cycles[0]:,}"] in [line[:3] for line in lines]
    assert any(line[-2:] == ["refused", "[1]"] for line in lines)
    assert "[1] cores must be a power of two, got 3" in shown
    assert "<svg" in plot.read_text(encoding="utf-8")


@pytest.mark.promise("a wrong key or value of a sweep is one sentence")
def test_a_bad_key_is_one_sentence(hwgen: Command, tmp_path: Path) -> None:
    for given in ("cors=1", "cores", "cores=x"):
        code, out, err = hwgen("explore", NETWORK, TINY, "--grid", given, "--work", tmp_path)
        assert (code, out) == (2, "") and err.count("\n") == 1


@pytest.mark.promise(
    "a grid and a search refuse each other's options, and sweep says what it is now"
)
@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["explore", NETWORK, TINY], "--area must be given without --grid, got nothing"),
        (
            ["explore", NETWORK, TINY, "--area", 5, "--images", 2],
            "--images must be left out without --grid, got 2",
        ),
        (
            ["explore", NETWORK, TINY, "--grid", "cores=1", "--points", 9],
            "--points must be left out with --grid, got 9",
        ),
        (
            ["explore", NETWORK, NETWORK, TINY, "--grid", "cores=1"],
            "NETWORK must be one with --grid, its data too, got 2",
        ),
        (
            ["sweep", NETWORK, TINY, "cores=1,2", "--plot", "x.svg"],
            "hwgen sweep is hwgen explore NETWORK ARCH --grid KEY=VALUES now",
        ),
    ],
)
def test_two_ways_of_explore(hwgen: Command, given: list[object], told: str) -> None:
    assert hwgen(*given) == (2, "", f"hwgen: {told}\n")


def test_a_grid_takes_images_and_modes(hwgen: Command, tmp_path: Path) -> None:
    given = ["--mode", "0.25x", "--images", 2, "--data", "digits", "--workers", 1]
    chip = ["explore", "cadnn_digits", "mram/small", "--grid", "port_bits=64"]
    code, shown, err = hwgen(*chip, *given, "--work", tmp_path)
    assert (code, err) == (0, "") and "cycles of 2 images" in shown
