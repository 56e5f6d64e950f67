"""Studies are found by entry point; one of another package that is broken disturbs no command."""

import sys
from types import SimpleNamespace

import pytest

from hwgen.commands import studies


def entry(name: str, value: str, package: str = "hwgen") -> SimpleNamespace:
    """Return an entry point of a package."""
    return SimpleNamespace(name=name, value=value, dist=SimpleNamespace(name=package))


def test_every_study_of_this_project_has_commands_and_reports() -> None:
    names = [study.name for study in studies.studies()]
    assert names == sorted(names) and len(names) >= 7
    assert list(studies.add_commands()) == []
    for study in studies.studies():
        assert f"{study.value}.command" in sys.modules
        assert studies.module_of(study, "report").REPORTS
    assert {"demo", "results", "paper_dbpim"} <= set(studies.reports_of_studies())


def test_a_study_of_another_package_that_is_broken_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [entry("mine", "hwgen.studies.demo"), entry("theirs", "hwgen.nowhere", "other")]
    monkeypatch.setattr(studies, "entry_points", lambda **_: found)
    (sentence,) = studies.add_commands()
    assert sentence.startswith("the study theirs has no commands: it cannot be imported (Module")
    assert "theirs" not in studies.reports_of_studies()


def test_a_broken_study_of_this_project_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "entry_points", lambda **_: [entry("mine", "hwgen.nowhere")])
    with pytest.raises(ModuleNotFoundError):
        list(studies.add_commands())
