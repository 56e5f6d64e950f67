"""Tables say how right a network is and how long it was really trained."""

import json
from pathlib import Path
from typing import Any

import pytest

from hwgen.report.training_record import training_state
from hwgen.report.training_table import main

ABOUT: dict[str, Any] = {
    "format": "hwgen.training",
    "version": 2,
    "accuracy": {"float": 0.9173, "pruned": 0.28, "integer": 0.905},
    "test_images": 10000,
    "start_sha256": None,
    "recipe": {"name": "tiny", "pruning": {"share": 0.5}, "epoch_batches": None},
    "history": [{"phase": "pruned"}, {"phase": "quantized"}, {"phase": "quantized"}],
}


@pytest.mark.promise("training.json and the table of networks say how long each phase really was")
def test_a_row_for_each_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.json").write_text(json.dumps(ABOUT))
    recipe = {"name": "old", "pruning": {"share": 0.0}}
    old = ABOUT | {"version": 1, "start_sha256": "12", "recipe": recipe, "history": []}
    (tmp_path / "old.json").write_text(json.dumps(old))
    assert main([str(tmp_path / name) for name in ("new.json", "old.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[2] == (
        "| tiny | 50% | 91.73% | 28.00% | 90.50% | 10000 | random weights "
        "| float 0, pruned 1, quantized 2 epochs |"
    )
    assert lines[3].startswith("| old | 0% |")
    assert lines[3].endswith("| float checkpoint | float 0, pruned 0, quantized 0 epochs |")


def test_short_epochs_say_so() -> None:
    short = ABOUT | {"recipe": ABOUT["recipe"] | {"epoch_batches": 40}}
    assert training_state(short).endswith("quantized 2 epochs of at most 40 batches")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "the report must be readable JSON, got [Errno 2] No such file"),
        ("{", "the report must be readable JSON, got Expecting"),
        ("[]", "the report must be hwgen.training of version 1 or 2, got None"),
        ('{"format": "hwgen.training", "version": 3}', "got ('hwgen.training', 3)"),
    ],
)
def test_mistakes_are_one_sentence(
    content: str | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "training.json"
    if content is not None:
        path.write_text(content)
    assert main([str(path)]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1
