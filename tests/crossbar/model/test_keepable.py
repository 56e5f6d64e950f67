"""What is handed on can run as scheduled: an independent walk, clock by clock."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.crossbar.facts.arch import arch_text
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.facts.schedule import save_schedule
from hwgen.crossbar.model.record import confirm, design_of, make_arch, make_schedule
from hwgen.crossbar.synthesis.result import Chosen
from tests.crossbar.model.layers import conv, fc, pool
from tests.crossbar_checker import Checker, checker_of
from tests.synthesis import ALONE, COMPONENTS, DESIGN, POINTS, SMALL

GROUPED = CrossbarNetwork(
    name="grouped",
    input_channels=4,
    input_side=12,
    layers=(
        conv("depthwise", (), (4, 4), (12, 12), window=(3, 1, 1), groups=4),
        conv("wide", (0,), (4, 40), (12, 12), window=(1, 1, 0)),
        conv("groups", (1,), (40, 260), (12, 6), window=(5, 2, 2), groups=2),
        pool("pool", (2,), 260, (6, 1), window=(6, 1, 0)),
        fc("head", (3,), (260, 12)),
    ),
)
"""Groups on the diagonal and in crossbars of their own, uneven copies, rows over three macros."""

UNEVEN = Chosen(
    copies=[5, 7, 3, 1, 1],
    macros=[2, 3, 2, 0, 3],
    partner=[-1] * 5,
    clocks=[1, 1, 1, 1, 4],
)

JOINED = CrossbarNetwork(
    name="joined",
    input_channels=3,
    input_side=12,
    layers=(
        conv("one", (), (3, 20), (12, 12), window=(3, 1, 1)),
        conv("two", (0,), (20, 30), (12, 12), window=(3, 1, 1)),
        conv("both", (0, 1), (50, 40), (12, 12), window=(3, 1, 1)),
        pool("pool", (0, 2), 60, (12, 6), window=(2, 2, 0)),
        pool("average", (3,), 60, (6, 1), window=(6, 1, 0)),
        replace(fc("head", (3, 4), (37 * 60, 12), activation="none"), raw_bits=32),
    ),
)
"""Concatenations that a convolution, a pooling and a fully connected layer read; raw answers."""

JOINT = Chosen(
    copies=[6, 5, 7, 1, 1, 1],
    macros=[2, 1, 3, 0, 0, 2],
    partner=[-1] * 6,
    clocks=[1, 1, 1, 1, 1, 3],
)

CASES: dict[str, tuple[CrossbarNetwork, Chosen, int]] = {
    "alone": (SMALL, ALONE, 0),
    "shared": (SMALL, DESIGN, 0),
    "wide": (SMALL, ALONE, 1),
    "uneven": (GROUPED, UNEVEN, 0),
    "joined": (JOINED, JOINT, 0),
}


def files_of(name: str, folder: Path) -> Checker:
    """Write the files of a design, and read them as the checker does."""
    network, chosen, point = CASES[name]
    found = confirm(
        network,
        COMPONENTS,
        point=POINTS[point],
        rules=STRICT,
        power_w=6.0,
        design=design_of(**chosen.as_json()),
    )
    arch = make_arch(found, name)
    (folder / "architecture.yaml").write_text(arch_text(arch), encoding="utf-8")
    save_schedule(make_schedule(found, arch), folder / "schedule.npz")
    return checker_of(folder / "architecture.yaml", folder / "schedule.npz")


@pytest.mark.promise(
    "strict designs can run as scheduled, by an independent walk over their files, clock by clock"
)
@pytest.mark.parametrize("name", CASES)
def test_hardware_can_keep_the_schedule(name: str, tmp_path: Path) -> None:
    checker = files_of(name, tmp_path)
    assert checker.check() == []
    assert any("send" in operations for operations in checker.operations)
    assert "result" in checker.operations[-1]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Checker:
    return files_of("alone", tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Checker:
    return files_of("joined", tmp_path_factory.mktemp("joined"))


def fewer_adcs(checker: Checker) -> None:
    checker.arch["fabric"]["macros"][1]["adcs"] -= 1


def fewer_counted(checker: Checker) -> None:
    checker.arch["layers"][4]["counts"]["adc"] -= 1


def fewer_additions(checker: Checker) -> None:
    checker.arch["layers"][1]["counts"]["addition"] -= 1


def late_adc(checker: Checker) -> None:
    checker.operations[4]["adc"].starts[3] += 1


def late_load(checker: Checker) -> None:
    """Back-pressure is missing: a block is loaded while the one before waits for its crossbars."""
    operations = checker.operations[1]
    starts = operations["load"].starts
    starts[2] = operations["mvm"].starts[1] - 1


def early_addition(checker: Checker) -> None:
    checker.operations[0]["addition"].starts[5] -= 1


def early_activation(checker: Checker) -> None:
    checker.operations[4]["activation"].starts[0] -= 1


def no_chain(checker: Checker) -> None:
    del checker.operations[4]["chain"]


def no_gather(checker: Checker) -> None:
    del checker.operations[0]["gather"]


def a_jump(checker: Checker) -> None:
    """Every target is reached at once, as if nodes that are far apart were linked."""
    sends = [each for each in checker.arch["fabric"]["travels"] if each["kind"] == "send"]
    longest = max(sends, key=lambda each: len(each["tree"]) / len(each["targets"]))
    longest["tree"] = [[longest["source"], target] for target in longest["targets"]]


def short_step(checker: Checker) -> None:
    checker.arch["fabric"]["clock"]["step_clocks"] -= 1


def third_bank(checker: Checker) -> None:
    checker.operations[0]["mvm"].starts[9] = checker.operations[0]["addition"].starts[7] - 1


def slow_port(checker: Checker) -> None:
    """A scratchpad that is as slow as this serves one access a step."""
    checker.arch["fabric"]["clock"]["access_clocks"] = checker.step


def short_load(checker: Checker) -> None:
    """A pooling over a whole map of 300 channels is loaded in one step."""
    operation = checker.operations[5]["load"]
    operation.steps = 1


def short_pool(checker: Checker) -> None:
    """A pooling over a whole map of 300 channels is through in one step."""
    checker.operations[5]["pool"].steps = 1


def small_ring(checker: Checker) -> None:
    """The ring of the image has a single word."""
    for region in checker.arch["fabric"]["regions"]:
        if region["layer"] == 0 and region["kind"] == "input":
            region["words"] = 1


def free_image(checker: Checker) -> None:
    del checker.operations[0]["transfer"]


def few_pixels(checker: Checker) -> None:
    next(t for t in checker.arch["fabric"]["travels"] if t["kind"] == "image")["pixels"] -= 1


def load_before_the_image(checker: Checker) -> None:
    checker.operations[0]["load"].starts[0] -= 1


def no_result(checker: Checker) -> None:
    """R2: the answer stays on the chip."""
    del checker.operations[-1]["result"]


def narrow_result(checker: Checker) -> None:
    """R2: raw sums leave with the bits of a map."""
    checker.arch["fabric"]["travels"][-1]["bits"] = 16


def busy_exit(checker: Checker) -> None:
    """R2: a second answer leaves while the first one does."""
    fabric = checker.arch["fabric"]
    fabric["travels"].append(fabric["travels"][-1] | {"layer": 4})
    checker.operations[4]["result"] = checker.operations[-1]["result"]


def send_at_once(checker: Checker) -> None:
    """R3: a travel fits into its steps, but not behind the reads of its words."""
    steps = checker.operations[0]["send"].steps
    sent(checker, 0)["clocks"] = steps * checker.step - checker.fabric["clock"]["lag_clocks"]


def no_lag(checker: Checker) -> None:
    """R4: the file knows no lag."""
    checker.arch["fabric"]["clock"]["lag_clocks"] = 0


def late_end(checker: Checker) -> None:
    """R4: a last operation has its own clocks alone, and ends behind its tick."""
    travel = sent(checker, 1)
    steps = checker.operations[1]["send"].steps
    travel["clocks"] = steps * checker.step - 10


def result_at_once(checker: Checker) -> None:
    """R3: an answer travels while its words are read."""
    travel = checker.arch["fabric"]["travels"][-1]
    steps = checker.operations[-1]["result"].steps
    travel["clocks"] = steps * checker.step - checker.fabric["clock"]["lag_clocks"]


def late_gather(checker: Checker) -> None:
    """R4: a gather has all the clocks of its steps, though its engine begins behind the tick."""
    gather = next(t for t in checker.arch["fabric"]["travels"] if t["kind"] == "gather")
    steps = checker.operations[gather["layer"]]["gather"].steps
    gather["clocks"] = steps * checker.step - gather["first_clock"]


def one_ring(checker: Checker) -> None:
    """R5: two providers that are read together share a ring."""
    regions = checker.arch["fabric"]["regions"]
    for one in [each for each in regions if (each["layer"], each["provider"]) == (2, 1)]:
        regions.remove(one)


def tight_ring(checker: Checker) -> None:
    """R5: the ring of a provider holds less than waits."""
    for region in checker.arch["fabric"]["regions"]:
        if (region["layer"], region["provider"]) == (2, 0):
            region["words"] //= 2


def other_steps(checker: Checker) -> None:
    checker.arch["fabric"]["layers"][1]["operations"][0]["steps"] += 1


def long_period(checker: Checker) -> None:
    checker.arch["fabric"]["layers"][1]["operations"][0]["period"] = 1000


def sent(checker: Checker, place: int) -> dict[str, Any]:
    """What a layer sends."""
    found: list[dict[str, Any]] = checker.arch["fabric"]["travels"]
    return next(each for each in found if (each["kind"], each["layer"]) == ("send", place))


SPOILED: tuple[tuple[Callable[[Checker], None], str], ...] = (
    (fewer_adcs, "adc"),
    (fewer_counted, "audit"),
    (fewer_additions, "audit"),
    (late_adc, "sample"),
    (late_load, "register"),
    (early_addition, "sum"),
    (early_activation, "sum"),
    (no_chain, "sum"),
    (no_gather, "sum"),
    (a_jump, "link"),
    (short_step, "clock"),
    (third_bank, "register"),
    (slow_port, "port"),
    (short_load, "port"),
    (short_pool, "unit"),
    (small_ring, "image"),
    (free_image, "image"),
    (few_pixels, "image"),
    (load_before_the_image, "sum"),
)


SPOILED_JOINED: tuple[tuple[Callable[[Checker], None], str], ...] = (
    (no_result, "result"),
    (narrow_result, "result"),
    (busy_exit, "link"),
    (send_at_once, "port"),
    (no_lag, "clock"),
    (late_end, "link"),
    (result_at_once, "port"),
    (late_gather, "link"),
    (one_ring, "ring"),
    (tight_ring, "ring"),
    (other_steps, "operation"),
    (long_period, "operation"),
)


@pytest.mark.parametrize(
    ("spoil", "category"), SPOILED_JOINED, ids=lambda one: getattr(one, "__name__", one)
)
def test_a_spoiled_concatenation_is_found(
    joined: Checker, spoil: Callable[[Checker], None], category: str
) -> None:
    test_a_spoiled_schedule_is_found(joined, spoil, category)


@pytest.mark.parametrize(
    ("spoil", "category"), SPOILED, ids=lambda one: getattr(one, "__name__", one)
)
def test_a_spoiled_schedule_is_found(
    kept: Checker, spoil: Callable[[Checker], None], category: str
) -> None:
    before = sum(text.startswith(f"{category}:") for text in deepcopy(kept).check())
    spoiled = deepcopy(kept)
    spoil(spoiled)
    assert sum(text.startswith(f"{category}:") for text in spoiled.check()) > before


def test_gathers_that_start_at_once_meet(tmp_path: Path) -> None:
    checker = files_of("uneven", tmp_path)
    for travel in checker.arch["fabric"]["travels"]:
        travel["first_clock"] = 0
    assert any(text.startswith("link:") for text in checker.check())
