"""Families are found by name, their rooms keep what the protocols promise, and come late."""

import subprocess
import sys
from pathlib import Path

import pytest

from hwgen.errors import FamilyError, FormatError, MissingToolError
from hwgen.flow.families import ROOMS, Family, families, family_of
from hwgen.flow.load import load
from hwgen.flow.protocols import SpecRoom

ROOT = Path(__file__).parents[2]

WITHOUT = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused}:
            raise ModuleNotFoundError(f"no {{name}}", name=name)

sys.meta_path.insert(0, Refuse())
from hwgen.cli import main
sys.exit(main({arguments}))
"""


def promised(room: type) -> set[str]:
    return {name for name in (*vars(room), *room.__annotations__) if not name.startswith("_")}


PROMISED: dict[str, set[str]] = {
    "crossbar": set(),
    "dbpim": {"program", "compiler", "model", "rtl", "golden", "verif"},
}
"""Rooms of each family beside its architecture; a family that gets one more says so here."""


def test_every_family_says_which_rooms_it_has() -> None:
    assert {name: set(Family(name).spec.ROOMS) for name in families()} == PROMISED


@pytest.mark.parametrize("family", families())
def test_each_family_has_architectures(family: str) -> None:
    assert not promised(SpecRoom) - set(dir(Family(family).spec))


@pytest.mark.parametrize(
    ("family", "room"), [(name, room) for name in PROMISED for room in sorted(PROMISED[name])]
)
def test_each_room_exports_what_it_should(family: str, room: str) -> None:
    missing = promised(ROOMS[room].promise) - set(dir(getattr(Family(family), room)))
    assert not missing


@pytest.mark.parametrize(
    ("family", "room"),
    [(name, room) for name in PROMISED for room in sorted(set(ROOMS) - PROMISED[name])],
)
def test_a_missing_room_is_one_sentence(family: str, room: str) -> None:
    with pytest.raises(FamilyError, match=f"the family {family} cannot .* yet: it has no "):
        getattr(Family(family), room)


def test_promises_are_seen() -> None:
    assert promised(SpecRoom) >= {"ROOMS", "SWITCHES", "load_arch"}
    assert promised(ROOMS["verif"].promise) == {"simulate", "write_by_hand"}


@pytest.mark.parametrize(
    "given", ["hwgen.mram.architecture", "hwgen.dbpim.program", "hwgen.network", "", None, 7]
)
def test_unknown_family(given: object) -> None:
    with pytest.raises(FormatError, match=r"hwgen\.dbpim\.architecture"):
        family_of(given, kind="architecture", source="x.yaml")


def without(packages: list[str], *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run hwgen on a machine that lacks some packages."""
    code = WITHOUT.format(refused=set(packages), arguments=[str(a) for a in arguments])
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_verilog_needs_neither_torch_nor_benches(tmp_path: Path) -> None:
    lacking = ["torch", "cocotb", "cocotb_tools", "sklearn", "numba", "pytest", "filelock"]
    lacking += ["dask", "distributed", "highspy", "matplotlib", "onnx"]
    done = without(lacking, "build", "configs/dbpim/tiny.yaml", "--out", tmp_path / "verilog")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "verilog/manifest.json").exists()


def test_missing_package_is_one_sentence(tmp_path: Path) -> None:
    files = ["configs/networks/digits_small_cnn.npz", "configs/dbpim/small.yaml"]
    done = without(["numba"], "compile", *files, "--work", tmp_path)
    assert done.returncode == 2
    assert "the package numba is needed" in done.stderr
    assert done.stderr.count("\n") == 1


def test_own_mistakes_are_not_hidden() -> None:
    with pytest.raises(ModuleNotFoundError):
        load("hwgen.nowhere")
    with pytest.raises(MissingToolError, match="nowhere"):
        load("nowhere.at_all")
