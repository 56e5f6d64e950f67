"""The example family of docs/examples, or a broken one, as a separate installed package."""

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

EXAMPLE = Path(__file__).parents[2] / "docs/examples/plus_one"
ARCH = (EXAMPLE / "chip.yaml").read_text(encoding="utf-8")
FAMILY = (EXAMPLE / "__init__.py").read_text(encoding="utf-8")


def install(folder: Path, *, modules: dict[str, str], entry: str, package: str) -> Path:
    """Write an installed package, with its metadata, into a folder for PYTHONPATH; return it.

    modules: source text by file below the folder; entry: an entry point of `hwgen.families`
    """
    for name, text in modules.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    metadata = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8"
    )
    (metadata / "entry_points.txt").write_text(f"[hwgen.families]\n{entry}\n", encoding="utf-8")
    return folder


@cache
def installed_adder() -> TemporaryDirectory[str]:
    """Return a folder into which pip has installed the family of one adder, as its page says."""
    folder: TemporaryDirectory[str] = TemporaryDirectory()
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", folder.name]
    done = subprocess.run([*command, EXAMPLE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def install_adder(folder: Path) -> Path:
    """Install the family of one adder."""
    shutil.copytree(installed_adder().name, folder, dirs_exist_ok=True)
    return folder
