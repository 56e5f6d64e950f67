"""Sums of arrays are exact: sides, cells, DACs, rates and widths of the component tables."""

from pathlib import Path

import pytest

from verif.crossbar.array_case import ArrayCase, settings
from verif.runner import Waves, build, run

BASE = {"weight_bits": 8, "input_bits": 8, "rows": 16, "channels": 5}
CASES = {
    "16-2-2 five lanes": BASE
    | {"side": 16, "cell_bits": 2, "dac_bits": 2, "rows": 40, "tiles": 3, "copies": 2, "adcs": 5},
    "32-1-1 four bits": BASE
    | {"side": 32, "cell_bits": 1, "dac_bits": 1, "weight_bits": 4, "input_bits": 4, "rows": 32},
    "64-4-4 slow": BASE
    | {"side": 64, "cell_bits": 4, "dac_bits": 4, "rows": 70, "tiles": 2, "adcs": 3, "rate": "1/4"},
    "128-2-1 last tile": BASE
    | {"side": 128, "cell_bits": 2, "dac_bits": 1, "rows": 150, "first_tile": 1, "tiles": 2}
    | {"rate": "2", "adcs": 2},
    "128-1-4 uneven": BASE
    | {"side": 128, "cell_bits": 1, "dac_bits": 4, "weight_bits": 5, "input_bits": 7, "rows": 128},
    "256-4-2 sixteen bits": BASE
    | {"side": 256, "cell_bits": 4, "dac_bits": 2, "weight_bits": 16, "input_bits": 16}
    | {"rows": 256, "rate": "4", "adcs": 1, "channels": 3},
    "groups that share a crossbar": BASE
    | {"side": 16, "cell_bits": 2, "dac_bits": 2, "rows": 5, "channels": 4, "groups": 5, "adcs": 7},
    "more lanes than channels": BASE
    | {"side": 16, "cell_bits": 2, "dac_bits": 1, "channels": 2, "copies": 3, "adcs": 9},
    "a step of one bit": BASE
    | {"side": 16, "cell_bits": 1, "dac_bits": 4, "input_bits": 4, "weight_bits": 4, "copies": 2},
}


def run_case(name: str, folder: Path, simulator: str, waves: Waves | None = None) -> None:
    """Run the bench on the array of a case."""
    facts = CASES[name]
    bench = build(ArrayCase(**facts).array(), simulator=simulator, waves=waves)
    run(bench, module="verif.crossbar.bench_array", folder=folder, settings=settings(**facts))


@pytest.mark.long
def test_array_under_verilator(tmp_path: Path, waves: Waves | None) -> None:
    run_case("16-2-2 five lanes", tmp_path, "verilator", waves)


@pytest.mark.dear("a step of one bit")
@pytest.mark.promise(
    "sums of channels are golden's at the extremes of weights and inputs, and no ADC gets more"
    " than its range; with a bit less something is lost, and golden says what"
)
@pytest.mark.parametrize("name", ["more lanes than channels", "a step of one bit"])
def test_array_under_icarus(name: str, icarus: str, tmp_path: Path) -> None:
    run_case(name, tmp_path, icarus)


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_array_of_every_size(name: str, icarus: str, tmp_path: Path) -> None:
    run_case(name, tmp_path, icarus)
