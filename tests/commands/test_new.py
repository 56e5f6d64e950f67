"""`hwgen new`: the project stands as it is, its examples run, and its test sees a wrong chip."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen import api
from hwgen.commands.new.command import FILES
from hwgen.errors import HwgenError, OutputError
from hwgen.files.load import read_mapping
from verif.toolchain import ROOT

EXAMPLES = ("cycles.py", "energy.py", "waves.py")


def made(folder: Path, **more: str) -> Path:
    """Return a project of a chip and a network that ship."""
    context = api.Context(console=None, work=folder / "work")
    said = api.new_project(folder / "my chip", context=context, **more)
    assert f"cd {folder / 'my chip'}" in said
    return folder / "my chip"


def ran(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Return what a file of a project printed, as a person runs it."""
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *words],
        check=False,
        cwd=project,
        env=variables,
        capture_output=True,
        text=True,
    )


def test_a_project_has_a_chip_of_its_own(tmp_path: Path) -> None:
    project = made(tmp_path)
    chip = read_mapping(project / "chip.yaml")
    assert chip["name"] == "my_chip" and chip["cores"] == 2
    assert (project / "chip.yaml").read_text(encoding="utf-8").count("name:") == 1
    assert api.model(project / "network.npz", project / "chip.yaml", images=1).cycles_model > 0
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert "began as\n`dbpim/tiny`" in readme and "$" not in readme
    assert sorted(path.name for path in (project / "examples").iterdir()) == sorted(EXAMPLES)
    for path in FILES.rglob("*.txt"):
        assert (project / path.relative_to(FILES).with_suffix("")).is_file()
        assert path.stem == "README.md" or path.stem in readme or "examples" in str(path)


@pytest.mark.dear("mram/small-cadnn_digits")
@pytest.mark.promise("hwgen new makes a project whose examples run and whose test passes at once")
@pytest.mark.parametrize(
    ("chip", "network"),
    [
        ("dbpim/tiny", "digits_small_cnn"),
        ("mram/small", "cadnn_digits"),
        ("crossbar/digits_small_cnn", "digits_small_cnn"),
    ],
)
def test_examples_without_a_simulation(chip: str, network: str, tmp_path: Path) -> None:
    project = made(tmp_path, chip=chip, network=network)
    for name in ("cycles.py", "energy.py"):
        done = ran(project, f"examples/{name}")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1].startswith(("all", "with memory", "chips of"))


@pytest.mark.dear
def test_its_test_passes_and_sees_another_chip(tmp_path: Path) -> None:
    project = made(tmp_path, chip="mram/small", network="cadnn_digits")
    done = ran(project, "test_chip.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("passed: test_") == 2
    waves = ran(project, "examples/waves.py")
    assert waves.returncode == 0 and (project / waves.stdout.partition(":")[0]).is_file()
    # A network that the chip does not run is an error of one sentence, not a pass.
    chip = project / "chip.yaml"
    text = chip.read_text(encoding="utf-8")
    chip.write_text(text.replace("rounding: [half_up]", "rounding: [float32]"), encoding="utf-8")
    refused = ran(project, "test_chip.py")
    assert refused.returncode == 1
    assert "rounding" in refused.stderr and "Traceback" not in refused.stderr


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "my chip").mkdir()
    (tmp_path / "my chip" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError):
        made(tmp_path)
    assert [path.name for path in (tmp_path / "my chip").iterdir()] == ["mine.txt"]


def test_what_cannot_run_makes_no_project(tmp_path: Path) -> None:
    with pytest.raises(HwgenError):
        made(tmp_path, chip="mram/tiny", network="digits_vit")
    assert not (tmp_path / "my chip").exists()
