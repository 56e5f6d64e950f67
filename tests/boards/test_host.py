"""A host at the serial port of a simulated board: oscillator and pins are driven, nothing else."""

from pathlib import Path

import numpy as np
import pytest

from golden.network import outputs
from tests.host.chips import board

BOARDS = (("ulx3s", "dbpim"), ("tang20k", "dbpim"), ("arty", "mram"))


@pytest.mark.dear("ulx3s")
@pytest.mark.promise(
    "over the serial port of each simulated board a host loads a program and gets golden's answers"
)
@pytest.mark.parametrize(("name", "family"), BOARDS, ids=[name for name, _ in BOARDS])
def test_answers_of_a_board(name: str, family: str, tmp_path: Path) -> None:
    given = board(family, "uart", tmp_path, fpga=name)
    images = given.images[:1]
    expected = outputs(given.subject.network, images)
    with given.line() as line:
        host = given.host(line)
        host.load(given.network)
        found = host.run(images)
    assert list(found) == list(expected)
    for each, values in expected.items():
        assert np.array_equal(found[each], values), each
