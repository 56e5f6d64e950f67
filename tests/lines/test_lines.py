"""Lines are counted without what is no code, beside those of a commit, moves apart."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.lines.run import by_package, files_now, files_of, lines_of, main, moved, rows

TEXT = '''"""A module,
of two lines."""

# A comment.
import sys


def one() -> str:
    """A docstring."""
    return """no
    docstring"""  # code
'''


def test_docstrings_comments_and_blanks_are_no_code() -> None:
    assert lines_of(TEXT) == 4


@pytest.mark.promise("lines of code stand beside those of a commit, and moved lines apart")
def test_what_grew_and_what_moved(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    for package in ("golden", "verif", "hwgen/chip"):
        (tmp_path / package).mkdir(parents=True)
    (tmp_path / "golden/a.py").write_text(TEXT)
    (tmp_path / "hwgen/chip/b.py").write_text("B = 1\n")
    git("init")
    git("add", ".")
    git("commit", "-m", "before")
    git("mv", "golden/a.py", "verif/a.py")
    (tmp_path / "hwgen/chip/b.py").write_text("B = 1\nC = 2\n")
    now = files_now(tmp_path)
    moves = moved("HEAD", now, tmp_path)
    found = rows(by_package(files_of("HEAD", tmp_path)), by_package(now), moves)
    assert [line.split() for line in found] == [
        ["golden", "4", "0", "-4", "-4"],
        ["hwgen/chip", "1", "2", "+1", "+0"],
        ["verif", "0", "4", "+4", "+4"],
        ["product", "5", "2", "-3", "-4"],
    ]


@pytest.mark.dear
def test_packages_of_this_clone(capsys: pytest.CaptureFixture[str]) -> None:
    main(["HEAD"])
    assert "\nproduct " in capsys.readouterr().out
    assert by_package(files_now()).keys() >= {"golden", "hwgen/chip", "verif", "tests"}
    assert rows(Counter(), Counter(), Counter())[-1].split() == ["product", "0", "0", "+0", "+0"]
