"""Bench of `conductor`: every operation starts in its step, and every strobe comes in its clock."""

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from verif.coverage import Corners
from verif.stream import reset

CASE = json.loads(Path(os.environ["CONDUCTOR_CASE"]).read_text(encoding="utf-8"))
"""What `tests/verif/crossbar/test_conductor.py` wrote: a chip, and streams with their starts."""

CORNERS = Corners("an image was late", "results had no room", "two images at a time", "no hold")


def strobes_of(word: int) -> dict[int, tuple[int, int]]:
    """Return parity and bit of each operation whose strobe goes."""
    found = {}
    for place, field in enumerate(CASE["strobes"]):
        own = word >> field["first"]
        if own & 1:
            found[place] = own >> 1 & 1, own >> 2 & ((1 << field["bits"]) - 1)
    return found


def expected(starts: list[list[int]]) -> dict[int, dict[int, tuple[int, int]]]:
    """Return by step the operations that begin a block or bit step: parity and bit."""
    found: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    for place, field in enumerate(CASE["strobes"]):
        for block, step in enumerate(starts[place]):
            for bit in range(field["repeats"]):
                found[step + bit * field["steps"]][place] = block % 2, bit
    return found


async def run(dut: Any, stream: dict[str, Any], chance: float, seed: int) -> None:
    """Run a stream; with a chance a step is held, for want of an image or of room."""
    rng = np.random.default_rng(seed)
    wanted, clocks = expected(stream["starts"]), CASE["step_clocks"]
    images = stream["images"]
    await reset(dut)
    dut.conductor__images.value = images
    dut.conductor__interval.value = stream["interval"]
    step, held, phase = -1, 0, 0
    entries, seen = [], {}
    while True:
        image, room = (int(each) for each in rng.random(2) >= chance)
        dut.conductor__image_ready.value, dut.conductor__room.value = image, room
        await ReadOnly()
        if int(dut.conductor__finished.value):
            break
        strobes = strobes_of(int(dut.conductor__strobes.value))
        for place, values in strobes.items():
            lag = CASE["strobes"][place]["lag"]
            assert phase == lag, f"seed {seed}, step {step}: strobe in clock {phase}, not {lag}"
            seen[place] = values
        if int(dut.conductor__tick.value):
            where = f"seed {seed}, {images} images, step {step}"
            assert room and (phase >= clocks - 1 or step < 0), (
                f"{where}: a tick in clock {phase}, room for {room}"
            )
            assert seen == wanted.get(step, {}), f"{where}: {seen}, wanted {wanted.get(step)}"
            step, phase, seen = step + 1, -1, {}
            entries += [step] if int(dut.conductor__entered.value) else []
            starts = int(dut.conductor__starts.value)
            begin = [place for place in range(len(CASE["strobes"])) if starts >> place & 1]
            own = [p for p, (_, bit) in sorted(wanted.get(step, {}).items()) if bit == 0]
            assert begin == own, f"seed {seed}, {images} images, step {step}: {begin}, not {own}"
        elif phase >= clocks - 1 and step >= 0:
            held += 1
            CORNERS.hit("an image was late", not image and bool(room))
            CORNERS.hit("results had no room", not room)
        phase += 1
        await FallingEdge(dut.clk)
    assert step == stream["steps"] - 1 and phase == clocks - 1, f"seed {seed}: {step}, {phase}"
    assert entries == [image * stream["interval"] for image in range(images)], f"seed {seed}"
    assert int(dut.conductor__held.value) == held, f"seed {seed}: {held} clocks were held"
    CORNERS.hit("two images at a time", images > 1)
    CORNERS.hit("no hold", held == 0)


@cocotb.test(timeout_time=100, timeout_unit="ms")
@cocotb.parametrize(number=range(len(CASE["streams"])), chance=(0.0, 0.7))
async def everything_starts_in_its_step(dut: Any, number: int, chance: float) -> None:
    """Starts, strobes, entries of images and the end are those of the schedule, held or not."""
    await run(dut, CASE["streams"][number], chance, seed=number)


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def a_reset_begins_again(dut: Any) -> None:
    """After a reset in the middle of a run the next one is as the first."""
    await reset(dut)
    for signal, value in (("images", 1), ("interval", 1), ("image_ready", 1), ("room", 1)):
        getattr(dut, f"conductor__{signal}").value = value
    for _ in range(20 * CASE["step_clocks"]):
        await FallingEdge(dut.clk)
    await run(dut, CASE["streams"][0], 0.0, seed=0)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the streams above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
