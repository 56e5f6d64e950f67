"""A simulation that takes long says how long, by the speed of the runs before it."""

from pathlib import Path

import pytest

from hwgen.commands import speed


def test_a_short_one_says_nothing() -> None:
    assert speed.forecast("small", 99_000, 20_000.0) is None


@pytest.mark.promise(
    "a run verifies where Verilator is, says how long a long simulation takes, and predicts"
    " elsewhere"
)
def test_a_long_one_says_how_long() -> None:
    told = speed.forecast("small", 1_000_000, 20_000.0)
    assert told == "simulating 1,000,000 cycles of small: about 50 s at 20,000 cycles a second"
    assert "about 8 minutes" in str(speed.forecast("paper", 5_000_000, 10_000.0))


def test_the_speed_of_a_run_is_remembered(tmp_path: Path) -> None:
    assert speed.cycles_per_second(tmp_path, "aa") == speed.USUAL
    speed.remember(tmp_path, "aa", cycles=90_000, seconds=3.0)
    speed.remember(tmp_path, "bb", cycles=50_000, seconds=5.0)
    assert speed.cycles_per_second(tmp_path, "aa") == 30_000
    assert speed.cycles_per_second(tmp_path, "bb") == 10_000


def test_a_moment_measures_no_speed(tmp_path: Path) -> None:
    speed.remember(tmp_path, "aa", cycles=5, seconds=0.4)
    speed.remember(tmp_path, "aa", cycles=0, seconds=4.0)
    assert speed.cycles_per_second(tmp_path, "aa") == speed.USUAL


def test_a_damaged_file_is_no_error(tmp_path: Path) -> None:
    for text in ("", "[]", '{"aa": "fast"}', '{"aa": -1}', "null"):
        (tmp_path / speed.FILE).write_text(text, encoding="ascii")
        assert speed.cycles_per_second(tmp_path, "aa") == speed.USUAL
    speed.remember(tmp_path, "aa", cycles=90_000, seconds=3.0)
    assert speed.cycles_per_second(tmp_path, "aa") == 30_000


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    speed.remember(tmp_path / "file" / "sim", "aa", cycles=90_000, seconds=3.0)
