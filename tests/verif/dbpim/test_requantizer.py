"""The requantizer against golden and against vectors worked by hand."""

from pathlib import Path

from hwgen.dbpim.rtl.requantizer import Requantizer
from verif.runner import Waves, build, run


def run_requantizer(simulator: str, folder: Path, waves: Waves | None) -> None:
    bench = build(Requantizer(), simulator=simulator, waves=waves)
    run(bench, module="verif.dbpim.bench_requantizer", folder=folder)


def test_requantizer(tmp_path: Path, waves: Waves | None) -> None:
    run_requantizer("verilator", tmp_path, waves)


def test_requantizer_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_requantizer(icarus, tmp_path, waves)
