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
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from tests.changed.run import House, of_module, room_of
from tests.faults.operators import Change, changes_of_lines
from verif.toolchain import BUILD_ROOT

WORKERS = 2
FIRST_SECONDS = 240
"""Of a run with a fault; it is asked only then how long the tests take without it."""
SLACK_SECONDS = 60
"""A fault may take so much longer than three times its tests without it, then it hangs."""
TIME = "time"
"""What fails where a run takes longer than it may."""
NEAR, LANDING, ALL = "near", "scripts/test", "--all"
"""Which tests kill a fault: those near it, others of `scripts/test`, others of `--all`."""
FILES_OF_RUN = 8
"""So many files of tests are collected together."""
FAILED = re.compile(r"^(?:FAILED|ERROR) ((?:studies/)?tests/.+?)(?: - .*)?$", re.MULTILINE)
UNKNOWN, NO_TESTS = 4, 5
"""pytest's exit codes where it does not know a test, and where it has none to run."""


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

    tests: how many files of them there are; by: which tests they are; stopped: seconds after which
        more of them were not tried, 0 where all were
    """

    failed: str
    seconds: float
    tests: int
    by: str = NEAR
    stopped: float = 0

    def __str__(self) -> str:
        word = f"killed by {self.failed}"
        if not self.failed:
            stopped = f", stopped after {self.stopped:g} s" if self.stopped else ""
            word = f"SURVIVED {self.tests} files of tests{stopped}"
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


def further_tests(file: str, known: House) -> list[str]:
    """Return the files of tests that reach a module: of the rooms around it, the nearest first.

    In a room those first that need few files between, simulations last.
    """
    room = Path(room_of(file))
    rooms = (room, *room.parents)
    found = [
        (next(rooms.index(each) for each in Path(test).parents if each in rooms), number, test)
        for number, ring in enumerate(known.rings(file))
        for test in ring.intersection(known.tests)
    ]
    return [test for *_, test in sorted(found, key=lambda each: ("verif/" in each[-1], *each))]


class Copies:
    """Copies of a tree, one for each worker; a fault stands in one while its tests run."""

    def __init__(self, root: Path, scratch: Path, workers: int = WORKERS) -> None:
        self._root = root
        self._free: SimpleQueue[Path] = SimpleQueue()
        self._sound: dict[tuple[object, ...], tuple[int, float]] = {}
        self._locks: dict[tuple[object, ...], Lock] = {}
        ignore = shutil.ignore_patterns(".*", "build", "__pycache__", "*.egg-info")
        for number in range(workers):
            shutil.copytree(root, scratch / str(number), ignore=ignore)
            self._free.put(scratch / str(number))

    def verdict(
        self, texts: Mapping[str, str], tests: Sequence[str], *, plain: bool, only: str = ""
    ) -> Verdict:
        """Return how tests end with other texts of files; those that fail anyway are left out.

        plain: without compiled functions; only: option of pytest, which tests
        """
        if not tests:
            return Verdict("", 0, 0)
        begin, chosen = time.monotonic(), [*filter(None, [only]), *tests]
        failed = self.first_failure(chosen, texts, plain=plain, limit=FIRST_SECONDS)
        if failed == TIME:
            limit = 3 * self.without_fault(chosen, plain) + SLACK_SECONDS
            if limit > FIRST_SECONDS:
                failed = self.first_failure(chosen, texts, plain=plain, limit=limit)
        return Verdict(failed, time.monotonic() - begin, len(tests))

    def further(
        self,
        texts: Mapping[str, str],
        near: Sequence[str],
        tests: Sequence[str],
        *,
        plain: bool,
        seconds: float,
    ) -> Verdict:
        """Return how further tests end, then the dear ones, those near too; each so many seconds.

        A run that is stopped kills nothing.
        """
        begin, stopped = time.monotonic(), 0.0
        others = [test for test in tests if test not in near]
        runs = [others[at : at + FILES_OF_RUN] for at in range(0, len(others), FILES_OF_RUN)]
        for by, option, each in (
            (LANDING, "--landing", runs),
            (ALL, "--dear", [near, *runs]),
        ):
            until = time.monotonic() + seconds
            for some in filter(None, each):
                left = until - time.monotonic()
                failed = (
                    self.first_failure([option, *some], texts, plain=plain, limit=left)
                    if left > 0
                    else TIME
                )
                if failed == TIME:
                    stopped = seconds
                    break
                if failed:
                    return Verdict(failed, time.monotonic() - begin, len(some), by)
        count = len({*near, *others})
        return Verdict("", time.monotonic() - begin, count, by="", stopped=stopped)

    def first_failure(
        self, options: Sequence[str], texts: Mapping[str, str], *, plain: bool, limit: float
    ) -> str:
        """Return the first test that fails with other texts of files alone; empty: none does.

        What fails without compiled functions, and no fault, meets the fault with them.
        """
        anyway: list[str] = []
        while True:
            code, failed = self._run(["-x", *anyway, *options], texts, plain=plain, limit=limit)
            if code in (0, NO_TESTS):
                return ""
            first = failed[0] if failed else f"pytest's code {code}"
            left_out = f"--{'deselect' if '::' in first else 'ignore'}={first}"
            if not failed or first == TIME or left_out in anyway or self.passes(first, plain=plain):
                return first
            if plain and self.passes(first, plain=False):
                return self.first_failure(options, texts, plain=False, limit=limit)
            anyway.append(left_out)

    def passes(self, test: str, *, plain: bool) -> bool:
        """Return whether a test passes without a fault, with all parameters if its name is cut."""
        code, _ = self._once([test], plain)
        return (self._once([test.partition("[")[0]], plain)[0] if code == UNKNOWN else code) == 0

    def without_fault(self, tests: Sequence[str], plain: bool) -> float:
        """Return how many seconds tests take without a fault."""
        return self._once(tests, plain)[1]

    def _once(self, tests: Sequence[str], plain: bool) -> tuple[int, float]:
        """Return pytest's code for tests without a fault, and their seconds."""
        key = (*tests, plain)
        with self._locks.setdefault(key, Lock()):
            if key not in self._sound:
                begin = time.monotonic()
                code, _ = self._run(tests, {}, plain=plain, limit=None)
                self._sound[key] = code, time.monotonic() - begin
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
            return -1, [TIME]
        finally:
            for file in texts:
                shutil.copy2(self._root / file, copy / file)
            self._free.put(copy)
        return done.returncode, FAILED.findall(done.stdout)


