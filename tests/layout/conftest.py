"""Layouts that several tests look at."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from hwgen import api
from hwgen.report.layout import LayoutReport

if not all(find_spec(each) for each in ("klayout", "microlane", "coloquinte")):
    collect_ignore = ["test_checks.py", "test_layout.py"]

Made = tuple[Path, LayoutReport]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The multiplier of a compartment as a layout."""
    folder = tmp_path_factory.mktemp("layout") / "dbmu"
    return folder, api.layout("dbpim/tiny", out=folder, module="dbpim_dbmu")
