"""The example of the page runs and prints what the page says; the page names every step."""

import inspect
import re
from pathlib import Path

import pytest

from hwgen import api

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
CODE, PRINTED = re.findall(r"^```(?:python)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `(\w+)\((.*?)\)` \|.*?\| (?:`(\w+)`|\w+) \|", re.MULTILINE)


@pytest.mark.promise(
    "the page of the API names every function with what it needs and returns, and its example"
    " prints what it says"
)
def test_the_example_prints_what_the_page_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(CODE, "docs/api.md", "exec"), {})
    assert capsys.readouterr() == (PRINTED, "")


def test_the_page_names_every_step_with_what_it_needs_and_returns() -> None:
    rows = {name: (given, returned) for name, given, returned in ROW.findall(PAGE)}
    steps = [getattr(api, name) for name in api.__all__]
    assert set(rows) == {step.__name__ for step in steps if inspect.isfunction(step)}
    for name, (given, returned) in rows.items():
        signature = inspect.signature(getattr(api, name))
        needed = [
            "chip" if each.name == "architecture" else each.name
            for each in signature.parameters.values()
            if each.default is each.empty
        ]
        assert [each for each in given.split(", ") if each] == needed
        kind = signature.return_annotation
        # A network has its own report, and a plan another.
        assert not returned or returned == getattr(kind, "__args__", (kind,))[0].__name__
