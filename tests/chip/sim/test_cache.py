"""A build is made once, survives interrupts and damage, and says what is wrong with its folder."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import hwgen
from hwgen.chip.sim.cache import ENVIRONMENT, Build, build_once, build_root
from hwgen.errors import OutputError, SimulationError

PRODUCT = "obj/program"

BUILDER = """
import sys, time
from pathlib import Path
from hwgen.chip.sim.cache import build_once

def make(folder):
    print("building", flush=True)
    {during}
    (folder / "program").write_text("whole")

build_once(
    "name", 1, make, products=["program"], builds=Path(sys.argv[1]),
    waiting=lambda: print("waiting", flush=True),
)
print("done", flush=True)
"""
"""A process that builds one thing; what it says tells what it did."""


@pytest.fixture(autouse=True)
def no_common_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test choose its folder."""
    monkeypatch.delenv(ENVIRONMENT)


class Maker:
    """Fills a folder as a compiler would, and counts how often."""

    def __init__(self, during: Callable[[Path], None] = lambda _: None) -> None:
        self.count = 0
        self.during = during

    def __call__(self, folder: Path) -> None:
        self.count += 1
        assert not list(folder.iterdir()), "a build must begin with an empty folder"
        (folder / PRODUCT).parent.mkdir()
        (folder / PRODUCT).write_text("a program", encoding="ascii")
        self.during(folder)


def build(make: Maker, folder: Path, facts: object = 1, **options: object) -> Build:
    return build_once("name", facts, make, products=[PRODUCT], builds=folder, **options)


@pytest.mark.promise("a simulator is built once for its content, and whoever waits for it is told")
def test_one_build_for_the_same_facts(tmp_path: Path) -> None:
    make = Maker()
    first = build(make, tmp_path, facts=["a", {"b": 1}])
    assert build(make, tmp_path, facts=["a", {"b": 1}]) == first
    assert make.count == 1
    assert build(make, tmp_path, facts=["a", {"b": 2}]).folder != first.folder
    assert make.count == 2


def missing(build: Build) -> None:
    (build.folder / PRODUCT).unlink()


def truncated(build: Build) -> None:
    (build.folder / PRODUCT).write_text("a prog", encoding="ascii")


def changed(build: Build) -> None:
    (build.folder / PRODUCT).write_text("a prOgram", encoding="ascii")


def mark_alone(build: Build) -> None:
    """Leave what an earlier version left, whose mark was empty, without the program."""
    missing(build)
    (build.folder / "complete").write_text("", encoding="ascii")


def empty_mark(build: Build) -> None:
    (build.folder / "complete").write_text("", encoding="ascii")


def foreign_mark(build: Build) -> None:
    (build.folder / "complete").write_text("[1]", encoding="ascii")


def no_mark(build: Build) -> None:
    (build.folder / "complete").unlink()


def a_file(build: Build) -> None:
    """Put a file where the folder was."""
    for path in (build.folder / PRODUCT, build.folder / "complete"):
        path.unlink()
    (build.folder / PRODUCT).parent.rmdir()
    build.folder.rmdir()
    build.folder.write_text("", encoding="ascii")


@pytest.mark.promise("a damaged build repairs itself once, then the reason is one sentence")
@pytest.mark.promise("damaged caches are found by digest and made again")
@pytest.mark.parametrize(
    "damage",
    [missing, truncated, changed, mark_alone, empty_mark, foreign_mark, no_mark, a_file],
)
def test_a_damaged_build_is_built_again_once(
    damage: Callable[[Build], None], tmp_path: Path
) -> None:
    make = Maker()
    damage(build(make, tmp_path))
    again = build(make, tmp_path)
    assert build(make, tmp_path) == again
    assert make.count == 2
    assert (again.folder / PRODUCT).read_text("ascii") == "a program"


def test_a_distrusted_build_is_replaced_once(tmp_path: Path) -> None:
    make = Maker()
    first = build(make, tmp_path)
    second = build(make, tmp_path, distrusted=first)
    assert make.count == 2
    # Another process that has seen the first one fail takes the second.
    assert build(make, tmp_path, distrusted=first) == second
    assert make.count == 2


def test_an_interrupted_build_is_built_again(tmp_path: Path) -> None:
    def interrupt(_: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(Maker(interrupt), tmp_path)
    make = Maker()
    build(make, tmp_path)
    assert make.count == 1


def test_a_build_without_its_product_is_one_sentence(tmp_path: Path) -> None:
    def lose(folder: Path) -> None:
        (folder / PRODUCT).unlink()

    with pytest.raises(SimulationError, match=r"the build must leave .*program, got no such file"):
        build(Maker(lose), tmp_path)


def process(folder: Path, during: str) -> subprocess.Popen[str]:
    code = BUILDER.format(during=during)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.promise("of two processes one builds; an interrupted or killed build is built again")
def test_of_two_processes_one_builds(tmp_path: Path) -> None:
    go = tmp_path / "go"
    during = f"while not Path({str(go)!r}).exists(): time.sleep(0.01)"
    with process(tmp_path / "builds", during) as first:
        try:
            assert first.stdout is not None
            assert first.stdout.readline() == "building\n"
            with process(tmp_path / "builds", during) as second:
                assert second.stdout is not None
                said = second.stdout.readline()
                go.touch()
                assert (said, second.stdout.read()) == ("waiting\n", "done\n")
        finally:
            go.touch()
        assert first.stdout.read() == "done\n"


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    with process(tmp_path, "time.sleep(60)") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "building\n"
        first.send_signal(signal.SIGKILL)
    with process(tmp_path, "pass") as second:
        assert second.stdout is not None
        assert second.stdout.read() == "building\ndone\n"


@pytest.mark.promise(
    "builds lie where environment, caller or the user's cache say, never beside the package"
)
def test_who_chooses_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert build_root() == Path("/home/somebody/.cache/hwgen/sim")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the standard says to ignore
    assert build_root() == Path("/home/somebody/.cache/hwgen/sim")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert build_root() == Path("/cache/hwgen/sim")
    assert build_root(Path("work/sim")) == tmp_path / "work/sim"
    monkeypatch.setenv(ENVIRONMENT, "named")
    assert build_root(Path("work/sim")) == build_root() == tmp_path / "named"


def test_a_path_with_a_space_is_one_sentence(tmp_path: Path) -> None:
    make = Maker()
    with pytest.raises(OutputError, match=r"must have no space in its path, got '/.*my work/sim'"):
        build(make, tmp_path / "my work" / "sim")
    assert make.count == 0


def test_no_home_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(OutputError, match="got no home folder: set HWGEN_BUILD_ROOT"):
        build_root()


def test_nothing_is_built_beside_the_package(tmp_path: Path) -> None:
    package = Path(hwgen.__file__).parent
    assert not build_root().is_relative_to(package.parent)
    assert build(Maker(), tmp_path).folder.is_relative_to(tmp_path)


@pytest.mark.promise(
    "a full or read-only disk, a small memory, broken Verilog, no Verilator are one sentence each"
)
def test_an_unwritable_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    make = Maker()
    with pytest.raises(OutputError, match="must be writable and have space, got Not a directory"):
        build(make, tmp_path / "file" / "builds")
    assert make.count == 0


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_is_one_sentence(code: int, tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise OSError(code, os.strerror(code))

    with pytest.raises(OutputError, match=f"got {os.strerror(code)}: choose another") as error:
        build(Maker(fail), tmp_path)
    assert "\n" not in str(error.value)
    make = Maker()
    build(make, tmp_path)
    assert make.count == 1
