"""Modes on the command line: one for all images, or a schedule over a stream of them."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.given import ARCH, NETWORK, ROOT, Command

ADAPTIVE, SMALL = ROOT / "configs/networks/cadnn_digits.npz", ROOT / "configs/mram/small.yaml"


@pytest.fixture(autouse=True)
def no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hwgen.mram.model.must_compile", lambda: False)


@pytest.mark.promise(
    "a stream of images runs under a schedule of modes, each image in its mode, with a row for"
    " each; modes that are not there are one sentence"
)
def test_a_schedule_shows_each_switch(report: Any) -> None:
    content, out = report(
        "run", ADAPTIVE, SMALL, "--modes", "1.0x, 0.25x,1.0x", "--engine", "model"
    )
    rows = content["images"]
    assert [row["mode"] for row in rows] == ["1.0x", "0.25x", "1.0x"]
    assert rows[1]["cycles_model"] < rows[0]["cycles_model"] / 4
    assert sum(row["cycles_model"] for row in rows) == content["cycles_model"]
    assert content["switch_cycles_max"] is content["weight_row_writes_after_load"] is None
    (line,) = [line for line in out.splitlines() if line.startswith("1     0.25x")]
    assert f"{rows[1]['cycles_model']:,}" in line


def test_the_model_has_the_cycles_of_each_mode(report: Any) -> None:
    content, out = report("model", ADAPTIVE, SMALL, "--mode", "0.5x")
    modes = {row["name"]: row["cycles_model"] for row in content["modes"]}
    assert list(modes) == ["1.0x", "0.75x", "0.5x", "0.25x"]
    assert list(modes.values()) == sorted(modes.values(), reverse=True)
    assert modes["0.5x"] == content["cycles_model"]
    assert [row["fraction"] for row in content["modes"]] == [
        cycles / modes["1.0x"] for cycles in modes.values()
    ]
    assert "cycles of the same images in each mode" in out
    plain, out = report("model", NETWORK, ARCH)
    assert plain["modes"] == []
    assert "in each mode" not in out


def test_golden_answers_in_a_mode(report: Any) -> None:
    given = ["run", ADAPTIVE, SMALL, "--engine", "golden", "--images", 300]
    wide, _ = report(*given)
    narrow, _ = report(*given, "--mode", "0.25x")
    assert {row["mode"] for row in narrow["images"]} == {"0.25x"}
    assert narrow["accuracy"] < wide["accuracy"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--mode", "0.3x"], "a mode must be one of 1.0x, 0.75x, 0.5x, 0.25x, got 0.3x"),
        (["--mode", "0.5x,1.0x"], "got 0.5x,1.0x"),
        (["--modes", "1.0x,,0.5x"], "got nothing"),
        (
            ["--mode", "1.0x", "--modes", "1.0x"],
            "--mode must be left out where --modes is given, got 1.0x",
        ),
        (["--modes", "1.0x,0.5x", "--batch", "2", "--images", "3"], "multiple of 2"),
    ],
)
@pytest.mark.parametrize("command", ["run", "model"])
def test_wrong_modes_are_one_sentence(
    hwgen: Command, work: Path, command: str, given: list[str], words: str
) -> None:
    code, out, err = hwgen(command, ADAPTIVE, SMALL, *given, "--work", work)
    assert (code, out) == (2, "")
    assert words in err.replace("\n", " ")


def test_modes_need_a_network_and_a_family_with_modes(hwgen: Command) -> None:
    code, _, err = hwgen("run", NETWORK, SMALL, "--mode", "1.0x")
    assert (code, err.count("\n")) == (2, 1)
    assert "must have several modes, got digits_small_cnn with 1.0x alone" in err
    code, _, err = hwgen("run", ADAPTIVE, ARCH, "--modes", "1.0x,0.5x", "--engine", "golden")
    assert (code, err.count("\n")) == (2, 1)
    assert "the family dbpim cannot switch between modes" in err
