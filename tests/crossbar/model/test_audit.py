"""One peak power: what the audit counts in the architecture file is what the evaluator bought."""

import ast
from pathlib import Path

import pytest

import hwgen.crossbar.model.audit as program
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.audit import audit, total_peak_w
from hwgen.crossbar.model.record import Confirmed, confirm, design_of, make_arch
from hwgen.errors import DesignError
from tests.crossbar.model.random_designs import random_case

DESIGNS = 100
"""Of each set of rules."""

WATTS = 1e-9


def confirmed(seed: int, rules: Rules) -> Confirmed | None:
    """A random design; None if it cannot be built."""
    case = random_case(seed, rules)
    choice = case.choice
    try:
        return confirm(
            case.network,
            case.components,
            point=case.point,
            rules=rules,
            power_w=case.power_w,
            design=design_of(choice.copies, choice.macros, choice.partner, choice.clocks),
        )
    except DesignError:
        return None


@pytest.mark.dear("published")
@pytest.mark.promise("the audit of a crossbar chip counts the peak power that its evaluator bought")
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_an_audit_agrees_with_the_evaluator(rules: Rules) -> None:
    """In random networks with scratchpads whose accesses take no whole clocks."""
    seen, seed = 0, 0
    while seen < DESIGNS:
        found = confirmed(seed, rules)
        seed += 1
        if found is None:
            continue
        seen += 1
        counted = total_peak_w(audit(make_arch(found, "random"), found.components))
        assert counted == pytest.approx(found.cost.peak_w, rel=0, abs=WATTS), seed


def test_an_audit_is_a_program_of_its_own() -> None:
    """It reads files and constants, and nothing that designs were found or judged with."""
    tree = ast.parse(Path(program.__file__).read_text(encoding="utf-8"))
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = [name for name in names if name.startswith("hwgen")]
    assert ours and all(name.startswith(("hwgen.errors", "hwgen.crossbar.facts")) for name in ours)
