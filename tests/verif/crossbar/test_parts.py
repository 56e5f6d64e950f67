"""Small parts of a macro, each alone, in one executable."""

from pathlib import Path

import pytest

from verif.crossbar.small_parts import alone, settings, small_parts
from verif.runner import Waves, build, run


def run_part(name: str, folder: Path, simulator: str, waves: Waves | None = None) -> None:
    """Run the bench of one part."""
    bench = build(small_parts(), simulator=simulator, waves=waves)
    run(bench, module=f"verif.crossbar.bench_{name}", folder=folder)


def test_packer(icarus: str, tmp_path: Path) -> None:
    run_part("packer", tmp_path, icarus)


def test_pad(icarus: str, tmp_path: Path) -> None:
    run_part("pad", tmp_path, icarus)


def test_requantizer(icarus: str, tmp_path: Path) -> None:
    run_part("requantizer", tmp_path, icarus)


def test_requantizer_of_raw_sums(icarus: str, tmp_path: Path) -> None:
    bench = build(alone("requantizer", raw=True), simulator=icarus)
    module, settings_of = "verif.crossbar.bench_requantizer", settings(raw=True)
    run(bench, module=module, folder=tmp_path, settings=settings_of)


def test_block_reader(icarus: str, tmp_path: Path) -> None:
    run_part("block_reader", tmp_path, icarus)


def test_window_counter(icarus: str, tmp_path: Path) -> None:
    run_part("window_counter", tmp_path, icarus)


def test_chain(icarus: str, tmp_path: Path) -> None:
    run_part("chain", tmp_path, icarus)


def test_receiver(icarus: str, tmp_path: Path) -> None:
    run_part("receiver", tmp_path, icarus)


def test_gather(icarus: str, tmp_path: Path) -> None:
    run_part("gather", tmp_path, icarus)


def test_result_collector(icarus: str, tmp_path: Path) -> None:
    run_part("result_collector", tmp_path, icarus)


NAMES = ["packer", "pad", "requantizer", "chain", "receiver", "gather", "result_collector"]
NAMES += ["block_reader", "window_counter"]


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_under_verilator(name: str, tmp_path: Path, waves: Waves | None) -> None:
    run_part(name, tmp_path, "verilator", waves)
