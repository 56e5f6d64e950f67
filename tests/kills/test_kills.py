"""A command that is ended at any moment leaves no process, and goes on when it is given again."""

import pytest

from tests.kills.run import COMMANDS, kill, result_of

MOMENTS = 20


@pytest.mark.long
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_goes_on(name: str) -> None:
    said: list[str] = []
    assert kill(name, moments=MOMENTS, seed=1, say=said.append) == 0, said


def test_times_and_places_are_no_result() -> None:
    one = {"seconds": 1, "runs": [{"cycles": 7, "wall_seconds": 2}], "file": "/a"}
    other = {"seconds": 2, "runs": [{"cycles": 7, "wall_seconds": 3}], "file": "/b"}
    assert result_of(one) == result_of(other) == {"runs": [{"cycles": 7}]}
