"""Verilog of an MRAM chip whose writes failed: every element equals golden that errs."""

from typing import Any

import numpy as np
import pytest

from golden.mram.effects import erring
from golden.network import infer
from hwgen.errors import FamilyError
from hwgen.mram.sim import simulate
from tests.golden.mram.test_effects import with_effects
from tests.small_runs import small_case


@pytest.mark.promise("an MRAM chip with failed writes answers in Verilog as golden that errs")
def test_failed_writes() -> None:
    case = small_case("mram")
    network, program = case.subject.network, case.program
    arch: Any = case.subject.arch
    chip = erring(network, arch, with_effects(failed_writes=0.02), 1, program)
    runs = simulate(arch, chip.loaded(), case.images, modes=case.modes)
    errs = compared = 0
    for run in runs:
        for image, maps in zip(run.images, run.maps, strict=True):
            mode, given = case.modes[image], case.images[image : image + 1]
            wanted = infer(network, given, mode=mode, sums_by=chip)
            exact = infer(network, given, mode=mode)
            for name, found in maps.items():
                np.testing.assert_array_equal(found, wanted[name][0], err_msg=name)
                errs += int((wanted[name] != exact[name]).sum())
                compared += 1
    assert compared and errs


def test_cells_that_are_sensed_wrong_are_refused() -> None:
    case = small_case("mram")
    network = case.subject.network
    arch: Any = case.subject.arch
    effects = with_effects(weak_sensing=0.01)
    chip = erring(network, arch, effects, 1, case.program)
    with pytest.raises(FamilyError, match="no cells that are sensed wrong yet"):
        chip.loaded()
