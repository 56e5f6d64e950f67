"""Lines are counted without what is no code, and growth beyond the price is said."""

import json
import subprocess
from pathlib import Path

from tests.lines.run import LINES, MOST_GROWTH, counted, growth, lines_of, main, new_changes, unpaid

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


def test_growth_beyond_the_price_is_said() -> None:
    before = {"hwgen/chip": 100, "tests": 10}
    little = {"hwgen/chip": 100 + MOST_GROWTH, "tests": 9000}
    assert growth(before, little)[0].split() == ["hwgen/chip", "100", "400", "+300"]
    assert unpaid(before, little, "") == []
    much = {"hwgen/chip": 100, "hwgen/new": MOST_GROWTH + 1}
    assert growth(before, much)[-1].split() == ["product", "100", "401", "+301"]
    (sentence,) = unpaid(before, much, "+- `hwgen/chip` does more")
    assert sentence.startswith("hwgen/new grew by 301 lines: a line of CHANGELOG.md must name")
    assert unpaid(before, much, "+- `hwgen/new` reads files of another tool") == []


def test_lines_of_the_changelog_since_the_last_count(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/lines.json").write_text("{}", encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text("- `hwgen/old`\n", encoding="utf-8")
    git("init")
    git("add", ".")
    git("commit", "-m", "counted")
    with (tmp_path / "CHANGELOG.md").open("a", encoding="utf-8") as file:
        file.write("- `hwgen/new`\n")
    assert new_changes(tmp_path) == "+++ b/CHANGELOG.md\n+- `hwgen/new`"


def test_every_package_has_its_price(capsys) -> None:  # type: ignore[no-untyped-def]
    written = json.loads(LINES.read_text(encoding="utf-8"))
    assert written.keys() == counted().keys()
    main([])
    assert "product" in capsys.readouterr().out
