"""A family of another installed package: found by the same commands, harmless when it is broken."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.adder import ARCH, EXAMPLE, FAMILY, install, install_adder
from verif.lint import lint

ROOT = Path(__file__).parents[2]
NETWORK, SMALL = ROOT / "configs/networks/digits_small_cnn.npz", ROOT / "configs/dbpim/small.yaml"

Hwgen = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """The folder on PYTHONPATH in which foreign packages are installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def hwgen(packages: Path, tmp_path: Path) -> Hwgen:
    """Run the command where the packages of `packages` are installed, far from the project."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")])
        return subprocess.run(
            [sys.executable, "-m", "hwgen", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def adder(tmp_path: Path) -> Path:
    """An architecture of the foreign family."""
    path = tmp_path / "adder.yaml"
    path.write_text(ARCH, encoding="utf-8")
    return path


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Hold a result against one sentence and exit code 2."""
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("hwgen: ")
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


@pytest.mark.dear
def test_an_adder_is_described_and_built(
    hwgen: Hwgen, packages: Path, adder: Path, tmp_path: Path
) -> None:
    install_adder(packages)
    done = hwgen("info", adder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "architecture nibble of the family adder" in done.stdout
    done = hwgen("build", adder, "--out", tmp_path / "verilog")
    assert (done.returncode, done.stderr) == (0, "")
    manifest = json.loads((tmp_path / "verilog/manifest.json").read_text(encoding="utf-8"))
    assert manifest["top"] == "adder_chip"
    assert manifest["parameters"]["entries"] == 64
    assert "module adder_chip(" in (tmp_path / "verilog/adder_chip.v").read_text(encoding="utf-8")


@pytest.mark.promise("a family of another installed package is found by the same commands")
def test_pip_installs_one_package_and_no_module_beside_it(packages: Path) -> None:
    install_adder(packages)
    assert {path.name for path in packages.iterdir()} == {"plus_one", "plus_one-1.0.dist-info"}


@pytest.mark.dear("options1")
@pytest.mark.promise(
    "the wrapper and all below it give no warning with -Wall, without its trace neither, by a"
    " file list that is read from any folder and moves with its own"
)
@pytest.mark.parametrize("options", [[], ["--no-trace"]])
def test_the_chip_of_an_adder_has_no_warning(
    options: list[str], hwgen: Hwgen, packages: Path, adder: Path, tmp_path: Path
) -> None:
    install_adder(packages)
    out = tmp_path / "verilog"
    done = hwgen("build", adder, "--out", out, *options)
    assert done.returncode == 0, done.stderr
    files = [Path("-F"), out / "files.f"]
    assert not lint(files, top="adder_axi", waivers=out / "waivers.vlt")


@pytest.mark.dear
def test_the_chip_of_an_adder_adds(packages: Path, adder: Path, tmp_path: Path) -> None:
    """Memory in, memory out, by the shell and the host of every family."""
    install_adder(packages)
    code = (
        "import sys; from pathlib import Path; from plus_one.facts import load_arch\n"
        "from plus_one.sim import add\n"
        "run = add(load_arch(Path(sys.argv[1])), 7, [*range(63), 2**32 - 1], stall=30)\n"
        "print(run.done, run.registers['layers'], run.events, *run.answer.view('<u4'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(adder)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=False,
    )
    expected = " ".join(map(str, [*range(7, 70), 6]))
    assert done.stdout == f"True 1 {{'additions': 64}} {expected}\n", done.stderr


def test_the_example_of_a_family_is_small() -> None:
    """Its engine, its facts, what its host sees: the rest is the shell's."""
    lines = [
        line
        for file in EXAMPLE.glob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    assert len(lines) <= 250


@pytest.mark.dear("command4-yet: it has no sparsity switches")
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["run", NETWORK], "cannot run a network yet: it has no programs"),
        (["model", NETWORK], "cannot run a network yet: it has no programs"),
        (["compile", NETWORK], "cannot run a network yet: it has no programs"),
        (["info", NETWORK], "cannot run a network yet: it has no programs"),
        (["build", "--out", "x", "--sparsity", "all"], "yet: it has no sparsity switches"),
    ],
)
def test_what_an_adder_lacks_is_one_sentence(
    hwgen: Hwgen, packages: Path, adder: Path, command: list[object], words: str
) -> None:
    install_adder(packages)
    done = hwgen(*command, adder)
    refused(done, "the family adder", words)
    assert "cannot be used" not in done.stderr


def test_an_adder_leaves_the_other_families_alone(hwgen: Hwgen, packages: Path) -> None:
    install_adder(packages)
    assert hwgen("info", SMALL).returncode == 0


NO_CAPABILITY = FAMILY.replace("def verilog(", "def music(")
BROKEN = {
    "import": ("import nowhere_at_all\n", "ModuleNotFoundError"),
    "syntax": ("this is no Python\n", "SyntaxError"),
    "description": ("FAMILY = 7\n", "plus_one:FAMILY must be the family adder"),
    "name": (FAMILY.replace('name = "adder"', 'name = "other"'), "must be the family adder"),
    "capability": (NO_CAPABILITY, "music is no capability"),
}


@pytest.mark.dear("import")
@pytest.mark.promise("a broken family of another package is one sentence, and breaks no other")
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_family_breaks_no_other(
    hwgen: Hwgen, packages: Path, adder: Path, kind: str
) -> None:
    text, words = BROKEN[kind]
    modules = {"plus_one/__init__.py": text}
    install(packages, modules=modules, entry="adder = plus_one:FAMILY", package="plus-one")
    assert hwgen("info", SMALL).returncode == 0
    refused(hwgen("info", adder), "the family adder of the package plus-one cannot be used", words)
    refused(hwgen("synthesize", "lenet", "--power-w", 9), "lenet")


def test_a_generator_that_cannot_be_imported_is_one_sentence(
    hwgen: Hwgen, packages: Path, adder: Path, tmp_path: Path
) -> None:
    install_adder(packages)
    (packages / "plus_one/rtl.py").write_text("1 / 0\n", encoding="utf-8")
    assert hwgen("info", adder).returncode == 0
    done = hwgen("build", adder, "--out", tmp_path / "out")
    refused(done, "of the package plus-one cannot be used", "ZeroDivisionError")
    assert not (tmp_path / "out").exists()


def test_nobody_takes_a_family_of_this_project_over(hwgen: Hwgen, packages: Path) -> None:
    modules = {"plus_one/__init__.py": "raise SystemExit(9)\n"}
    install(packages, modules=modules, entry="dbpim = plus_one:FAMILY", package="a-thief")
    assert hwgen("info", SMALL).returncode == 0


def test_without_an_installation_it_says_what_to_do(packages: Path, tmp_path: Path) -> None:
    """Only what is on PYTHONPATH: no package declares the families of this project."""
    code = (
        "import importlib.metadata, sys\n"
        "importlib.metadata.entry_points = lambda **_: ()\n"
        "from hwgen.cli import main\n"
        f"sys.exit(main(['info', {str(SMALL)!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    refused(done, "scripts/setup")
