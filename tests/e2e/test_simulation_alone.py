"""A chip is simulated on a machine that has Verilator, and nothing that benches need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hwgen.chip.sim.cache import ENVIRONMENT, build_root

ROOT = Path(__file__).parents[2]
NETWORK, ARCH = ROOT / "configs/networks/digits_small_cnn.npz", ROOT / "configs/dbpim/small.yaml"

TOLD = "building the simulator of small: half a minute or more, for short runs, once"

BENCHES = ("cocotb", "cocotb_tools", "cocotbext", "filelock", "pytest", "verif", "torch")

WITHOUT = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused}:
            raise ModuleNotFoundError(f"no {{name}}", name=name)

sys.meta_path.insert(0, Refuse())
from hwgen.cli import main
sys.exit(main(sys.argv[1:]))
"""


def simulate(work: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `hwgen run --engine rtl` without the packages of benches, from another folder."""
    given = ["run", NETWORK, ARCH, "--engine", "rtl", "--work", work]
    return subprocess.run(
        [sys.executable, "-c", WITHOUT.format(refused=BENCHES), *map(str, given)],
        cwd=work.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.dear
@pytest.mark.promise("chips are simulated without any package of the benches")
def test_a_chip_is_simulated_without_the_packages_of_benches(tmp_path: Path) -> None:
    done = simulate(tmp_path / "work", **{ENVIRONMENT: str(build_root())})
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "rtl: " in done.stdout


@pytest.mark.dear
@pytest.mark.promise(
    "a full or read-only disk, a small memory, broken Verilog, no Verilator are one sentence each"
)
def test_an_unusable_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    done = simulate(tmp_path / "work", **{ENVIRONMENT: str(tmp_path / "file" / "builds")})
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "hwgen: the folder for builds must be writable and have space, got Not a directory"
    )
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_the_work_folder_keeps_the_simulator(tmp_path: Path) -> None:
    work = tmp_path / "work"
    first = simulate(work, **{ENVIRONMENT: ""})
    assert first.returncode == 0, first.stderr
    assert first.stderr.splitlines()[-1] == TOLD
    assert list((work / "sim").glob("host-*/complete"))
    second = simulate(work, **{ENVIRONMENT: ""})
    assert second.returncode == 0, second.stderr
    assert TOLD not in second.stderr
