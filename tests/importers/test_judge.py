"""What answers inputs, held against what a file answers: counts, steps, states, distances."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from hwgen.importers.judge import RUNTIMES, Grid, judge, said_version


class Given:
    """A file that adds to a state what it is fed with, and answers with both."""

    name, setting = "a runtime 1.0", ""

    def __init__(self, noise: float = 0.0) -> None:
        self.noise, self.held = noise, np.zeros(4)

    def reset(self) -> None:
        self.held = np.zeros(4)

    def __call__(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
        self.held = self.held + feeds["x"][0]
        real = (self.held + self.noise)[np.newaxis].astype(np.float32)
        return {"y": real, "n": np.rint(self.held).astype(np.uint8)[np.newaxis]}


FEEDS = [{"x": np.full((1, 4), float(each))} for each in range(1, 5)]


@pytest.mark.promise("one function judges whatever answers inputs by the file it was made of")
def test_equal_answers_of_calls_that_depend_on_each_other() -> None:
    given = Given()
    given.held += 7
    found = judge(Given(), given, FEEDS, file="f", seconds=9)
    assert found.equal and found.foreseen
    assert (found.images, found.elements, found.steps, found.runtime) == (4, 32, 0, "a runtime 1.0")


def test_a_difference_is_told_in_steps_by_output() -> None:
    grids = {"y": Grid(step=0.25)}
    found = judge(Given(0.5), Given(), FEEDS, file="f", grids=grids, seconds=9)
    assert (found.different, found.steps, found.outputs) == (16, 2, {"y": 16})
    assert judge(Given(1e-6), Given(), FEEDS, file="f", grids=grids, seconds=9).equal
    slack = {"y": Grid(step=2.0, slack=0.5)}
    assert judge(Given(0.5), Given(), FEEDS, file="f", grids=slack, seconds=9).equal


def test_one_call_is_played_however_short_the_time() -> None:
    found = judge(Given(), Given(), FEEDS, file="f", seconds=-1)
    assert (found.images, found.elements) == (1, 8)


def test_an_answer_further_from_the_float_file_is_not_foreseen() -> None:
    near = judge(Given(0.1), Given(0.1), FEEDS, file="f", real=Given(), seconds=9)
    assert near.equal and near.foreseen and near.distances[0].ours == near.distances[0].quantized
    far = judge(Given(0.2), Given(0.1), FEEDS, file="f", real=Given(), seconds=9)
    (told,) = far.unforeseen
    assert "output y is 29.6 dB from the float file, where the quantized file's is 35.6 dB" in told


def test_a_version_that_was_never_compared_is_named() -> None:
    (first, *_) = RUNTIMES["onnxruntime"]
    assert said_version("onnxruntime", first) == first
    assert said_version("onnxruntime", "0.1") == "0.1 (never compared with hwgen)"
    assert said_version("numpy", "0.1") == "0.1"
