"""The faults of `mutants.yaml` match the source lines that they change."""

import shutil
from pathlib import Path

import pytest

from verif.mutants import Mutant, plant, read_mutants
from verif.toolchain import ROOT


@pytest.mark.parametrize("mutant", read_mutants(), ids=lambda mutant: mutant["fault"])
def test_every_fault_can_be_planted(mutant: Mutant, tmp_path: Path) -> None:
    assert set(mutant) - {"environment"} == {"fault", "file", "old", "new", "tests"}
    file = tmp_path / mutant["file"]
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / mutant["file"], file)
    plant(mutant, tmp_path)
    assert file.read_text() != (ROOT / mutant["file"]).read_text()


def test_a_fault_without_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    with pytest.raises(SystemExit, match=r"a\.py must hold once: x = 1"):
        plant({"file": "a.py", "old": "x = 1", "new": "x = 2"}, tmp_path)
