"""Families are found by name, offer what their capabilities promise, and are imported late."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast, get_type_hints

import pytest

from hwgen.chip import protocols
from hwgen.chip.family import CAPABILITIES, Family
from hwgen.commands.context import Context
from hwgen.commands.engines import zero_bit_planes
from hwgen.commands.families import (
    PROJECT,
    InstalledFamily,
    families,
    family_of,
    is_architecture,
)
from hwgen.commands.packages import optional_packages
from hwgen.commands.subject import load_subject, split_cost
from hwgen.errors import FamilyError, FormatError, MissingToolError
from hwgen.files.shipped import tables
from tests.commands.offered import MODULES

ROOT = Path(__file__).parents[2]
NETWORK, ARCH = ROOT / "configs/networks/digits_small_cnn.npz", ROOT / "configs/dbpim/small.yaml"

WITHOUT = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused}:
            raise ModuleNotFoundError(f"no {{name}}", name=name)

sys.meta_path.insert(0, Refuse())
from hwgen.cli import main
from hwgen.files import patience
patience.FIRST_SECONDS = 600.0
sys.exit(main({arguments}))
"""


def promised(protocol: type) -> set[str]:
    return {name for name in (*vars(protocol), *protocol.__annotations__) if name[0] != "_"}


OFFERED: dict[str, set[str]] = {
    "crossbar": {
        "architectures", "area", "graphs", "synthesis", "report_schemas", "programs", "compiler",
        "cycle_model", "data_sheet", "energy", "firmware", "netlist_energy", "schedules",
        "simulation", "verilog",
    },
    "dbpim": {
        "architectures", "sparsity", "programs", "data_sheet", "compiler", "split_cost",
        "cycle_model", "bit_activity", "layer_support", "verilog", "simulation",
        "area", "axes", "energy", "energy_tables", "firmware", "netlist_energy", "physical",
        "self_test", "timeline",
    },
    "mram": {
        "architectures",
        "area",
        "axes",
        "compiler",
        "cycle_model",
        "data_sheet",
        "energy",
        "energy_tables",
        "firmware",
        "layer_support",
        "modes",
        "netlist_energy",
        "physical",
        "programs",
        "rooms",
        "self_test",
        "simulation",
        "split_cost",
        "timeline",
        "verilog",
    },
}  # fmt: skip
"""Capabilities of each family of this project; a family that gains one is updated here."""


def of_this_project() -> dict[str, InstalledFamily]:
    return {name: family for name, family in families().items() if family.package == PROJECT}


@pytest.mark.promise(
    "each family says what it offers, keeps what that promises, and names what it lacks"
)
def test_every_family_says_what_it_offers() -> None:
    offers = {
        name: {key for key, each in CAPABILITIES.items() if family.offers(each)}
        for name, family in of_this_project().items()
    }
    assert offers == OFFERED


@pytest.mark.parametrize(
    ("family", "key"), [(name, key) for name in OFFERED for key in sorted(OFFERED[name])]
)
def test_each_capability_exports_what_it_should(family: str, key: str) -> None:
    module = families()[family].need(CAPABILITIES[key])
    # The types of these modules are checked.
    assert key == "data_sheet" or module is MODULES[family]()[key]
    assert not promised(get_type_hints(CAPABILITIES[key])["return"]) - set(dir(module))


@pytest.mark.parametrize(
    ("family", "key"),
    [(name, key) for name in OFFERED for key in sorted(set(CAPABILITIES) - OFFERED[name])],
)
def test_a_missing_capability_is_one_sentence(family: str, key: str) -> None:
    with pytest.raises(FamilyError, match=f"the family {family} cannot .* yet: it has no "):
        families()[family].need(CAPABILITIES[key])


