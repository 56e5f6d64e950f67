"""Pages are found by what a family offers, whichever family that is."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hwgen.commands import families, synthesis
from hwgen.errors import FamilyError, FormatError


def offering(*modules: Any) -> Any:
    """Return what finds families, each of which offers one of these modules."""
    found = [SimpleNamespace(need=lambda _, module=module: module) for module in modules]
    return lambda _: found


A, B = (SimpleNamespace(COMPONENTS_FORMAT=f"hwgen.{name}.components") for name in "ab")


@pytest.mark.promise("a family of another installed package is found by the same commands")
def test_a_table_of_components_says_which_synthesis(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(synthesis, "offering", offering(A, B))
    table = tmp_path / "components.yaml"
    table.write_text("format: hwgen.b.components\n", encoding="utf-8")
    assert synthesis.synthesis_for(table) is B
    table.write_text("format: hwgen.c.components\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"hwgen\.a\.components or hwgen\.b\.components, got"):
        synthesis.synthesis_for(table)
    with pytest.raises(FamilyError, match=r"--components must be a table of .*, got nothing"):
        synthesis.synthesis_for(None)


def test_a_single_synthesis_needs_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "offering", offering(A))
    assert synthesis.synthesis_for(None) is A


def test_without_a_family_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "offering", offering())
    with pytest.raises(FamilyError, match="can be synthesized"):
        synthesis.synthesis_for(None)
    monkeypatch.setattr(families, "offering", offering())
    with pytest.raises(FamilyError, match="reads networks without weights"):
        families.graphs()
