"""The faults of `mutants.yaml` match the source lines that they change."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml

from verif.mutants import MUTANTS, Mutant, plant, read_mutants
from verif.toolchain import ROOT


@pytest.mark.promise("every fault of the mutants still has its place, every named test exists")
@pytest.mark.parametrize("mutant", read_mutants(), ids=lambda mutant: mutant["fault"])
def test_every_fault_can_be_planted(mutant: Mutant, tmp_path: Path) -> None:
    assert set(mutant) - {"environment"} == {"fault", "file", "old", "new", "tests"}
    file = tmp_path / mutant["file"]
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / mutant["file"], file)
    plant(mutant, tmp_path)
    assert file.read_text() != (ROOT / mutant["file"]).read_text()


def test_no_fault_is_planted_twice_or_hides_another() -> None:
    """A key given twice keeps its last value: a fault whose line is lost would hide so."""
    planted = Counter(
        (each["file"], each["old"], each["new"], *each["tests"]) for each in read_mutants()
    )
    assert [one for one, times in planted.items() if times > 1] == []
    names = Counter(each["fault"] for each in read_mutants())
    assert [name for name, times in names.items() if times > 1] == []
    faults = yaml.compose(MUTANTS.read_text(encoding="utf-8"))
    assert isinstance(faults, yaml.SequenceNode)
    for fault in faults.value:
        keys = [key.value for key, _ in fault.value]
        assert len(keys) == len(set(keys)), f"line {fault.start_mark.line + 1}"


def test_a_fault_without_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    with pytest.raises(SystemExit, match=r"a\.py must hold once: x = 1"):
        plant({"file": "a.py", "old": "x = 1", "new": "x = 2"}, tmp_path)
