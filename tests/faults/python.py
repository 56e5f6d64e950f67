"""Faults of Python modules, each in a copy of the tree against the tests of its module."""

import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from tests.changed.run import House, of_module, room_of
from tests.faults.operators import Change, changes_of_lines
from verif.toolchain import BUILD_ROOT

WORKERS = 2
SLACK_SECONDS = 60
"""A fault may take so much longer than three times its tests without it, then it hangs."""
FAILED = re.compile(r"^(?:FAILED|ERROR) ((?:studies/)?tests/.+?)(?: - .*)?$", re.MULTILINE)
NO_TESTS = 5
"""pytest's exit code where it has no test to run."""


@dataclass(frozen=True)
class PythonFault:
    """A change of a file below the root."""

    file: str
    change: Change

    def __str__(self) -> str:
        right, wrong = (" ".join(t.split()) for t in (self.change.right, self.change.wrong))
        return f"{self.file}:{self.change.line} {right} -> {wrong}"


@dataclass(frozen=True)
class Verdict:
    """How tests ended: `failed` is the first that did, empty where all passed.

    tests: how many files of them there are
    """

    failed: str
    seconds: float
    tests: int

    def __str__(self) -> str:
        word = (
            f"killed by {self.failed}" if self.failed else f"SURVIVED {self.tests} files of tests"
        )
        return f"{self.seconds:4.0f} s {word}"


def draw(root: Path, files: Iterable[str], count: int, seed: int) -> list[PythonFault]:
    """Return that many faults of different lines, fewer where there are not so many."""
    rng = random.Random(seed)
    texts = {file: (root / file).read_text(encoding="utf-8") for file in sorted(files)}
    lines = [
        (file, found) for file, text in texts.items() for found in changes_of_lines(text).values()
    ]
    faults: list[PythonFault] = []
    for file, found in rng.sample(lines, len(lines)):
        if len(faults) == count:
            break
        for change in rng.sample(found, len(found)):
            if differs(change.of(texts[file]), texts[file]):
                faults.append(PythonFault(file, change))
                break
    return faults


def differs(faulty: str, text: str) -> bool:
    """Return whether a text is a program, and another one."""
    try:
        compile(faulty, "", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return ast.dump(ast.parse(faulty)) != ast.dump(ast.parse(text))


def nearest_tests(file: str, known: House) -> tuple[str, ...]:
    """Return the tests of a file, as pytest takes them; none where no test reaches it.

    First those at its path or named in it, then those of its room that need the fewest files
    between. Where there is none of them those of the rooms around it, or a row of a table.
    """
    found = list(of_module(file, known, whole=False))
    own = [test for test, _, why in found if why in ("stands at the path of", "is named in")]
    rows = [(test, "-k", name) for test, name, why in found if why == "has the part of"]
    rings, room = known.rings(file), Path(room_of(file))
    near = first_ring(rings, room, known)
    *around, everywhere = (first_ring(rings, each, known) for each in room.parents[:-1])
    chosen = next(filter(None, [[*own, *near], *around, everywhere, *rows[:1]]), [])
    return tuple(dict.fromkeys(chosen))


def first_ring(rings: Iterable[set[str]], room: Path, known: House) -> list[str]:
    """Return the tests in a folder that need the fewest files between, simulations last."""
    tests = {test for test in known.tests if Path(test).is_relative_to(room)}
    nearest = next((ring & tests for ring in rings if ring & tests), set())
    return sorted(nearest, key=lambda test: (test.startswith("tests/verif"), test))


class Copies:
    """Copies of a tree, one for each worker; a fault stands in one while its tests run."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self._root = root
        self._free: SimpleQueue[Path] = SimpleQueue()
        self._sound: dict[tuple[object, ...], tuple[list[str], float]] = {}
        self._locks: dict[tuple[object, ...], Lock] = {}
        ignore = shutil.ignore_patterns(".*", "build", "__pycache__", "*.egg-info")
        for number in range(WORKERS):
            shutil.copytree(root, scratch / str(number), ignore=ignore)
            self._free.put(scratch / str(number))

    def verdict(self, texts: Mapping[str, str], tests: Sequence[str], *, plain: bool) -> Verdict:
        """Return how tests end with other texts of files; those that fail anyway are left out.

        plain: without compiled functions
        """
        if not tests:
            return Verdict("", 0, 0)
        begin = time.monotonic()
        anyway, seconds = self.without_fault(tests, plain)
        options = ["-x", *(f"--deselect={test}" for test in anyway)]
        limit = 3 * seconds + SLACK_SECONDS
        code, failed = self._run([*options, *tests], texts, plain=plain, limit=limit)
        failed = [] if code in (0, NO_TESTS) else failed or [f"pytest's code {code}"]
        return Verdict("".join(failed[:1]), time.monotonic() - begin, len(tests))

    def without_fault(self, tests: Sequence[str], plain: bool) -> tuple[list[str], float]:
        """Return the tests that fail without a fault, and how long all take."""
        key = (*tests, plain)
        with self._locks.setdefault(key, Lock()):
            if key not in self._sound:
                begin = time.monotonic()
                _, failed = self._run(tests, {}, plain=plain, limit=None)
                self._sound[key] = failed, time.monotonic() - begin
        return self._sound[key]

    def _run(
        self, options: Sequence[str], texts: Mapping[str, str], *, plain: bool, limit: float | None
    ) -> tuple[int, list[str]]:
        """Return pytest's code and the tests that failed; a run over its limit is one of them."""
        copy = self._free.get()
        places = {
            "HWGEN_BUILD_ROOT": str(BUILD_ROOT),
            "PYTHONPATH": os.pathsep.join([str(copy), str(copy / "studies")]),
            # Bytecode of a fault must not stay: files are known by second and size.
            **({"PYTHONDONTWRITEBYTECODE": "1"} if texts else {}),
            **({"NUMBA_DISABLE_JIT": "1"} if plain else {}),
        }
        for file, text in texts.items():
            (copy / file).write_text(text, encoding="utf-8")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", *options],
                cwd=copy,
                env={**os.environ, **places},
                capture_output=True,
                text=True,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return -1, ["time"]
        finally:
            for file in texts:
                shutil.copy2(self._root / file, copy / file)
            self._free.put(copy)
        return done.returncode, FAILED.findall(done.stdout)


def outcomes(
    root: Path, faults: Sequence[PythonFault], known: House
) -> Iterator[tuple[PythonFault, Verdict]]:
    """Yield each fault with how its tests end, in the order in which they were drawn."""

    def tried(fault: PythonFault) -> Verdict:
        # What is compiled would be compiled again for each fault.
        text = (root / fault.file).read_text(encoding="utf-8")
        plain = "hwgen.chip.compiled" in text
        return copies.verdict(
            {fault.file: fault.change.of(text)}, nearest_tests(fault.file, known), plain=plain
        )

    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(WORKERS) as pool:
        copies = Copies(root, Path(scratch))
        yield from zip(faults, pool.map(tried, faults), strict=True)
