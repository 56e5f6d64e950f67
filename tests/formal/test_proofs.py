"""Small parts are proved at small sizes, and the planted fault of each is refuted."""

from collections.abc import Callable

import pytest

from verif.formal.proof import Answer, Fault, Method, Proof, answer_of
from verif.formal.registry import LARGE, PROOFS

EACH = pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=name, marks=[pytest.mark.formal] * (name in LARGE))
        for name, make in PROOFS.items()
    ],
)


@EACH
def test_holds(make: Callable[[], Proof]) -> None:
    assert make().holds() is Answer.HOLDS


@EACH
def test_the_fault_is_refuted(make: Callable[[], Proof]) -> None:
    assert make().refutes() is Answer.REFUTED


@EACH
def test_says_what_is_proved(make: Callable[[], Proof]) -> None:
    assert make.__doc__


def test_a_fault_that_stands_nowhere_is_an_error() -> None:
    with pytest.raises(ValueError, match="must hold 'no such text'"):
        Fault(module="part", old="no such text", new="").planted({"part": "module part;"})


def test_a_bounded_method_says_why() -> None:
    with pytest.raises(ValueError, match="must say why its bound is enough"):
        Method(kind="bounded", cycles=5)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("SAT proof finished - no model found: SUCCESS!", Answer.HOLDS),
        (
            "SAT temporal induction proof finished - model found for base case: FAIL!",
            Answer.REFUTED,
        ),
        ("Reached maximum number of time steps -> proof failed.", Answer.UNKNOWN),
    ],
)
def test_what_yosys_says(said: str, answer: Answer) -> None:
    assert answer_of(said) is answer
