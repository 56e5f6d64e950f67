"""Sums of a bank with noise of reads are right to the last bit, and a fault of one is seen."""

from pathlib import Path

import pytest

from hwgen.crossbar.rtl import bank
from hwgen.crossbar.rtl.bank import Bank
from hwgen.errors import SimulationError
from verif.crossbar.bench_noisy_bank import SIZES
from verif.runner import build, run

MODULE = "verif.crossbar.bench_noisy_bank"
FAULTS = {
    "no half": ("+ 32768", "+ 0"),
    "another mean": ("-4 * 255", "-4 * 256"),
    "seven bytes": ("place < 8", "place < 7"),
    "one factor": ("32'h846ca68b", "32'h1"),
    "a gain less": (">>> 16", ">>> 15"),
}


def run_bank(simulator: str, folder: Path) -> None:
    run(build(Bank(sizes=SIZES), simulator=simulator), module=MODULE, folder=folder)


@pytest.mark.promise(
    "the sum of each column of a bank has the noise of its read to the last bit, and the trim of a"
    " converter is measured without it"
)
def test_sums_have_noise(icarus: str, tmp_path: Path) -> None:
    run_bank(icarus, tmp_path)


@pytest.mark.promise("a wrong half, mean, byte, factor or gain of the noise of reads is seen")
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_seen(
    fault: str, icarus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = FAULTS[fault]
    text = bank.NOISE["offsets"]
    assert text.count(old) == 1
    monkeypatch.setitem(bank.NOISE, "offsets", text.replace(old, new))
    with pytest.raises((SimulationError, AssertionError)):
        run_bank(icarus, tmp_path)
