"""Every bench at the sizes of an architecture that a person gives: `scripts/test --arch FILE`."""

from pathlib import Path

import pytest

from hwgen.mram.facts.arch import Arch
from hwgen.mram.sim import simulate
from tests.verif.mram.chips import (
    check_cycles,
    check_maps,
    compiled,
    images_of,
    narrow_network,
    residual_network,
)
from tests.verif.mram.test_array_side import run_side
from tests.verif.mram.test_parts import ARRAY_SIDE, CHIP_SIDE
from verif.mram.array_parts import array_parts
from verif.mram.chip_parts import chip_parts
from verif.mram.component import settings
from verif.runner import build, given_replacements, run

pytestmark = pytest.mark.given_arch

SIDES = {part: array_parts for part in ARRAY_SIDE.split()}
SIDES |= {part: chip_parts for part in CHIP_SIDE.split()}
NETWORKS = {"residual": residual_network, "narrow": narrow_network}


@pytest.mark.parametrize("part", SIDES)
def test_part(part: str, given_arch: Arch, tmp_path: Path) -> None:
    executable = build(SIDES[part](given_arch))
    run(
        executable,
        module=f"verif.mram.bench_{part}",
        folder=tmp_path,
        settings=settings(given_arch),
    )


def test_array_side(given_arch: Arch, tmp_path: Path) -> None:
    run_side(given_arch, tmp_path)


@pytest.mark.parametrize("name", NETWORKS)
def test_network(name: str, given_arch: Arch) -> None:
    """A whole network in three widths: every element, cycle and event as predicted."""
    given = given_replacements()
    network, modes = NETWORKS[name](1), [0, 2, 1, 1, 0, 2]
    program = compiled(network, given_arch, images=len(modes))
    images = images_of(network, len(modes))
    (done,) = simulate(given_arch, program, images, modes=modes, replacements=given)
    check_maps(done, network, images)
    check_cycles(done, program, given_arch, modes)
