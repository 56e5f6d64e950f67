"""Verilog of an MRAM chip whose writes failed: every element equals golden that errs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from pydantic import ValidationError

from golden.mram.effects import ErringArrays, erring
from golden.network import infer
from hwgen.chip.effects import DeviceEffects
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.errors import ConfigError
from hwgen.mram.compiler import compile_network
from hwgen.mram.facts import Arch, Program
from hwgen.mram.model.predict import CycleModel
from hwgen.mram.sim import simulate
from tests.golden.mram.test_effects import with_effects
from tests.small_runs import SmallCase, small_case


def weak_case(**options: Any) -> tuple[SmallCase, Any]:
    """Return the small case on a chip with cells that can be sensed wrong, with its program."""
    case = small_case("mram")
    arch: Any = replace(cast(Arch, case.subject.arch), weak_sensing=True, **options)
    return replace(case, program=compile_network(case.subject.network, arch)), arch


def compared(
    case: SmallCase,
    arch: Any,
    effects: DeviceEffects,
    seed: int,
    *,
    trouble: Trouble = NO_TROUBLE,
    loaded: Callable[[ErringArrays], Program] = ErringArrays.loaded,
) -> tuple[int, int]:
    """Return the elements that differ from golden that errs, and those in which it errs."""
    network, program = case.subject.network, case.program
    chip = erring(network, arch, effects, seed, program)
    runs = simulate(arch, loaded(chip), case.images, modes=case.modes, trouble=trouble)
    wrong = errs = 0
    for run in runs:
        for image, maps in zip(run.images, run.maps, strict=True):
            mode, given = case.modes[image], case.images[image : image + 1]
            wanted = infer(network, given, mode=mode, sums_by=chip)
            exact = infer(network, given, mode=mode)
            assert network.answer in maps
            for name, found in maps.items():
                wrong += int((found != wanted[name][0]).sum())
                errs += int((wanted[name] != exact[name]).sum())
    return wrong, errs


@pytest.mark.promise("an MRAM chip with failed writes answers in Verilog as golden that errs")
def test_failed_writes() -> None:
    case = small_case("mram")
    wrong, errs = compared(case, case.subject.arch, with_effects(failed_writes=0.02), 1)
    assert wrong == 0 and errs


@pytest.mark.promise(
    "an MRAM chip with `weak_sensing` senses ANDs of weak cells wrong in Verilog as golden does,"
    " alone, beside failed writes, with all cells weak and with none, whatever the memory stalls"
)
@pytest.mark.parametrize(("weak", "failed"), [(0.01, 0.0), (0.05, 0.02), (1.0, 0.0), (0.0, 0.0)])
def test_weak_cells(weak: float, failed: float) -> None:
    case, arch = weak_case()
    effects = with_effects(weak_sensing=weak, failed_writes=failed)
    for seed, trouble in ((1, NO_TROUBLE), (2, Trouble(stall=40, seed=2))):
        wrong, errs = compared(case, arch, effects, seed, trouble=trouble)
        assert wrong == 0 and bool(errs) == bool(weak or failed)


@pytest.mark.dear
@pytest.mark.parametrize("options", [{"overlap": True}, {"write_back": True, "input_rows": 17}])
def test_weak_cells_with_options(options: dict[str, Any]) -> None:
    case, arch = weak_case(**options)
    wrong, errs = compared(case, arch, with_effects(weak_sensing=0.05), 1)
    assert wrong == 0 and errs


@pytest.mark.promise("weak cells that are loaded into another row or array are seen")
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_weak_cells_in_another_place_are_seen(axis: int) -> None:
    def loaded(chip: ErringArrays) -> Program:
        held = chip._held
        chip._held = held._replace(weak=np.roll(held.weak, 1, axis))
        found = chip.loaded()
        chip._held = held
        return found

    case, arch = weak_case()
    assert compared(case, arch, with_effects(weak_sensing=0.02), 1, loaded=loaded)[0] > 0


def test_cycles_of_a_load_with_weak_cells() -> None:
    """The model counts a row more for each row of weights."""
    case, arch = weak_case()
    (run, *_) = simulate(arch, case.program, case.images, modes=case.modes)
    (load,) = run.loads
    assert load == CycleModel(case.program, arch).predict_load()
    plain = small_case("mram")
    assert load > CycleModel(plain.program, plain.subject.arch).predict_load()
    assert run.counters["weight_row_writes"] == arch.sub_arrays * case.program.facts.weight_rows


def test_a_chip_without_weak_sensing_refuses_weak_cells() -> None:
    case = small_case("mram")
    arch: Any = case.subject.arch
    effects = with_effects(weak_sensing=0.01)
    chip = erring(case.subject.network, arch, effects, 1, case.program)
    said = "weak_sensing must be true, so that cells can be sensed wrong, got False"
    with pytest.raises(ConfigError, match=said):
        chip.loaded()
    weak = replace(arch, weak_sensing=True)
    assert weak.digest != arch.digest
    with pytest.raises(ValidationError, match="twins"):
        replace(weak, twins=True)
