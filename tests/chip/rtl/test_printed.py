"""What is printed computes what Amaranth simulates; each fault of a printer is seen."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hwgen.chip.rtl import block_text, blocks, expressions, logic, statements
from hwgen.chip.rtl.emit import verilog_of
from hwgen.chip.rtl.nodes import ZERO, Nets
from hwgen.chip.rtl.statements import Steps
from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.rtl.output_stage import OutputStage
from hwgen.files.shipped import shipped_folder
from tests.chip.rtl.every import OUTPUTS, Every, by_amaranth, by_icarus, stimuli

SEED = 5
Arms = Sequence[tuple[int, Steps]]
Fault = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def expected() -> list[list[int]]:
    return by_amaranth(stimuli(SEED))


def differing(text: str, expected: list[list[int]], folder: Path) -> set[str]:
    """Return the outputs that are not as they should be in some cycle behind the first reset."""
    found = by_icarus(text, stimuli(SEED), folder)
    assert len(found) == len(expected)
    return {
        name
        for row, right in list(zip(found, expected, strict=True))[1:]
        for name, one, other in zip(OUTPUTS, row, right, strict=True)
        if one != other
    }


@pytest.mark.promise("emitted Verilog computes what Amaranth's own simulator does, each operator")
def test_every_statement(expected: list[list[int]], tmp_path: Path) -> None:
    assert differing(verilog_of([Every()]), expected, tmp_path) == set()


def cut_off_carry(patch: pytest.MonkeyPatch) -> None:
    made = expressions.Expressions.made

    def alone(texts: expressions.Expressions, number: int) -> expressions.Text:
        found = made(texts, number)
        if not found.firm and " + " in found.text and found.text[0] != "{":
            found.text = f"{{{found.text}}}"
        return found

    patch.setattr(expressions.Expressions, "made", alone)


def lost_sign(patch: pytest.MonkeyPatch) -> None:
    right = expressions.Expressions._signed

    def unsigned(texts: expressions.Expressions, sign: str, given: list[Nets]) -> expressions.Text:
        found = right(texts, sign, given)
        found.text = found.text.replace("$signed(", "(")
        return found

    patch.setattr(expressions.Expressions, "_signed", unsigned)


def write_order(patch: pytest.MonkeyPatch) -> None:
    right = logic.Logic.memory_lines

    def turned(cells: logic.Logic) -> list[str]:
        cells._numbers.reverse()
        return list(right(cells))

    patch.setattr(logic.Logic, "memory_lines", turned)


def dropped_enable(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(logic.Logic, "_guarded", lambda cells, enable, line: [f"    {line}"])


def missing_reset(patch: pytest.MonkeyPatch) -> None:
    right = logic.Logic._clocked

    def without(cells: logic.Logic, block: blocks.Block) -> list[str]:
        block.reset = ZERO
        return list(right(cells, block))

    patch.setattr(logic.Logic, "_clocked", without)


def forgotten_assignment(patch: pytest.MonkeyPatch) -> None:
    right = statements.steps_of
    for place in (blocks, block_text):
        patch.setattr(place, "steps_of", lambda *given: right(*given)[-1:])


def rests_as_the_last(patch: pytest.MonkeyPatch) -> None:
    right = block_text.BlockText._case

    def turned(cells: logic.Logic, arms: Arms, otherwise: Steps, how: str, depth: int) -> list[str]:
        lines = list(right(cells, arms, otherwise, how, depth))
        if lines[-2].strip() == "default: ;":
            lines[-2:-1] = []
            lines[-2] = re.sub(r"\S+: ", "default: ", lines[-2])
        return lines

    patch.setattr(logic.Logic, "_case", turned)


@pytest.mark.promise(
    "a printer that cuts a carry off, loses a sign, turns writes of a memory round, drops an"
    " enable, a reset or a choice that does nothing is seen"
)
@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (cut_off_carry, "sum"),
        (lost_sign, "compares"),
        (lost_sign, "product"),
        (write_order, "at_once"),
        (dropped_enable, "read"),
        (missing_reset, "kept"),
        (forgotten_assignment, "prefix"),
        (rests_as_the_last, "rests"),
    ],
)
def test_faults_of_the_printer(
    monkeypatch: pytest.MonkeyPatch,
    expected: list[list[int]],
    tmp_path: Path,
    fault: Fault,
    seen: str,
) -> None:
    fault(monkeypatch)
    assert seen in differing(verilog_of([Every()]), expected, tmp_path)


@pytest.mark.promise("no net of the emitted Verilog is assigned twice")
def test_nothing_is_assigned_twice() -> None:
    """Parts of one choice of four results, which goes out as expressions."""
    arch = load_arch(shipped_folder() / "dbpim/paper.yaml")
    lines = verilog_of([OutputStage(arch=arch)]).splitlines()
    targets = [line.split("=")[0] for line in lines if line.startswith("  assign ")]
    assert len(targets) > 3 and len(set(targets)) == len(targets)
