"""The conductor, which counts, starts everything in the steps of the event queue."""

import pytest

from hwgen.crossbar.model.conductor import Conductor
from tests.crossbar.model.conducted import Starts, chip_and_stream, promised_starts, random_design
from tests.synthesis import ALONE, DESIGN, confirmed

MOST_STEPS = 4000
"""Of a random design in the default tests."""


def counted(conductor: Conductor, most: int) -> Starts:
    """Return the starts of a conductor, which must be over in `most` steps."""
    found = {(each.layer, each.index, each.block): each.step for each in conductor.run(most)}
    assert conductor.is_over
    return found


def compare(seed: int, most_steps: int) -> bool:
    """Hold one image and a stream of 12 to the event queue; return whether there was a design."""
    design = random_design(seed)
    if design is None or design.cost.steps > most_steps:
        return False
    chip, interval = chip_and_stream(design)
    for images in (1, 12):
        promised = promised_starts(design, images, interval)
        conductor = Conductor(chip, images=images, interval=interval)
        assert counted(conductor, max(promised.values()) + 1) == promised, f"{seed}, {images}"
        assert images > 1 or conductor.steps == design.cost.steps, f"{seed}"
    return True


@pytest.mark.promise(
    "counters start every operation in the steps of the schedule, one image and streams, on"
    " random designs"
)
@pytest.mark.parametrize("chosen", [ALONE, DESIGN], ids=["alone", "shared"])
def test_a_design_of_every_kind_of_layer(chosen: object) -> None:
    design = confirmed(chosen)  # type: ignore[arg-type]
    chip, interval = chip_and_stream(design)
    for images in (1, 3):
        promised = promised_starts(design, images, interval)
        conductor = Conductor(chip, images=images, interval=interval)
        assert counted(conductor, max(promised.values()) + 1) == promised


@pytest.mark.dear
def test_random_designs() -> None:
    assert sum(compare(seed, 600) for seed in range(30)) >= 20


@pytest.mark.long
def test_a_thousand_random_designs() -> None:
    seed = found = 0
    while found < 1000:
        found += compare(seed, MOST_STEPS)
        seed += 1
