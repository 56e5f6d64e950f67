"""The site builds without a warning, dead links included, and holds every page and command."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen import api, errors
from hwgen.errors import HwgenError

ROOT = Path(__file__).parents[2]
PATHS = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": os.pathsep.join(PATHS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.mark.dear
@pytest.mark.promise("the site has every page, and builds without a warning")
def test_every_page_is_on_it(site: Path) -> None:
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    pages = {page for page in pages if not page.startswith("changes/")}
    built = {str(page.relative_to(site)) for page in site.rglob("*.html")}
    assert {page.replace(".md", ".html") for page in pages} <= built
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    assert {page for page in pages if page not in nav} == set()


@pytest.mark.dear
def test_no_table_stands_in_a_paragraph(site: Path) -> None:
    """As one does without an empty line before it."""
    for page in site.rglob("*.html"):
        text = re.sub(r"<pre.*?</pre>", "", page.read_text(encoding="utf-8"), flags=re.S)
        assert not re.search(r"^(?:<p>)?\| .* \|", text, re.M), page.name


def test_four_kinds_of_pages() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]
    kinds = re.findall(r"^  - ([\w-]+(?: guides)?):$", nav, re.MULTILINE)
    assert kinds[:4] == ["Tutorials", "How-to guides", "Reference", "Explanation"]


def test_commands_and_functions_are_on_it(site: Path) -> None:
    commands = (site / "reference/command-line.html").read_text(encoding="utf-8")
    for word in ("synthesize", "--speedup", "-o", "hwgen import network.tflite"):
        assert word in commands
    functions = (site / "reference/python.html").read_text(encoding="utf-8")
    assert all(re.search(rf'id="[\w.]+\.{name}"', functions) for name in api.__all__)
    assert "Predict the exact number of cycles" in functions
    assert not re.search(r'id="[\w.]+\.__\w+__"', functions), "dunders"


@pytest.mark.dear
@pytest.mark.promise("on the site an identifier is never broken inside, and a wide table scrolls")
def test_tables_scroll_and_identifiers_stay_whole(site: Path) -> None:
    style = (site / "site.css").read_text(encoding="utf-8")
    assert "white-space: nowrap" in style and "overflow-x: auto" in style
    assert 'href="../site.css"' in (site / "howto/energy.html").read_text(encoding="utf-8")


def test_what_no_clone_holds_is_on_it(site: Path) -> None:
    promises = (site / "reference/promises.html").read_text(encoding="utf-8")
    assert "every relative link of a page leads to a file of the clone" in promises
    assert "requantizer_float32" in (site / "reference/proofs.html").read_text(encoding="utf-8")
    schemas = [json.loads(file.read_bytes()) for file in (site / "schema").glob("*.schema.json")]
    assert len(schemas) > 20 and all("$schema" in schema for schema in schemas)


def test_notebooks_are_on_it_with_what_they_draw(site: Path) -> None:
    page = (site / "notebooks/your-network.html").read_text(encoding="utf-8")
    assert "0 elements differ from golden" in page and "your-network-1.png" in page
    assert (site / "notebooks/your-network-1.png").is_file()


def test_the_catalogue_has_every_kind_of_error() -> None:
    kinds = {
        name
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, HwgenError) and each is not HwgenError
    }
    page = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == kinds


def test_no_page_loads_anything_from_a_server(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    loaded = re.findall(r'(?:src|href)="(https?://[^"]+\.(?:js|css|woff2?)[^"]*)"', page)
    assert loaded == []


def test_search_needs_no_server(site: Path) -> None:
    """Opened from a disk, a page has the index as a script, and what stands for a worker."""
    text = (site / "search/search_index.js").read_text(encoding="utf-8")
    assert text.startswith("var __index = {") and "adder tree" in text
    page = (site / "howto/energy.html").read_text(encoding="utf-8")
    assert 'src="../iframe-worker.js"' in page and (site / "iframe-worker.js").is_file()
