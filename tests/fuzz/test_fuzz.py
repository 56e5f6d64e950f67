"""A sample of mutated files and options in the default tests; all of them in the long ones."""

import pytest

from tests.fuzz.cases import KINDS
from tests.fuzz.run import COUNT, fuzz

SAMPLE = 60


@pytest.mark.parametrize("count", [SAMPLE, pytest.param(COUNT, marks=pytest.mark.long, id="all")])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of a fork beside threads
def test_no_file_and_no_option_is_a_fault(count: int) -> None:
    counts, faults = fuzz(count=count, seed=1, kinds=tuple(KINDS))
    assert counts.total() == count
    assert not [(trial.name, outcome.fault, outcome.err) for trial, outcome in faults]
    ended = {name.partition(": ")[2] for name in counts}
    assert {"exit code 0", "exit code 2"} <= ended
