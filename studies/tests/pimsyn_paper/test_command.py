"""`hwgen paper pimsyn-search` refuses what the published search cannot be asked for."""

from pathlib import Path

import pytest

from hwgen.cli import main

SEARCH = ["paper", "pimsyn-search", "alexnet", "--power-w", "12"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--identical", "--method", "code"], "--identical must be used with --method text"),
        (["--objective", "stream"], "--objective must be image"),
    ],
)
def test_refused(
    more: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SEARCH, *more, "--out", str(tmp_path / "out")]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_unknown_method_is_a_mistake_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SEARCH, "--method", "luck"]) == 2
    assert "luck" in capsys.readouterr().err
