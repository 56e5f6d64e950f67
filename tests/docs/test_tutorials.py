"""Every command of README and tutorials runs and prints what the page says."""

from pathlib import Path

import pytest

from hwgen.cli import main
from tests.docs.console import ANY, PAGES, Command, commands_of, difference, refreshed, run


@pytest.mark.dear("explore")
@pytest.mark.promise(
    "commands of README, tutorials and error catalogue run and print what the page says"
)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_prints_what_it_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hwgen.dbpim.model.must_compile", lambda: False)
    monkeypatch.setattr("hwgen.mram.model.must_compile", lambda: False)

    def hwgen(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        return code, *capfd.readouterr()

    commands = [each for each in commands_of(PAGES[name]) if each.is_run]
    assert commands
    for each in commands:
        wrong = difference(each.printed, run(each.line, hwgen, tmp_path))
        assert wrong is None, (
            f"{name}: `{each.line}` must print {wrong}; python -m tests.docs.console"
        )


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        (["a"], ["a"], True),
        (["a"], ["b"], False),
        (["a"], ["a", "b"], False),
        ([], ["a"], False),
        (["a", ANY], ["a", "b", "c"], True),
        ([ANY, "c"], ["a", "b", "c"], True),
        ([ANY, "c"], ["a", "b"], False),
        (["a", ANY, "c", "d"], ["a", "b", "c", "e"], False),
        ([ANY, "b"], ["b", "c"], False),
    ],
)
def test_a_difference_is_found(expected: list[str], found: list[str], same: bool) -> None:
    assert (difference(expected, found) is None) == same


def test_commands_and_outputs_are_told_apart(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("x\n```console\n$ a b\nout\n$ c\n```\n```\n$ no\n```\n", encoding="ascii")
    assert list(commands_of(page)) == [Command("a b", ["out"]), Command("c", [])]


def test_numbers_are_refreshed_and_words_are_not() -> None:
    page = ["chip small, 95909efb6ee319ee", ANY, "all 6,764 equal", "gone"]
    found = ["chip small, 1234567890abcdef", "conv 12 equal", "all   11,101 equal"]
    assert refreshed(page, found) == [found[0], ANY, found[2], "gone"]
