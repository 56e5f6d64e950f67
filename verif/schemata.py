"""Many faults of a chip's Verilog in one simulator, chosen by a number when it starts.

Each faulty line of the emitted Verilog computes `chosen == N ? faulty : right`; without `+mutant=N`
the chip is the right one. `tests/faults` runs them.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hwgen.chip.rtl.check_text import without_assertions

PACKAGE = "schemata"
CHOSEN = f"{PACKAGE}::chosen"
DECLARED = f"package {PACKAGE};\n  int chosen;\nendpackage\n"
READ = f'  initial if (!$value$plusargs("mutant=%d", {CHOSEN})) {CHOSEN} = 0;\n'
SWAPPED = {"&": "|", "|": "&", "+": "-", "-": "+", "==": "!=", "!=": "==", "<": ">=", ">": "<="}
"""What stands for each operator in a faulty line."""
ASSIGNED = re.compile(r"(\s+(?!reg |wire |initial |localparam )\S.*? <?= )(.+)(;)")
CONDITION = re.compile(r"(\s*(?:end else )?if \()(?!rst\b)(.+)(\) begin)")
CUT = re.compile(r"^( *)(?!//)(\S.*[,&|+^?:])\n\1    (?! )", re.M)
"""The place where a statement goes on in the next line, four columns further in."""
LABEL = re.compile(r"(?:[\w?']+, )*[\w?']+:")
CONSTANT = re.compile(r"\b(\d+)'h([0-9a-f]+)\b")


@dataclass(frozen=True)
class Fault:
    """A line of a module, counted from 1, where `right` becomes `wrong`.

    Lines are those of `in_lines`: a statement that takes several counts as one.
    """

    module: str
    line: int
    right: str
    wrong: str


def in_lines(text: str) -> str:
    """Return the Verilog of a module with each statement in one line, however long."""

    def joined(found: re.Match[str]) -> str:
        if LABEL.fullmatch(found[2]):
            return found[0]
        return f"{found[1]}{found[2]} "

    while (shorter := CUT.sub(joined, text)) != text:
        text = shorter
    return text


def faults_of(modules: Mapping[str, str], *, about: str = "") -> Iterator[list[Fault]]:
    """Yield the faults of each line that has any: they exclude each other.

    about: a pattern that the line holds, or the name of its module before it
    """
    for module, text in modules.items():
        # Assertions are at the end: no number of a line before them changes.
        for number, line in enumerate(in_lines(without_assertions(text)).splitlines(), 1):
            if found := CONDITION.fullmatch(line):
                wrong = ["1'h0", "1'h1"]
            elif found := ASSIGNED.fullmatch(line):
                wrong = list(wrong_values(found[2]))
            else:
                continue
            if wrong and re.search(about, f"{module} {line}"):
                yield [Fault(module, number, found[2], each) for each in wrong]


def wrong_values(right: str) -> Iterator[str]:
    """Yield an expression with another operator, with arms exchanged, or with a bit changed."""
    for operator, other in SWAPPED.items():
        if f" {operator} " in right:
            yield right.replace(f" {operator} ", f" {other} ", 1)
    arms = re.fullmatch(r"(.+) \? (.+) : (.+)", right) if right.count(" ? ") == 1 else None
    if arms and all(each.count("(") == each.count(")") for each in arms.groups()):
        yield f"{arms[1]} ? {arms[3]} : {arms[2]}"
    for found in CONSTANT.finditer(right):
        changed = int(found[2], 16) ^ 1
        yield f"{right[: found.start()]}{found[1]}'h{changed:x}{right[found.end() :]}"


def choose(modules: Mapping[str, str], count: int, seed: int, *, about: str = "") -> list[Fault]:
    """Return that many faults of different lines, fewer where there are not so many.

    about: a pattern that each of the lines holds, or the name of its module before it
    """
    rng, lines = random.Random(seed), list(faults_of(modules, about=about))
    return [rng.choice(each) for each in rng.sample(lines, min(count, len(lines)))]


def faulty(text: str, fault: Fault) -> str:
    """Return the Verilog of a module with its fault alone."""
    lines = in_lines(text).splitlines(keepends=True)
    begin, _, end = parts_of(lines[fault.line - 1], fault)
    lines[fault.line - 1] = f"{begin}{fault.wrong}{end}\n"
    return "".join(lines)


def parts_of(line: str, fault: Fault) -> tuple[str, str, str]:
    """Return what stands before, in and behind the place of a fault in its line."""
    found = CONDITION.fullmatch(line.rstrip()) or ASSIGNED.fullmatch(line.rstrip())
    assert found is not None and found[2] == fault.right
    return found[1], found[2], found[3]


def planted(modules: Mapping[str, str], faults: Sequence[Fault], top: str) -> dict[str, str]:
    """Return the modules with all faults, number 1 for the first; the package comes first."""
    lines = {name: in_lines(text).splitlines(keepends=True) for name, text in modules.items()}
    for number, fault in enumerate(faults, 1):
        begin, right, end = parts_of(lines[fault.module][fault.line - 1], fault)
        chosen = f"{CHOSEN} == {number} ? ({fault.wrong}) : ({right})"
        lines[fault.module][fault.line - 1] = f"{begin}{chosen}{end}\n"
    texts = {name: "".join(each) for name, each in lines.items()}
    body, end, rest = texts[top].rpartition("endmodule")
    return {PACKAGE: DECLARED, **texts, top: f"{body}{READ}{end}{rest}"}
