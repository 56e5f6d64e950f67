"""Bench of `group_queue`: groups arrive in pieces, macros pop at independent rates."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from hwgen.dbpim.rtl.layouts import group_tag, position, queue_head
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack
from verif.stream import reset

ARCH = arch_from_environment()
MACROS, GROUP_BYTES, DEPTH = ARCH.macros_per_core, ARCH.macro.compartments, ARCH.queue_depth
BYTES = MACROS * GROUP_BYTES
CYCLES = 300
HEAD = queue_head(ARCH)
TAG_BITS, POSITION_BITS = group_tag(ARCH).size, position().size
ONE_FULL = "full for want of one macro only" if MACROS > 1 else "full for want of its macro"
TOGETHER = "push and leave in one cycle" if DEPTH > 1 else "push after a leave"
CORNERS = Corners(
    "group written in several cycles",
    "group written in one cycle",
    "queue fills up",
    ONE_FULL,
    "slot left while full",
    TOGETHER,
    "all macros leave in one cycle",
    "queue runs empty",
    "macro takes the slots more than once round",
)


@dataclass
class Model:
    """A first-in first-out list for each macro, and the group that is forming."""

    queues: list[deque[int]] = field(default_factory=lambda: [deque() for _ in range(MACROS)])
    forming: NDArray[np.uint8] = field(
        default_factory=lambda: np.zeros((MACROS, GROUP_BYTES), np.uint8)
    )
    fill: int = 0
    left: int = 0

    @property
    def full(self) -> bool:
        """Whether some macro has as many groups as there are slots."""
        return any(len(queue) == DEPTH for queue in self.queues)

    def push(self, tag: int, positions: list[int]) -> None:
        """Put the forming group into every queue."""
        for queue, content, place in zip(self.queues, self.forming, positions, strict=True):
            fields = {"bytes": int.from_bytes(content.tobytes(), "little"), "tag": tag}
            fields["position"] = place
            queue.append(sum(value << HEAD[name].offset for name, value in fields.items()))


class Run:
    """One simulation, a cycle at a time."""

    def __init__(self, dut: Any, seed: int, *, gap: float, pace: float) -> None:
        self._dut, self._seed, self._gap, self._pace = dut, seed, gap, pace
        self._rng = np.random.default_rng(seed)
        self._model = Model()
        self._was_full = False

    async def cycles(self, count: int) -> None:
        """Run so many cycles."""
        for _ in range(count):
            write = not self._model.full and self._rng.random() >= self._gap
            push = self._drive_write() if write else None
            if not write:
                self._drive_nothing()
            leave = self._drive_leave()
            await ReadOnly()
            self._check()
            self._note(push=push, leave=leave)
            for queue in (q for m, q in enumerate(self._model.queues) if leave >> m & 1):
                queue.popleft()
            if push is not None:
                self._model.push(*push)
            await FallingEdge(self._dut.clk)

    def _drive_nothing(self) -> None:
        """Write nothing; the other inputs are random and must be ignored."""
        self._dut.group_queue__write.value = 0
        self._dut.group_queue__push.value = 0
        self._dut.group_queue__fill.value = int(self._rng.integers(GROUP_BYTES))

    def _drive_write(self) -> tuple[int, list[int]] | None:
        """Write some bytes above those of the forming group; return tag and positions of a push."""
        dut, rng, model = self._dut, self._rng, self._model
        content = rng.integers(0, 256, (MACROS, GROUP_BYTES), np.uint8)
        count = int(rng.integers(0, GROUP_BYTES - model.fill + 1))
        push = model.fill + count == GROUP_BYTES or bool(rng.random() < 0.2)
        content[:, model.fill + count :] = 0
        model.forming[:, model.fill :] = content[:, model.fill :]
        tag = int(rng.integers(1 << TAG_BITS))
        positions = rng.integers(0, 1 << POSITION_BITS, MACROS).tolist()
        dut.group_queue__write.value = 1
        dut.group_queue__fill.value = model.fill
        dut.group_queue__bytes.value = int.from_bytes(content.tobytes(), "little")
        dut.group_queue__push.value = push
        dut.group_queue__tag.value = tag
        dut.group_queue__positions.value = pack(positions, bits=POSITION_BITS)
        CORNERS.hit("group written in several cycles", push and model.fill > 0)
        CORNERS.hit("group written in one cycle", push and model.fill == 0)
        model.fill = 0 if push else model.fill + count
        return (tag, positions) if push else None

    def _drive_leave(self) -> int:
        """Let some macros pop their heads; a higher-numbered macro is slower."""
        leave = 0
        together = self._rng.random() < 0.1
        for macro, queue in enumerate(self._model.queues):
            leaves = bool(queue) and (together or self._rng.random() < self._pace / (1 + macro))
            leave |= leaves << macro
        self._dut.group_queue__leave.value = leave
        return leave

    def _check(self) -> None:
        """Compare the cycle's outputs with the lists."""
        dut, model = self._dut, self._model
        valid = sum(bool(queue) << macro for macro, queue in enumerate(model.queues))
        want = (model.full, valid, valid == 0)
        flags = (dut.group_queue__full, dut.group_queue__head_valid, dut.group_queue__empty)
        shown = tuple(int(flag.value) for flag in flags)
        assert shown == want, f"seed {self._seed}: full, valid, empty are {shown}, not {want}"
        heads = dut.group_queue__heads.value
        for macro, queue in enumerate(model.queues):
            if queue:
                head = int(heads[(macro + 1) * HEAD.size - 1 : macro * HEAD.size])
                assert head == queue[0], (
                    f"seed {self._seed}: macro {macro} sees {head:#x}, not {queue[0]:#x}"
                )

    def _note(self, *, push: tuple[int, list[int]] | None, leave: int) -> None:
        """Record the corners of the cycle."""
        model = self._model
        counts = [len(queue) for queue in model.queues]
        model.left += leave & 1
        CORNERS.hit("queue fills up", model.full and not self._was_full)
        one = counts.count(DEPTH) == 1
        CORNERS.hit(ONE_FULL, one)
        CORNERS.hit("slot left while full", model.full and leave != 0)
        both = push is not None and (leave != 0 or DEPTH == 1)
        CORNERS.hit(TOGETHER, both)
        CORNERS.hit("all macros leave in one cycle", leave == (1 << MACROS) - 1)
        CORNERS.hit("queue runs empty", sum(counts) == leave.bit_count() > 0 and push is None)
        CORNERS.hit("macro takes the slots more than once round", model.left > 2 * DEPTH)
        self._was_full = model.full


INPUTS = ("write", "push", "leave")


async def reset_queue(dut: Any) -> None:
    """Reset with idle inputs."""
    await reset(dut, *(getattr(dut, f"group_queue__{name}") for name in INPUTS))


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.6], pace=[0.05, 0.4, 1.0])
async def macros_see_all_groups_in_order(dut: Any, seed: int, gap: float, pace: float) -> None:
    """Heads, flags and order are right in every cycle; a reset in the middle empties all."""
    await reset_queue(dut)
    await Run(dut, seed, gap=gap, pace=pace).cycles(CYCLES)
    await reset_queue(dut)
    await Run(dut, seed + 10, gap=gap, pace=pace).cycles(CYCLES // 4)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
