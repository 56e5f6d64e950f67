"""Studies are found by entry point; a broken one disturbs no command, a missing one is named."""

import sys
from types import SimpleNamespace

import pytest

from hwgen.cli import main
from hwgen.cli.app import app
from hwgen.commands import studies


def entry(name: str, value: str) -> SimpleNamespace:
    """Return an entry point."""
    return SimpleNamespace(name=name, value=value)


def test_every_study_of_this_project_has_commands_and_reports() -> None:
    names = [study.name for study in studies.studies()]
    assert names == sorted(names) and len(names) >= 5
    assert list(studies.add_commands()) == []
    for study in studies.studies():
        assert f"{study.value}.command" in sys.modules
        assert studies.module_of(study, "report").REPORTS
    assert {"results", "paper_dbpim"} <= set(studies.reports_of_studies())


@pytest.mark.promise(
    "a study that is broken disturbs no command, and commands of studies that are missing say"
    " how to install them"
)
def test_a_broken_study_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [entry("mine", "hwgen_studies.networks"), entry("theirs", "hwgen.nowhere")]
    monkeypatch.setattr(studies, "entry_points", lambda **_: found)
    (sentence,) = studies.add_commands()
    assert sentence.startswith("the study theirs has no commands: it cannot be imported (Module")


@pytest.mark.parametrize("command", studies.OURS)
def test_a_command_of_studies_that_are_missing_says_how_to_install_them(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("registered_commands", "registered_groups"):
        left = [each for each in getattr(app, kind) if each.name != command]
        monkeypatch.setattr(app, kind, left)
    assert main([command, "--help"]) == 2
    said = capsys.readouterr().err
    assert said == f"hwgen: hwgen {command} needs the studies of hwgen: {studies.INSTALL}\n"
