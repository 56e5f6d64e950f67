"""`hwgen cost --placed` as a person uses it."""

import json
from pathlib import Path

import pytest

from tests.cli.given import TINY, Command


@pytest.mark.promise("hwgen cost refuses what cannot be placed in one sentence")
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--module", "dbpim_marco"], "--module must be a module of the chip, got dbpim_marco"),
        (["--layout", "x.svg"], "--layout must be left out without --placed"),
        (["--fill", "95"], "--fill must be"),
        (
            ["--module", "dbpim_core", "--clocks", "c.json"],
            "--clocks must be left out with --module",
        ),
    ],
)
def test_refusals(hwgen: Command, tmp_path: Path, given: list[str], sentence: str) -> None:
    code, out, err = hwgen("cost", TINY, *given, "--work", tmp_path / "work")
    assert (code, out) == (2, "") and sentence in err and err.count("\n") == 1


def test_a_python_without_a_placer(
    hwgen: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hwgen.commands.packages.find_spec", lambda _: None)
    given = ["cost", TINY, "--placed", "--work", tmp_path / "work"]
    for none_from, sentence in (((99,), "hwgen with its extra [layout]"), ((3,), "Python 3.11 or")):
        monkeypatch.setattr("hwgen.commands.cost.NO_PLACER", none_from)
        code, out, err = hwgen(*given)
        assert (code, out, err.count("\n")) == (2, "", 1) and sentence in err


@pytest.mark.long
@pytest.mark.promise("a placed macro of SG13G2 is as slow as OpenSTA says with the same wires")
def test_a_macro_in_sg13g2(hwgen: Command, tmp_path: Path) -> None:
    """Five seeds; the slowest path runs from the adder tree through the memory of sums."""
    found = []
    for seed in range(1, 6):
        given = ["--module", "dbpim_macro", "--placed", "--seed", str(seed)]
        out = tmp_path / f"{seed}.json"
        code, shown, err = hwgen("cost", TINY, *given, "--json", out, "--work", tmp_path / "work")
        assert code == 0 and "sized by load" in shown, err
        found.append(json.loads(out.read_text(encoding="utf-8"))["placed"])
    for each in found:
        assert each["mapped"]["no_wires_ns"] == pytest.approx(5.74, abs=0.1)
        assert each["mapped"]["ns"] == pytest.approx(7.5, abs=0.4)
        assert each["sized"]["ns"] < each["mapped"]["ns"]
    assert sum(each["mapped"]["ns"] for each in found) / 5 == pytest.approx(7.5, abs=0.2)
