"""Verilator is silent for a correct part and reports a lost clock."""

from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import emit
from hwgen.chip.rtl.part import Part
from hwgen.errors import SimulationError
from tests.tiny import Adder, Cells, Chain, Gate
from verif import lint as module
from verif.lint import ENDED, lint, lint_part


@pytest.mark.dear("Adder")
@pytest.mark.promise("Verilator -Wall is silent on good parts and finds a lost clock")
@pytest.mark.parametrize("part", [Adder, Cells, Chain, Gate])
def test_lint_clean(part: type[Part]) -> None:
    assert lint_part(part()) == ""


def test_a_lost_clock_is_found(tmp_path: Path) -> None:
    files = emit(Chain(), tmp_path / "rtl", parameters={})
    chain = files[-1]
    chain.write_text(chain.read_text().replace("    .clk(clk),\n", "", 1))
    assert "PINMISSING" in lint(files, top="tiny_chain")


def test_a_judgement_is_kept_and_a_killed_verilator_gives_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = ["Killed", f"%Warning-UNUSEDSIGNAL: a\n{ENDED} 1 warning(s)", "never asked"]
    monkeypatch.setattr(module, "lint", lambda *_, **__: answers.pop(0))
    monkeypatch.setattr(module, "BUILD_ROOT", tmp_path)
    monkeypatch.setenv("HWGEN_BUILD_ROOT", str(tmp_path))
    with pytest.raises(SimulationError, match="Verilator must end by itself"):
        lint_part(Adder())
    said = lint_part(Adder())
    assert said.startswith("%Warning-UNUSEDSIGNAL")
    assert lint_part(Adder()) == said
    assert answers == ["never asked"]
    waivers = tmp_path / "others.vlt"
    waivers.write_text("`verilator_config\n", encoding="utf-8")
    answers[:] = [""]
    assert lint_part(Adder(), waivers=waivers) == ""
    answers[:] = [""]
    assert lint_part(Adder(bias=3)) == ""
