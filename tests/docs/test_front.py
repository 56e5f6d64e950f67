"""The picture of the first screen shows what the model says today."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.dear
@pytest.mark.promise(
    "commands of README, tutorials and error catalogue run and print what the page says"
)
def test_the_picture_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("draw_front", DOCS / "draw_front.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    committed = (DOCS / "front.svg").read_text(encoding="utf-8")
    assert committed == module.picture(), "run: python docs/draw_front.py"
