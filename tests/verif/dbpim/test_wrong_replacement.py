"""A memory that is not what its file says fails the bench of the part that holds it, by name."""

from pathlib import Path

import pytest

from hwgen.files.shipped import shipped_folder
from verif.dbpim.component import small
from verif.dbpim.feed_sizes import run_feed_bench
from verif.runner import REPLACED

SRAM = shipped_folder() / "replacements/sram_256x32.yaml"
FAULTS = {
    "the mask is inverted": ("if (wmask0[0])", "if (!wmask0[0])"),
    "a read is a cycle late": ("csb1_taken <= csb1;", "csb1_taken <= #9.5 csb1;"),
    "the rest of a word is lost": ("words[addr0][7:0] <= din0[7:0]", "words[addr0] <= din0[7:0]"),
}


@pytest.mark.dear
@pytest.mark.promise(
    "a memory that is not what its file says fails the bench of the part that holds it, by name"
)
@pytest.mark.parametrize(
    "fault",
    [
        *(pytest.param(name, marks=pytest.mark.long) for name in list(FAULTS)[1:]),
        next(iter(FAULTS)),
    ],
)
def test_a_wrong_memory_fails_its_bench(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = FAULTS[fault]
    text = SRAM.with_suffix(".v").read_text()
    assert text.count(old) == 1
    (tmp_path / "mine.yaml").write_text(SRAM.read_text())
    (tmp_path / "sram_256x32.v").write_text(text.replace(old, new))
    monkeypatch.setenv(REPLACED, f"activation_bank={tmp_path}/mine.yaml")
    with pytest.raises(AssertionError, match="bench_activation_buffer failed"):
        run_feed_bench("activation_buffer", small(), tmp_path)


@pytest.mark.dear
def test_the_right_memory_passes_its_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REPLACED, "activation_bank=sram_256x32")
    run_feed_bench("activation_buffer", small(), tmp_path)
