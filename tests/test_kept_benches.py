"""A bench that passed is found again; other sources, settings, Verilog or a failure run it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests import kept_benches
from tests.kept_benches import kept, may_be_kept, sources_digest
from verif.runner import LOG, Bench, Waves

PASSED = '<testsuite><testcase classname="verif.bench_one" name="adds"/></testsuite>'
FAILED = PASSED.replace("/></testsuite>", '><failure message="no"/></testcase></testsuite>')
MODULES = ["verif.bench_one"]
SETTINGS = {"SEED": "1"}


class Simulator:
    """Counts its runs; each leaves a log and its results."""

    def __init__(self, text: str = PASSED, also: str | None = None) -> None:
        self.runs, self.text, self.also = 0, text, also

    def simulated(
        self, _: Bench, _modules: Sequence[str], place: Path, *_more: object
    ) -> list[ElementTree.Element]:
        self.runs += 1
        for name in (LOG, "results.xml", self.also):
            if name is not None:
                (place / name).write_text(self.text, encoding="utf-8")
        return list(ElementTree.fromstring(self.text).iter("testcase"))


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Sources of a bench that imports a golden model late; the model imports another."""
    sources = {
        "verif/bench_one.py": "def check():\n    from golden.adder import add\n",
        "golden/adder.py": "from golden.bits import width\n",
        "golden/bits.py": "width = 8\n",
        "golden/other.py": "width = 9\n",
        "hwgen/table.yaml": "a: 1\n",
        "configs/tiny.yaml": "rows: 1\n",
        "tests/test_none.py": "",
    }
    for name, text in sources.items():
        file = tmp_path / "house" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path / "house"


def ask(
    simulator: Simulator,
    house: Path,
    *,
    folder: str = "build-1",
    settings: Mapping[str, str] = SETTINGS,
    plusargs: Sequence[str] = (),
) -> list[str]:
    """Run the bench in an empty folder, as the next run of all tests does; return its tests."""
    for remembered in (sources_digest, kept_benches.whole, kept_benches.data_digest):
        remembered.cache_clear()
    place = house.parent / f"place-{len(list(house.parent.iterdir()))}"
    place.mkdir()
    run = kept(simulator.simulated, house.parent / "kept", house)
    cases = run(Bench(Path(folder), "verilator"), MODULES, place, settings, plusargs)
    return [case.attrib["name"] for case in cases]


def test_a_bench_that_passed_is_found(house: Path) -> None:
    simulator = Simulator()
    assert ask(simulator, house) == ask(simulator, house) == ["adds"]
    assert simulator.runs == 1


@pytest.mark.promise("a bench runs again when its Verilog, settings, or a source behind it change")
@pytest.mark.parametrize(
    "file", ["verif/bench_one.py", "golden/bits.py", "hwgen/table.yaml", "configs/tiny.yaml"]
)
def test_another_source_runs_it(house: Path, file: str) -> None:
    simulator = Simulator()
    ask(simulator, house)
    with (house / file).open("a", encoding="utf-8") as source:
        source.write("# changed\n")
    ask(simulator, house)
    assert simulator.runs == 2


def test_a_source_that_it_does_not_import_does_not(house: Path) -> None:
    simulator = Simulator()
    ask(simulator, house)
    (house / "golden/other.py").write_text("width = 10\n", encoding="utf-8")
    ask(simulator, house)
    assert simulator.runs == 1


def test_other_verilog_settings_or_arguments_run_it(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = Simulator()
    ask(simulator, house)
    ask(simulator, house, folder="build-2")
    ask(simulator, house, settings={"SEED": "2"})
    ask(simulator, house, plusargs=["+x"])
    monkeypatch.setenv("COCOTB_RANDOM_SEED", "7")
    ask(simulator, house)
    assert simulator.runs == 5


@pytest.mark.parametrize("also", ["", "coverage.json"])
def test_what_failed_or_left_files_is_run_again(house: Path, also: str) -> None:
    simulator = Simulator(PASSED if also else FAILED, also or None)
    for _ in range(2):
        ask(simulator, house)
    assert simulator.runs == 2


def test_what_names_files_is_never_kept(tmp_path: Path) -> None:
    bench = Bench(Path("build-1"), "verilator")
    assert may_be_kept(bench, MODULES, tmp_path, SETTINGS)
    assert not may_be_kept(bench, MODULES, tmp_path, {"JOB": "/tmp/job.json"})
    assert not may_be_kept(bench, ["tests.bench_tiny"], tmp_path, SETTINGS)
    waves = Bench(bench.folder, bench.simulator, Waves())
    assert not may_be_kept(waves, MODULES, tmp_path, SETTINGS)
    (tmp_path / "job.json").touch()
    assert not may_be_kept(bench, MODULES, tmp_path, SETTINGS)
