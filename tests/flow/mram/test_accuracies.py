"""Accuracies of trainings stand in the rows of the tables that they belong to, and no other."""

from pathlib import Path

import pytest

from hwgen.errors import FormatError
from hwgen.flow.mram.accuracies import (
    NOT_MEASURED,
    accuracy_rows,
    eight_bits,
    load_trainings,
    training_of,
)
from hwgen.report.paper import PaperRow
from hwgen.spec.mram.published import TABLE_IV
from tests.flow.mram.trainings import training_report

BASE = {"model": None}
"""The teacher is the network itself."""


def known(rows: list[PaperRow]) -> dict[tuple[str, str], float]:
    """Return our figures by table and what."""
    return {(row.figure, row.what): row.ours for row in rows if row.ours is not None}


def test_without_trainings_every_row_says_why() -> None:
    rows = list(accuracy_rows([]))
    assert [row.published for row in rows][:4] == [89.8, 88.4, 85.6, 79.5]
    assert len(rows) == 16 + 12 + 12 + len(TABLE_IV)
    assert not known(rows)
    assert {row.reason for row in rows if row.figure == "Table I"} == {NOT_MEASURED}
    assert all("ImageNet" in row.reason for row in rows if row.figure == "Table II")


def test_a_training_with_8_bits_fills_two_tables(tmp_path: Path) -> None:
    trainings = load_trainings([training_report(tmp_path / "t.json", teacher=BASE)])
    found = known(list(accuracy_rows(trainings)))
    assert len(found) == 12
    assert found["Table I", "accuracy, CA-DNN, full precision, 1.0x"] == pytest.approx(90)
    assert found["Table I", "accuracy, CA-DNN, 8-bit, 0.5x"] == pytest.approx(87.5)
    assert found["Table III", "accuracy, teacher ResNet20, 0.25x"] == pytest.approx(87)
    assert eight_bits(trainings)[32, "0.75x"] == pytest.approx(89)
    assert eight_bits(trainings)[8, "0.75x"] == pytest.approx(88.5)


def test_bits_teacher_and_widths_decide_the_rows(tmp_path: Path) -> None:
    plain = training_report(tmp_path / "plain.json", teacher=None, first=0.8)
    wide = training_report(tmp_path / "wide.json", teacher={"model": "resnet44"}, weight_bits=16)
    many = training_report(tmp_path / "many.json", teacher=BASE, widths=tuple(TABLE_IV))
    found = known(list(accuracy_rows(load_trainings([plain, wide, many]))))
    assert found["Table I", "accuracy, S-NN, full precision, 1.0x"] == pytest.approx(80)
    assert found["Table III", "accuracy, teacher ResNet44, 1.0x"] == pytest.approx(90)
    assert found["Table IV", "accuracy, eight widths, 0.25x"] == pytest.approx(83)
    assert len(found) == 4 + 4 + 8
    sixteen = training_report(tmp_path / "sixteen.json", teacher=BASE, weight_bits=16)
    found = known(list(accuracy_rows(load_trainings([sixteen]))))
    assert found["Table I", "accuracy, CA-DNN, 16-bit, 0.25x"] == pytest.approx(86.5)
    assert not any("8-bit" in what for _, what in found)
    assert (8, "1.0x") not in eight_bits(load_trainings([sixteen]))


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": "individual"},
        {"selection": {"kind": "norm"}},
        {"dataset": "cifar100"},
        {"model": "resnet32"},
    ],
)
def test_other_trainings_are_in_no_table(tmp_path: Path, changes: dict[str, object]) -> None:
    path = training_report(tmp_path / "t.json", teacher=BASE, **changes)
    rows = list(accuracy_rows(load_trainings([path])))
    assert not [row for row in rows if row.figure.startswith("Table") and row.ours is not None]
    assert not eight_bits(load_trainings([path]))
    ours = [row for row in rows if row.figure.endswith("ours")]
    assert len(ours) == (0 if "weights" in changes or "selection" in changes else 4)
    assert all(row.published is None for row in ours)


def test_the_reason_says_what_was_trained(tmp_path: Path) -> None:
    training = training_of(training_report(tmp_path / "t.json", teacher=BASE))
    assert "recipe tried: 3 epochs in all, seed 7" in training.words
    assert training.teacher == "resnet20"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "x", "version": 1}'])
def test_another_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=r"must be a report of the format hwgen\.adaptive_tr"):
        training_of(path)
    with pytest.raises(FormatError, match="No such file"):
        training_of(tmp_path / "none.json")
