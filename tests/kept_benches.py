"""A bench that passed is kept between runs of the tests, under the digest of all that it hangs on.

That is the executable (its folder is named after the Verilog and the tools), the sources of the
bench and of all that it imports, its settings, and the versions of what it runs on. A bench that
failed is never kept, nor one that names or leaves files: its settings may then mean another thing
tomorrow. `scripts/test --fresh` runs every bench; only tests keep results.
"""

import hashlib
import json
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

from hwgen.chip.sim.cache import user_cache
from tests.changed.run import PACKAGES, ROOT, House, house
from verif import runner
from verif.runner import LOG, Bench, failures, passed

FOLDER = user_cache() / "benches"
"""Holds the results of each digest; it can be deleted at any time."""
TOOLS = ("cocotb", "numpy", "pydantic", "pyyaml")
ENVIRONMENT = ("HWGEN_CORNERS_TOLD", "HWGEN_REPLACED", "COCOTB_")
"""How variables begin that a bench or cocotb reads beside its settings."""
RESULTS = "results.xml"

Simulated = Callable[
    [Bench, Sequence[str], Path, Mapping[str, str], Sequence[str]], list[ElementTree.Element]
]
"""As `verif.runner.simulated`."""


def kept(simulated: Simulated, folder: Path = FOLDER, root: Path = ROOT) -> Simulated:
    """Return `simulated`, which runs only what has not passed before; results are in `folder`."""

    def run_or_find(
        bench: Bench,
        modules: Sequence[str],
        place: Path,
        settings: Mapping[str, str],
        plusargs: Sequence[str],
    ) -> list[ElementTree.Element]:
        if not may_be_kept(bench, modules, place, settings):
            return simulated(bench, modules, place, settings, plusargs)
        facts = [bench.folder.name, modules, sorted(settings.items()), plusargs, around()]
        sources = [sources_digest(module, root) for module in modules]
        read = json.dumps([*facts, sources])
        file = folder / hashlib.sha256(read.encode()).hexdigest()
        text = text_of(file)
        if text is not None:
            return list(ElementTree.fromstring(text).iter("testcase"))
        cases = simulated(bench, modules, place, settings, plusargs)
        left = {each.name for each in place.iterdir()}
        if passed(cases) and not failures(cases) and left <= {LOG, RESULTS}:
            keep(file, (place / RESULTS).read_text(encoding="utf-8"))
        return cases

    return run_or_find


def may_be_kept(
    bench: Bench, modules: Sequence[str], place: Path, settings: Mapping[str, str]
) -> bool:
    """Return whether a run hangs on its arguments alone: it names no file, and writes no waves."""
    ours = all(module.startswith("verif.") for module in modules)
    files = any(os.sep in value for value in settings.values())
    return ours and not files and not bench.waves and not any(place.iterdir())


def around() -> list[str]:
    """Return what a bench reads without being told: versions, and variables of cocotb and ours."""
    versions = [sys.version, *(f"{tool} {version(tool)}" for tool in TOOLS)]
    named = [
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if name.startswith(ENVIRONMENT)
    ]
    return versions + named


@cache
def sources_digest(module: str, root: Path) -> str:
    """Return the sha256 of the sources of a bench, of all that it imports, and of all data files.

    Imports inside functions count.
    """
    known = whole(root)
    file = f"{module.replace('.', '/')}.py"
    behind, todo = set(), [file]
    while todo:
        file = todo.pop()
        if file not in behind:
            behind.add(file)
            todo += sorted(known.imports[file])
    sha = hashlib.sha256(data_digest(root).encode())
    for file in sorted(behind):
        content = (root / file).read_bytes()
        sha.update(f"{file} {len(content)}\n".encode() + content)
    return sha.hexdigest()


@cache
def whole(root: Path) -> House:
    """Return all sources below a folder and what each imports."""
    return house(root)


@cache
def data_digest(root: Path) -> str:
    """Return the sha256 of what a bench may read that is no Python: of packages and of chips."""
    sha = hashlib.sha256()
    files = [
        file
        for package in sorted(set(PACKAGES) - {"tests"})
        for file in sorted((root / package).rglob("*"))
        if file.is_file() and file.suffix not in (".py", ".pyc")
    ]
    for file in [*files, *sorted((root / "configs").rglob("*.yaml"))]:
        content = file.read_bytes()
        sha.update(f"{file.relative_to(root)} {len(content)}\n".encode() + content)
    return sha.hexdigest()


def install() -> None:
    """Let benches that passed be kept, in this process and its forks."""
    runner.simulated = kept(runner.simulated)


def text_of(file: Path) -> str | None:
    """Return the text that a file keeps; None where there is none, or a damaged one."""
    try:
        return zlib.decompress(file.read_bytes()).decode()
    except (OSError, zlib.error):
        return None


def keep(file: Path, text: str) -> None:
    """Write a file as a whole; of several processes that write the same, the last one stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as unfinished:
        unfinished.write(zlib.compress(text.encode(), level=1))
    Path(unfinished.name).rename(file)
