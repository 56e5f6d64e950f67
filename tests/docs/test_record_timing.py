"""The committed timing diagrams of the MRAM chip are those that its simulation shows."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.long
def test_diagrams_are_those_of_the_simulation() -> None:
    spec = importlib.util.spec_from_file_location("record_timing", DOCS / "record_timing.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, text in module.recorded().items():
        committed = (DOCS / "timing" / f"{name}.json").read_text(encoding="utf-8")
        assert committed == text, "run: python docs/record_timing.py"
