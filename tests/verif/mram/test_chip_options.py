"""Chips with options of the architecture: values are golden's, cycles and events the model's."""

from dataclasses import replace

import pytest

from hwgen.chip.trouble import Trouble
from hwgen.mram.sim import simulate
from tests.verif.mram.chips import (
    DEEP_NETWORKS,
    check_cycles,
    check_maps,
    chip_arch,
    compiled,
    images_of,
    residual_network,
    twin_records,
)

TINY = chip_arch("tiny")
OPTIONS = {
    "overlap": {"overlap": True},
    "twins": {"twins": True},
    "both": {"overlap": True, "twins": True},
    "written back": {"write_back": True, "input_rows": 17},
    "written back, no adder": {"write_back": True, "input_rows": 17, "twins": True, "adder": False},
    "no adder": {"adder": False},
    "copies of kernels": {"kernel_copies": 2},
}


@pytest.mark.dear
@pytest.mark.promise(
    "so are values, cycles and events of chips with options of the architecture, whatever the"
    " memory's pace"
)
@pytest.mark.parametrize("mapping", ["positions", "seed"])
@pytest.mark.parametrize("name", DEEP_NETWORKS)
@pytest.mark.parametrize("option", OPTIONS)
def test_values_and_cycles_of_every_mode(option: str, name: str, mapping: str) -> None:
    arch = replace(TINY, **OPTIONS[option])
    network = DEEP_NETWORKS[name](11)
    modes = [0, 2, 1, 1]
    program = compiled(network, arch, images=len(modes), mapping=mapping)
    # The seed's mapping holds every kernel once.
    assert (twin_records(program, arch) > 0) == (arch.twins and mapping == "positions")
    images = images_of(network, len(modes))
    (run,) = simulate(arch, program, images, modes=modes, seed=3)
    check_maps(run, network, images)
    check_cycles(run, program, arch, modes)


@pytest.mark.dear
@pytest.mark.parametrize("option", OPTIONS)
def test_a_slow_memory_changes_no_value(option: str) -> None:
    arch = replace(TINY, **OPTIONS[option])
    network = residual_network(12, deep=True)
    images, modes = images_of(network, 2), [1, 0]
    program = compiled(network, arch, images=2)
    assert (twin_records(program, arch) > 0) == arch.twins
    trouble = Trouble(stall=40, seed=4)
    (run,) = simulate(arch, program, images, modes=modes, trouble=trouble, seed=4)
    check_maps(run, network, images)
    (fast,) = simulate(arch, program, images, modes=modes)
    assert run.events == fast.events
    assert run.cycles > fast.cycles
