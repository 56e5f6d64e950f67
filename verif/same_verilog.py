"""Whether two texts of a module are the same logic, by Yosys' SAT solver.

Both get the same inputs, the same values in all registers and memories, and the same outputs of
what they place. Proved is that their outputs, the next values of all registers, and the inputs of
what they place are the same: so no run tells them apart, whatever the state.

A register of one text without a like-named one in the other stands beside one of the same width and
first value, whichever: a wrong one is not proved.

    python -m verif.same_verilog BEFORE AFTER [--seconds 60]     two folders of `hwgen build`
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hwgen.chip.rtl.check_text import without_assertions
from hwgen.errors import DesignError
from verif.yosys import run_yosys

SECONDS = 60
"""Of the solver for a module, after which nothing is known."""
PROCESSES = 2
BEFORE, AFTER = "before", "after"
INSTANCE = re.compile(r"^  (\w+) (?:#\(|\S+ *\()", re.M)
REGISTER = re.compile(
    r"^  (?:output )?reg (?:signed )?(?:\[(\d+):0\] )?(\\\S+|\w[\w$]*) ?(?: = .*)?[;,]", re.M
)
CLOCKED = re.compile(r"^ +(?:[^\n<]* )?(\\\S+|\w[\w$]*) *(?:\[[^\]\n]*\] *)?<= ", re.M)
PROVED = "no model found: SUCCESS"
DIFFERS = "the solver found a difference"
ANSWERS = {"model found: FAIL": DIFFERS, "SAT solver: TIMEOUT": "the solver ran out of time"}
"""What the rest of Yosys' answer means."""
SCRIPT = f"""
proc
memory_collect
memory_map
opt_clean
rename -hide w:* t:$dff %x1:+[Q] %d
expose -evert-dff -evert {BEFORE} {AFTER}
miter -equiv -make_assert -flatten {BEFORE} {AFTER} both
hierarchy -top both
flatten
opt -full
"""


@dataclass(frozen=True)
class Compared:
    """A module, whether it is proved the same, how long that took, and what Yosys said if not."""

    name: str
    is_same: bool
    seconds: float
    said: str = ""


def compare(
    name: str, before: Mapping[str, str], after: Mapping[str, str], seconds: int = SECONDS
) -> Compared:
    """Return whether a module of two designs, Verilog by module name, is the same logic."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            said = run_yosys(script(name, before, after, seconds, Path(scratch)), Path(scratch))
        except DesignError as error:
            said = str(error)
    is_same = PROVED in said
    why = next((text for mark, text in ANSWERS.items() if mark in said), said[-400:])
    return Compared(name, is_same, time.monotonic() - began, "" if is_same else why)


def script(
    name: str, before: Mapping[str, str], after: Mapping[str, str], seconds: int, folder: Path
) -> str:
    """Write both texts of a module into a folder; return what proves that they are the same."""
    placed = sorted(set(INSTANCE.findall(before[name])) & before.keys() - {name})
    lines = []
    for one in placed:
        (folder / f"{one}.v").write_text(before[one], encoding="utf-8")
        lines.append(f"read_verilog -lib {one}.v\n")
    for side, text in ((BEFORE, before[name]), (AFTER, with_names_of(before[name], after[name]))):
        (folder / f"{side}.v").write_text(text, encoding="utf-8")
        lines.append(f"read_verilog {side}.v\nrename {name} {side}\n")
    solve = f"sat -timeout {seconds} -prove-asserts -set-assumes\n"
    return "".join(lines) + SCRIPT + solve


def with_names_of(before: str, after: str) -> str:
    """Return a text whose registers have the names of the other, those with new names too."""
    old, new = registers_of(before), registers_of(after)
    waiting = [(name, kind) for name, kind in old.items() if name not in new]
    for name, kind in new.items():
        same = next((one for one in waiting if one[1] == kind), None)
        if name not in old and same is not None:
            waiting.remove(same)
            read = re.compile(rf"(?<![\w$.\\]){re.escape(name)}(?![\w$])")
            after = read.sub(f"{same[0]} ".replace("\\", "\\\\"), after)
    return after


def registers_of(text: str) -> dict[str, str]:
    """Return the highest bit of each register that a clock sets."""
    clocked = set(CLOCKED.findall(text))
    return {name: high for high, name in REGISTER.findall(text) if name in clocked}


def compare_all(
    before: Mapping[str, str], after: Mapping[str, str], seconds: int = SECONDS
) -> Iterator[Compared]:
    """Yield each module of two designs of the same modules, compared.

    Raises ValueError for designs of other modules
    """
    if before.keys() != after.keys():
        raise ValueError(f"both must have the same modules, got {before.keys() ^ after.keys()}")
    with ThreadPoolExecutor(PROCESSES) as threads:
        yield from threads.map(lambda name: compare(name, before, after, seconds), sorted(before))


def read_folder(folder: Path) -> dict[str, str]:
    """Return the logic of a folder by the names of its files, which are those of the modules."""
    names = (folder / "files.f").read_text(encoding="utf-8").split()
    texts = {Path(name).stem: (folder / name).read_text(encoding="utf-8") for name in names}
    return {name: without_assertions(text) for name, text in texts.items()}


def main() -> None:
    """Compare two folders; exit with 1 where a module is not proved the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of the solver for a module")
    given = parser.parse_args()
    proved, total, seconds = 0, 0, 0.0
    for one in compare_all(read_folder(given.before), read_folder(given.after), given.seconds):
        total, proved, seconds = total + 1, proved + one.is_same, seconds + one.seconds
        if not one.is_same:
            print(f"{one.name}: not proved in {one.seconds:.0f} s: {one.said}")
    print(f"{proved} of {total} modules are proved the same, {seconds:.0f} s")
    sys.exit(proved < total)


if __name__ == "__main__":
    main()
