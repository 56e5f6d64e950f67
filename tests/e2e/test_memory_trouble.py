"""`hwgen run` with a memory that stalls, and with one that answers with an error."""

import json
import re
from pathlib import Path

import pytest

from hwgen.chip.sim.cache import ENVIRONMENT, build_root
from hwgen.cli import main

CONFIGS = Path(__file__).parents[2] / "configs"
RUN = ["run", CONFIGS / "networks/digits_small_cnn.npz", CONFIGS / "dbpim/tiny.yaml"]
MRAM = ["run", CONFIGS / "networks/cadnn_digits.npz", CONFIGS / "mram/small.yaml"]


@pytest.fixture(autouse=True)
def shared_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(build_root()))


@pytest.mark.promise(
    "a memory that stalls changes cycles and no value; a table says how many, and all but"
    " cycles is compared"
)
@pytest.mark.parametrize(
    "run", [pytest.param(RUN, id="dbpim"), pytest.param(MRAM, id="mram", marks=pytest.mark.long)]
)
def test_stalls_change_cycles_and_no_value(run: list[object], tmp_path: Path) -> None:
    """With this seed every channel stalls, the response of the first answer among them."""
    given = [*run, "--images", 2, "--stalls", 60, "--stall-seed", 1, "--work", tmp_path]
    assert main([str(each) for each in [*given, "--json", tmp_path / "report.json"]]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["equal"], report["in_time"], report["mismatches"]) == (True, None, 0)
    assert (report["memory"]["stall_percent"], report["memory"]["stall_seed"]) == (60, 1)
    assert report["memory"]["more_cycles"] == report["cycles_rtl"] - report["cycles_model"] > 0


@pytest.mark.promise("an error of the bus ends a run in one sentence with the chip's error")
def test_an_error_of_the_bus_is_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = [*RUN, "--bus-error", "0x1003", "--work", tmp_path]
    assert main([str(each) for each in given]) == 2
    assert capfd.readouterr().err.splitlines()[-1] == (
        "hwgen: the chip stopped with the error READ_ERROR (image 0)"
    )


@pytest.mark.promise(
    "an error of the bus where nothing is read or written is refused with the range that is"
)
@pytest.mark.parametrize("address", ["0", "7fff0000", "ffffffffffffffff"])
def test_an_error_that_no_beat_meets_is_refused(
    address: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = [*RUN, "--bus-error", address, "--work", tmp_path, "--json", tmp_path / "run.json"]
    assert main([str(each) for each in given]) == 2
    assert re.fullmatch(
        r"hwgen: --bus-error must be a byte that the chip reads or writes, of 0x1000 to"
        rf" 0x[0-9a-f]+, got {int(address, 16):#x}",
        capfd.readouterr().err.splitlines()[-1],
    )
    assert not (tmp_path / "run.json").exists()
