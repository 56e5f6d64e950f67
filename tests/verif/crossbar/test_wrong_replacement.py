"""What is not as its file says fails the bench of the part that holds it, by name."""

from pathlib import Path

import pytest

from hwgen.files.shipped import shipped_folder
from tests.verif.crossbar.test_array import CASES
from tests.verif.crossbar.test_given_arch import run_array, run_small
from verif.runner import REPLACED

BANK = Path(__file__).parents[2] / "arrays/bank.yaml"
SRAM = shipped_folder() / "replacements/sram_256x32.yaml"
ARRAY = CASES["a step of one bit"]
FAULTS = {
    "a pin has the other polarity": ("if (!ask_n)", "if (ask_n)"),
    "sums are a cycle late": ("y[lane*SUM +: SUM] <= total", "y[lane*SUM +: SUM] <= #9.5 total"),
    "the rest of a column is lost": (
        "      place[ccol] <= cunit;",
        "      place[ccol] <= cunit;\n      cells[ccol*PARTS + (cpart + 1) % PARTS] <= 0;",
    ),
}
"""A text of the bank, and what stands there instead."""


def wrong(file: Path, old: str, new: str, folder: Path) -> Path:
    """Return a copy of a replacement in whose Verilog a text is another one."""
    (verilog,) = file.parent.glob(f"{file.stem}.v")
    text = verilog.read_text()
    assert text.count(old) == 1
    (folder / verilog.name).write_text(text.replace(old, new))
    copy = folder / file.name
    copy.write_text(file.read_text())
    return copy


@pytest.mark.promise(
    "a memory that is not what its file says fails the bench of the part that holds it, by name"
)
@pytest.mark.parametrize(
    "fault",
    [
        next(iter(FAULTS)),
        *(pytest.param(name, marks=pytest.mark.long) for name in list(FAULTS)[1:]),
    ],
)
def test_a_wrong_bank_fails_its_bench(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = ARRAY | {"part_bits": 8}
    monkeypatch.setenv(REPLACED, f"bank={wrong(BANK, *FAULTS[fault], tmp_path)}")
    with pytest.raises(AssertionError, match="bench_array failed"):
        run_array(sizes, tmp_path)


@pytest.mark.dear
def test_the_right_bank_passes_its_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REPLACED, f"bank={BANK}")
    run_array(ARRAY | {"part_bits": 8}, tmp_path)


@pytest.mark.long
def test_a_wrong_memory_fails_the_bench_of_the_scratchpad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = wrong(SRAM, "if (wmask0[0])", "if (!wmask0[0])", tmp_path)
    monkeypatch.setenv(REPLACED, f"pad_memory={file}")
    with pytest.raises(AssertionError, match="bench_pad failed"):
        run_small("pad", {}, tmp_path)


@pytest.mark.long
def test_the_right_memory_passes_the_bench_of_the_scratchpad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REPLACED, "pad_memory=sram_256x32")
    run_small("pad", {}, tmp_path)
