"""Bench of `control`: every output in every cycle of runs and loads; the lock and its facts."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.chip.registers import Command
from hwgen.mram.facts.arch import MOST_MODES
from hwgen.mram.facts.records import Kind, encode_record
from hwgen.mram.facts.registers import ErrorCode
from hwgen.mram.rtl.control import UNITS
from hwgen.mram.rtl.layouts import header
from verif.coverage import Corners
from verif.mram.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
PULSES = ("load", "go", "record_en", "image_begin", "loads", "retire", "finished", "error")
"""Outputs that are 0 but where the bench says otherwise."""
INPUTS = ("running", "accepted", "load_done", "load_error", "done", "unlock")
MOVING = (Kind.IMAGE, Kind.ANSWER)
IMAGE_STRIDE, ANSWER_STRIDE = 0x140, 0x40
CORNERS = Corners(*UNITS, "unit is done at once", "mode changes while an image runs")


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"control__{name}")


async def cycle(dut: Any, where: str = "", **expected: int) -> None:
    """Compare the pulses of this cycle, and other outputs that are named; go to the next one."""
    await ReadOnly()
    wanted = dict.fromkeys(PULSES, 0) | expected
    got = {name: int(port(dut, name).value) for name in wanted}
    assert got == wanted, f"{where}: got {got}, must be {wanted}"
    await FallingEdge(dut.clk)


async def begin(dut: Any) -> None:
    """Reset the part, with nothing loaded."""
    await reset(dut, *(port(dut, name) for name in INPUTS))


async def load(
    dut: Any, *, weights: int = 4, firsts: tuple[int, ...] = (0,), ends: bool = True
) -> None:
    """Load a program whose header passes; without `ends` the command is cut off after it."""
    fields = {f"first_record_{mode}": first for mode, first in enumerate(firsts)}
    fields |= {"weight_rows": weights, "modes": len(firsts)}
    fields |= {"image_stride": IMAGE_STRIDE, "answer_stride": ANSWER_STRIDE}
    port(dut, "command").value = Command.LOAD
    port(dut, "running").value = 1
    await cycle(dut, "check", load=1, loads=1)
    await cycle(dut, "header", loads=1)
    port(dut, "header").value = header().const(fields).as_bits()
    port(dut, "accepted").value = 1
    await cycle(dut, "accepted", loads=1)
    port(dut, "accepted").value = 0
    port(dut, "header").value = 0
    await cycle(dut, "rest", loads=1)
    if ends:
        port(dut, "load_done").value = 1
        await cycle(dut, "done", loads=1, finished=1)
        port(dut, "load_done").value = 0
    await stop(dut)


async def stop(dut: Any) -> None:
    """End the command, as the supervisor does."""
    port(dut, "running").value = 0
    await FallingEdge(dut.clk)
    await cycle(dut, "stopped")


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(16))
async def records_run_in_order(dut: Any, seed: int) -> None:
    """Each image takes its mode in one cycle; each record is fetched, starts its unit, retires."""
    rng = np.random.default_rng(seed)
    await begin(dut)
    lengths = rng.integers(1, 6, int(rng.integers(1, MOST_MODES + 1))).tolist()
    firsts = tuple(int(first) for first in np.cumsum([0, *lengths[:-1]]))
    await load(dut, firsts=firsts)
    images = int(rng.integers(0, 5))
    wanted = rng.integers(0, len(lengths), images + 1).tolist()
    port(dut, "command").value = Command.RUN
    port(dut, "images").value = images
    port(dut, "image_base").value, port(dut, "answer_base").value = 0x1000, 0x8000
    port(dut, "mode").value = wanted[0]
    port(dut, "running").value = 1
    await cycle(dut, "check")
    for image in range(images):
        mode = wanted[image]
        await cycle(dut, f"seed {seed}, image {image}", image_begin=1, images_done=image)
        CORNERS.hit("mode changes while an image runs", wanted[image + 1] != mode)
        port(dut, "mode").value = wanted[image + 1]
        for number in range(lengths[mode]):
            facts = {"record_index": firsts[mode] + number, "active_mode": mode}
            facts["image_address"] = 0x1000 + image * IMAGE_STRIDE
            facts["answer_address"] = 0x8000 + image * ANSWER_STRIDE
            last = number == lengths[mode] - 1
            await run_record(dut, rng, f"seed {seed}, {facts}", last=last, facts=facts)
    await cycle(dut, f"seed {seed}, end", finished=1, images_done=images)
    await stop(dut)


async def run_record(
    dut: Any, rng: np.random.Generator, where: str, *, last: bool, facts: dict[str, int]
) -> None:
    """Fetch, go, some cycles of work, retirement."""
    kind = Kind(int(rng.integers(1, len(Kind) + 1)))
    others = (1 << len(UNITS)) - 1 - (1 << kind - 1)
    CORNERS.hit(UNITS[kind - 1])
    port(dut, "record").value = 0
    await cycle(dut, f"{where}, fetch", record_en=1, **facts)
    port(dut, "record").value = encode_record({"kind": kind, "last": int(last)}, ARCH)
    await cycle(dut, f"{where}, go", go=1 << kind - 1, **facts)
    waits = int(rng.integers(0, 4))
    CORNERS.hit("unit is done at once", waits == 0)
    for _ in range(waits):
        port(dut, "done").value = others
        await cycle(dut, f"{where}, run", loads=int(kind in MOVING), **facts)
    port(dut, "done").value = 1 << kind - 1
    await cycle(dut, f"{where}, done", loads=int(kind in MOVING), retire=1, **facts)
    port(dut, "done").value = 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_run_needs_a_whole_program(dut: Any) -> None:
    """A load that was cut off leaves nothing; reset forgets everything."""
    await begin(dut)
    for ends in (None, False, True):
        if ends is not None:
            await load(dut, ends=ends)
        port(dut, "command").value = Command.RUN
        port(dut, "images").value = 0
        port(dut, "running").value = 1
        if ends:
            await cycle(dut, "check")
            await cycle(dut, "no image", finished=1)
        else:
            await cycle(dut, f"ends: {ends}", error=ErrorCode.NOT_LOADED)
        await stop(dut)
    await begin(dut)
    await cycle(dut, "reset", resident=0, locked=0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def the_lock_follows_the_weights(dut: Any) -> None:
    """Weights are locked when they are whole, until the host unlocks or resets."""
    await begin(dut)
    await load(dut, ends=False)
    await cycle(dut, "cut off", resident=0, locked=0)
    await load(dut)
    await cycle(dut, "loaded", resident=1, locked=1)
    await load(dut, weights=0)
    await cycle(dut, "tables", resident=1, locked=1)
    port(dut, "unlock").value = 0xFFFFFFFE
    await cycle(dut, "other bits", resident=1, locked=1)
    port(dut, "unlock").value = 1
    await cycle(dut, "unlocked", resident=1, locked=0)
    await load(dut, ends=False)
    await cycle(dut, "weights are half written", resident=0, locked=0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def errors_of_a_run(dut: Any) -> None:
    """A mode or a kind of record that does not exist, an error of the loader."""
    await begin(dut)
    await load(dut, firsts=(3, 5))
    port(dut, "command").value = Command.RUN
    port(dut, "images").value = 1
    for mode, kind in ((2, 0), (1 << 31, 0), (1, 0), (1, 7)):
        port(dut, "mode").value = mode
        port(dut, "running").value = 1
        await cycle(dut, "check")
        if mode > 1:
            await cycle(dut, f"mode {mode}", error=ErrorCode.BAD_MODE)
        else:
            await cycle(dut, "image", image_begin=1)
            await cycle(dut, "fetch", record_en=1, record_index=5)
            port(dut, "record").value = encode_record({"kind": kind}, ARCH)
            await cycle(dut, f"kind {kind}", error=ErrorCode.BAD_RECORD)
        await stop(dut)
    port(dut, "command").value = Command.LOAD
    port(dut, "running").value = 1
    await cycle(dut, "check", load=1, loads=1)
    port(dut, "load_error").value = ErrorCode.LOCKED
    await cycle(dut, "error of the loader", loads=1, error=ErrorCode.LOCKED)
    port(dut, "load_error").value = 0
    await stop(dut)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
