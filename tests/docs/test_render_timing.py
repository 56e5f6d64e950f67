"""The committed timing diagrams are those of their sources."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SOURCES = sorted((DOCS / "timing").glob("*.json"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that renders, as a module."""
    spec = importlib.util.spec_from_file_location("render_timing", DOCS / "render_timing.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.promise("the timing diagrams of the pages are those of their sources")
@pytest.mark.promise("the timing diagrams of the MRAM chip are those of a simulation")
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_picture_is_that_of_its_source(source: Path, script: ModuleType) -> None:
    committed = source.with_suffix(".svg").read_text(encoding="utf-8")
    assert committed == script.rendered(source), "run: python docs/render_timing.py"


def test_every_picture_has_a_source_and_a_page() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    pictures = sorted((DOCS / "timing").glob("*.svg"))
    assert [picture.stem for picture in pictures] == [source.stem for source in SOURCES]
    assert [p.stem for p in pictures if f"timing/{p.name}" not in pages] == []
