"""A chip that runs too long or stores too much is given up, long before the disk is full."""

import pytest

from golden.network import infer
from hwgen.chip.limits import RunLimits
from hwgen.dbpim.model import CycleModel
from hwgen.dbpim.sim import STORING, simulate
from hwgen.errors import SimulationError
from tests.verif.dbpim.chips import chip_arch, compiled
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images


@pytest.mark.promise(
    "a chip that hangs or floods is given up after twice what is predicted, and the sentence"
    " says why"
)
def test_a_run_ends_at_its_limits() -> None:
    """At the predicted cycles and words a faultless run is whole; below either it is given up."""
    network, arch = directed("narrow"), chip_arch("tiny")
    program = compiled(network, arch)
    images = random_images(network, 1, seed=1)
    found = CycleModel(program, arch).predict(infer(network, images))
    stores = sum(found.events[name] for name in STORING)
    enough = RunLimits(cycles=found.cycles + 100, stores=stores)
    (run,) = simulate(arch, program, images, limits=enough)
    assert run.cycles == found.cycles and 1 < len(run.stores) <= stores
    with pytest.raises(SimulationError, match=r"still busy after 20 cycles \(image 0\)"):
        simulate(arch, program, images, limits=RunLimits(cycles=20))
    few = RunLimits(cycles=found.cycles + 100, stores=len(run.stores) - 1)
    with pytest.raises(SimulationError, match=r"stored more than \d+ words \(image 0\)"):
        simulate(arch, program, images, limits=few)