def outcomes(
    root: Path,
    faults: Sequence[PythonFault],
    known: House,
    *,
    reach: float | None = None,
    workers: int = WORKERS,
    before: Mapping[str, Verdict] | None = None,
) -> Iterator[tuple[PythonFault, Verdict]]:
    """Yield each fault with how its tests end, in the order in which they were drawn.

    reach: seconds that a fault which the tests near it leave meets the others that reach its
        module, and as many the dear ones; None: the tests near it alone, dear ones too
    before: verdicts by the text of the fault, which stay but for survivors that met others shorter
    """
    found = before or {}

    def tried(fault: PythonFault) -> Verdict:
        # What is compiled would be compiled again for each fault.
        text = (root / fault.file).read_text(encoding="utf-8")
        plain, texts = "hwgen.chip.compiled" in text, {fault.file: fault.change.of(text)}
        near = nearest_tests(fault.file, known)
        verdict = found.get(str(fault))
        if verdict is None:
            only = "" if reach is None else "--landing"
            verdict = copies.verdict(texts, near, plain=plain, only=only)
            if reach is not None and not verdict.failed:
                verdict = replace(verdict, by="")
        if verdict.failed or not reach or 0 < verdict.stopped >= reach:
            return verdict
        others = further_tests(fault.file, known)
        further = copies.further(texts, near, others, plain=plain, seconds=reach)
        return replace(further, seconds=verdict.seconds + further.seconds)

    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(workers) as pool:
        copies = Copies(root, Path(scratch), workers)
        yield from zip(faults, pool.map(tried, faults), strict=True)
