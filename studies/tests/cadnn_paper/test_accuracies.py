"""Accuracies of trainings stand in the rows of the tables that they belong to, and no other."""

from pathlib import Path
from typing import Any

import pytest
from hwgen_studies.cadnn_paper.accuracies import (
    NOT_MEASURED,
    accuracy_rows,
    eight_bits,
    load_trainings,
    training_of,
)
from hwgen_studies.cadnn_paper.published import TABLE_IV
from hwgen_studies.comparison import PaperRow

from hwgen.errors import FormatError
from studies.tests.cadnn_paper.trainings import training_row, training_table
from tests.cli.given import ROOT


def rows_of(*rows: dict[str, Any]) -> list[PaperRow]:
    """Return the rows of the comparison for some trainings."""
    return list(accuracy_rows([training_of(row) for row in rows]))


def known(rows: list[PaperRow]) -> dict[tuple[str, str], float]:
    """Return our accuracies by table and what; Table II's parameters are counted without any."""
    return {
        (row.figure, row.what): row.ours
        for row in rows
        if row.ours is not None and not row.what.startswith("parameters")
    }


@pytest.mark.promise(
    "every figure that the paper prints has a row with ours or the reason why there is none"
)
def test_without_trainings_every_row_says_why() -> None:
    rows = rows_of()
    assert [row.published for row in rows][:4] == [89.8, 88.4, 85.6, 79.5]
    assert len(rows) == 16 + 12 + (12 + 4) + len(TABLE_IV)
    assert not known(rows)
    reasons = [row.reason for row in rows if row.figure in ("Table I", "Table III", "Table IV")]
    assert all(reason.startswith(f"{NOT_MEASURED}; `hwgen train ") for reason in reasons)
    named = {reason.split("`")[1].removeprefix("hwgen train ") for reason in reasons}
    assert len(named) == 6 and all((ROOT / recipe).is_file() for recipe in named)
    table = [row for row in rows if row.figure == "Table II"]
    assert sum("ImageNet" in row.reason for row in table) == 12
    counted = [row.ours for row in table if row.what.startswith("parameters")]
    assert counted == pytest.approx([25.56, 14.77, 6.92, 1.99], abs=0.01)


@pytest.mark.promise("accuracies of a table of trainings stand where they belong, and nowhere else")
def test_a_training_with_8_bits_fills_two_tables() -> None:
    found = known(rows_of(training_row()))
    assert len(found) == 12
    assert found["Table I", "accuracy, CA-DNN, full precision, 1.0x"] == pytest.approx(90)
    assert found["Table I", "accuracy, CA-DNN, 8-bit, 0.5x"] == pytest.approx(87.5)
    assert found["Table III", "accuracy, teacher ResNet20, 0.25x"] == pytest.approx(87)
    accuracies = eight_bits([training_of(training_row())])
    assert accuracies[32, "0.75x"] == pytest.approx(89)
    assert accuracies[8, "0.75x"] == pytest.approx(88.5)


def test_method_bits_teacher_and_widths_decide_the_rows() -> None:
    plain = training_row(method="S-NN", teacher=None, first=0.8)
    wide = training_row(teacher="resnet44", weights_bits=16)
    many = training_row(widths=tuple(TABLE_IV))
    found = known(rows_of(plain, wide, many))
    assert found["Table I", "accuracy, S-NN, full precision, 1.0x"] == pytest.approx(80)
    assert found["Table III", "accuracy, teacher ResNet44, 1.0x"] == pytest.approx(90)
    assert found["Table IV", "accuracy, eight widths, 0.25x"] == pytest.approx(83)
    assert len(found) == 4 + 4 + 8
    sixteen = training_row(weights_bits=16)
    found = known(rows_of(sixteen))
    assert found["Table I", "accuracy, CA-DNN, 16-bit, 0.25x"] == pytest.approx(86.5)
    assert not any("8-bit" in what for _, what in found)
    assert (8, "1.0x") not in eight_bits([training_of(sixteen)])


def test_only_trainings_of_as_many_passes_stand_side_by_side() -> None:
    ours = training_row(passes={"float": 12.0, "quantized": 1.0})
    short, whole = (
        training_row(method="S-NN", teacher=None, first=first, epochs=13, passes={"float": passes})
        for first, passes in ((0.8, 1.5), (0.7, 13.0))
    )
    name = "Table I", "accuracy, S-NN, full precision, 1.0x"
    assert name not in known(rows_of(short, ours))
    assert known(rows_of(short, ours, whole))[name] == pytest.approx(70)


@pytest.mark.parametrize(
    ("changes", "others"),
    [
        ({"method": "I-NN"}, 0),
        ({"selection": "single path by macs"}, 0),
        ({"dataset": "digits"}, 4),
        ({"network": "resnet32"}, 4),
    ],
)
def test_other_trainings_are_in_no_table(changes: dict[str, Any], others: int) -> None:
    rows = rows_of(training_row(**changes))
    assert not [key for key in known(rows) if key[0].startswith("Table")]
    assert not eight_bits([training_of(training_row(**changes))])
    ours = [row for row in rows if row.figure.endswith("ours")]
    assert len(ours) == others
    assert all(row.published is None for row in ours)


def test_the_reason_says_what_was_trained(tmp_path: Path) -> None:
    table = training_table(tmp_path / "t.json", training_row(state="2 of 9 epochs"))
    (training,) = load_trainings([table])
    assert "recipe tried: 3 epochs in all, 2 of 9 epochs, seed 7" in training.words
    assert training.teacher == "resnet20"
    assert training_of(training_row(teacher=None)).teacher is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "x", "version": 1}'])
def test_another_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=r"must be a table of the format hwgen\.results\.tr"):
        load_trainings([path])
    with pytest.raises(FormatError, match="No such file"):
        load_trainings([tmp_path / "none.json"])


def test_a_training_that_was_not_judged_in_float_counts_in_integers_alone() -> None:
    row = training_row(test_images=1000)
    for width in row["widths"]:
        width["accuracy_float"] = None
    found = list(accuracy_rows([training_of(row)]))
    (floats,) = (each for each in found if each.what.endswith("CA-DNN, full precision, 1.0x"))
    (integers,) = (each for each in found if each.what.endswith("CA-DNN, 8-bit, 1.0x"))
    assert floats.ours is None
    assert integers.ours == pytest.approx(89.5)
    assert "1,000 test images" in integers.reason