@pytest.mark.promise(
    "every family puts a chip at the clock of its netlist, and nothing else differs"
)
@pytest.mark.parametrize("name", OFFERED)
def test_every_family_puts_a_chip_at_a_clock(name: str) -> None:
    family = families()[name]
    file = next(file for file in tables(name).values() if is_architecture(file))
    arch = family.need(Family.architectures).load_arch(file)
    given: Any = arch
    for mhz in (123.4, 0.001, arch.clock_mhz):
        given = family.family.at_clock(given, mhz)
        assert given.clock_mhz == mhz and given.digest == arch.digest
        for each in fields(cast(Any, arch)):
            same = getattr(given, each.name) == getattr(arch, each.name)
            assert same or each.name == "clock_mhz"


@dataclass(frozen=True)
class Clocked:
    """An architecture whose clock is a key of its file."""

    lanes: int
    clock_mhz: float


@dataclass(frozen=True)
class Derived:
    """An architecture whose clock follows from another key."""

    clock_ns: float

    @property
    def clock_mhz(self) -> float:
        return 1000 / self.clock_ns


class Own(Family):
    """A family whose architecture has another key of its clock."""

    def at_clock(self, arch: Derived, mhz: float) -> Derived:
        return replace(arch, clock_ns=1000 / mhz)


def test_a_family_of_others_need_not_say_how_a_chip_has_a_clock() -> None:
    assert Family().at_clock(Clocked(4, 500.0), 250.0) == Clocked(4, 250.0)
    assert Family().at_clock(Derived(2.0), 250.0) == Derived(2.0)
    assert Own().at_clock(Derived(2.0), 250.0) == Derived(4.0)


def test_promises_are_seen() -> None:
    assert promised(protocols.Sparsity) == {"SWITCHES", "with_sparsity"}
    simulation = {"STORING", "begin", "prepare", "simulate", "write_by_hand"}
    assert promised(protocols.Simulation) == simulation
    assert len(CAPABILITIES) == 26
    assert all(key == each.__name__ for key, each in CAPABILITIES.items())


def test_a_family_may_lack_what_only_helps() -> None:
    """A compiler does without a cost, a report without bit planes."""
    subject = load_subject(NETWORK, ARCH)
    plain = Described(subject.family, without={"split_cost", "bit_activity"})
    lacking = replace(subject, family=cast(InstalledFamily, plain))
    assert split_cost(Context(console=None), lacking, print) is None
    assert zero_bit_planes(lacking, cast(Any, None), {}, 1) == {}
    assert split_cost(Context(console=None), subject, print) is not None


@dataclass(frozen=True)
class Described:
    """A family without some of its capabilities."""

    family: InstalledFamily
    without: set[str]

    def offers(self, capability: Callable[[Any], Any]) -> bool:
        return capability.__name__ not in self.without and self.family.offers(capability)

    def need(self, capability: Callable[[Any], Any]) -> Any:
        assert self.offers(capability)
        return self.family.need(capability)


@pytest.mark.parametrize(
    "given", ["hwgen.flash.architecture", "hwgen.dbpim.program", "hwgen.network", "", None, 7]
)
def test_unknown_family(given: object) -> None:
    with pytest.raises(FormatError, match=r"hwgen\.dbpim\.architecture"):
        family_of(given, kind="architecture", source="x.yaml")


def test_a_program_is_of_a_family_that_has_programs() -> None:
    assert family_of("hwgen.dbpim.program", kind="program", source="x.npz").name == "dbpim"
    with pytest.raises(
        FormatError,
        match=r"must be hwgen\.crossbar\.program or hwgen\.dbpim\.program or hwgen\.mram\.pro",
    ):
        family_of("hwgen.flash.program", kind="program", source="x.npz")


def without(packages: list[str], *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run hwgen on a machine that lacks some packages."""
    code = WITHOUT.format(refused=set(packages), arguments=[str(a) for a in arguments])
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.promise("Verilog is built without torch and without the benches")
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
    with pytest.raises(ModuleNotFoundError), optional_packages():
        importlib.import_module("hwgen.nowhere")
    with pytest.raises(MissingToolError, match="nowhere"), optional_packages():
        importlib.import_module("nowhere.at_all")
