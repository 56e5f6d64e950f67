"""Addresses of the project: in the metadata of a wheel, in CITATION.cff, in the BibTeX entry."""

import re
from pathlib import Path

import pytest
import yaml

from hwgen import __version__
from scripts.hatch_urls import PLACES, Urls

ROOT = Path(__file__).parents[1]
HOME = "https://host.example/group/hwgen"


def urls() -> dict[str, str]:
    """Return what the hook writes."""
    metadata: dict[str, dict[str, str]] = {}
    Urls(str(ROOT), {}).update(metadata)
    return metadata["urls"]


@pytest.mark.promise("a publisher gives the address of the project by one variable, HWGEN_HOME")
def test_addresses_begin_with_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HWGEN_HOME", raising=False)
    assert urls() == {}
    monkeypatch.setenv("HWGEN_HOME", f"{HOME}/")
    assert urls()["Homepage"] == HOME and urls()["Issues"] == f"{HOME}/issues"
    files = [place.removeprefix("/blob/main/") for place in PLACES.values() if "blob" in place]
    assert files and all((ROOT / file).is_file() for file in files)


def test_the_entry_for_bibtex_is_that_of_the_citation() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    page = (ROOT / "docs/howto/cite.md").read_text(encoding="utf-8")
    fields = dict(re.findall(r"^  (\w+) = \{+(.*?)\}+,?$", page, re.MULTILINE))
    assert fields["title"] == citation["title"]
    assert fields["version"] == citation["version"] == __version__
    assert fields["author"] == citation["authors"][0]["name"]
