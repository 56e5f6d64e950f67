"""Bench of `tap_store`: loader, walker and lanes at independent rates, every cycle."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.facts.timing import TAP_SLOTS
from hwgen.dbpim.rtl.layouts import parameters
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack, unpack
from verif.stream import reset

ARCH = arch_from_environment()
CHANNELS = ARCH.word
PARAMETERS = parameters(ARCH)
BIAS_BITS = PARAMETERS["bias"].width
SCALE_BITS = PARAMETERS.size - BIAS_BITS
TAPS = 40
FLAGS = (
    "loads__begin",
    "loads__parameters_write",
    "loads__write",
    "loads__push",
    "walked",
    "used",
    "released",
)
CORNERS = Corners(
    "no free slot",
    "begin and release in one cycle",
    "push and walked in one cycle",
    "nothing is known",
    "known before the ones before are used",
    "written while others are read",
    "scales of TAPS that are used up",
    "the largest number of taps",
    "one tap",
    "extreme weights",
)


@dataclass
class Taps:
    """One packet: parameters of each channel, weights of each tap as bits."""

    parameters: list[int] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)


def draw(rng: np.random.Generator) -> Taps:
    """Return TAPS of any length."""
    count = int(rng.choice([1, int(rng.integers(1, ARCH.simd_taps + 1)), ARCH.simd_taps]))
    weights = rng.integers(0, 256, (count, CHANNELS))
    if rng.random() < 0.3:
        weights = rng.choice([0x7F, 0x80], (count, CHANNELS))
        CORNERS.hit("extreme weights")
    CORNERS.hit("the largest number of taps", count == ARCH.simd_taps)
    CORNERS.hit("one tap", count == 1)
    sets = rng.integers(0, 1 << PARAMETERS.size, CHANNELS).tolist()
    return Taps(sets, [pack(word.tolist(), bits=8) for word in weights])


class Run:
    """All TAPS of a simulation in order, and how many are begun, pushed, walked, used, released."""

    def __init__(self, dut: Any, seed: int, *, gap: float, pace: float) -> None:
        self._dut, self._seed, self._gap, self._pace = dut, seed, gap, pace
        self._rng = np.random.default_rng(seed)
        self._taps = [draw(self._rng) for _ in range(TAPS)]
        self._counts = dict.fromkeys(("begun", "pushed", "walked", "used", "released"), 0)
        self._loader = self._load()

    async def until_done(self, cycles: int | None = None) -> None:
        """Run until all TAPS are released, or for so many cycles."""
        now = 0
        while self._counts["released"] < TAPS and now != cycles:
            await self._cycle()
            now += 1

    async def _cycle(self) -> None:
        """Drive, check and count one cycle."""
        counts, dut = self._counts, self._dut
        actions = {} if self._chance(self._gap) else dict(next(self._loader))
        order = ("pushed", "walked", "used", "released")
        for before, name in pairwise(order):
            pace = max(self._pace, 0.3 if "loads__push" in actions else 0)
            if counts[name] < counts[before] and self._chance(pace):
                actions[name] = 1
        for name in {*FLAGS, *actions}:
            getattr(dut, name).value = actions.get(name, 0)
        tap = int(self._rng.integers(ARCH.simd_taps))
        scaled = int(
            self._rng.integers(counts["released"], max(counts["released"] + 1, counts["pushed"]))
        )
        biased = int(self._rng.integers(counts["used"], max(counts["used"] + 1, counts["pushed"])))
        dut.tap.value, dut.scale_slot.value = tap, scaled % TAP_SLOTS
        dut.bias_slot.value = biased % TAP_SLOTS
        await ReadOnly()
        self._check(tap, biased, scaled)
        self._note(actions, scaled)
        for name, event in (("begun", "loads__begin"), ("pushed", "loads__push")):
            counts[name] += event in actions
        for name in order[1:]:
            counts[name] += name in actions
        await FallingEdge(dut.clk)

    def _chance(self, probability: float) -> bool:
        """Return true with `probability`."""
        return bool(self._rng.random() < probability)

    def _load(self) -> Iterator[Mapping[str, int]]:
        """Act as the loader: yield its actions in each cycle in which it acts."""
        for taps in self._taps:
            while self._counts["begun"] - self._counts["released"] == TAP_SLOTS:
                yield {}
            yield {"loads__begin": 1}
            for index, entry in enumerate(taps.parameters):
                yield {
                    "loads__parameters_write": 1,
                    "loads__parameters_index": index,
                    "loads__parameters_data": entry,
                }
            for index, word in enumerate(taps.weights):
                last = {"loads__push": 1} if index == len(taps.weights) - 1 else {}
                yield {"loads__write": 1, "loads__index": index, "loads__data": word, **last}
        while True:
            yield {}

    def _check(self, tap: int, biased: int, scaled: int) -> None:
        """Compare every output with the lists."""
        dut, counts = self._dut, self._counts
        flags = bool(dut.loads__room.value), bool(dut.known.value), int(dut.slot.value)
        room = counts["begun"] - counts["released"] < TAP_SLOTS
        want = room, counts["walked"] < counts["pushed"], counts["used"] % TAP_SLOTS
        assert flags == want, f"seed {self._seed}: room, known, slot: {flags}, not {want}"
        if counts["used"] < counts["pushed"]:
            taps = self._taps[counts["used"]]
            biases = unpack(int(dut.biases.value), bits=BIAS_BITS, count=CHANNELS)
            right = [entry % (1 << BIAS_BITS) for entry in self._taps[biased].parameters]
            assert biases == right, f"seed {self._seed}: biases {biases}, not {right}"
            if tap < len(taps.weights):
                got = int(dut.weights.value)
                assert got == taps.weights[tap], (
                    f"seed {self._seed}: weights {got:#x}, not {taps.weights[tap]:#x}"
                )
        if counts["released"] <= scaled < counts["pushed"]:
            scales = unpack(int(dut.scales.value), bits=SCALE_BITS, count=CHANNELS)
            right = [entry >> BIAS_BITS for entry in self._taps[scaled].parameters]
            assert scales == right, f"seed {self._seed}: scales {scales}, not {right}"

    def _note(self, actions: Mapping[str, int], scaled: int) -> None:
        """Record the corners of the cycle."""
        counts = self._counts
        CORNERS.hit("no free slot", counts["begun"] - counts["released"] == TAP_SLOTS)
        CORNERS.hit(
            "begin and release in one cycle", {"loads__begin", "released"} <= actions.keys()
        )
        CORNERS.hit("push and walked in one cycle", {"loads__push", "walked"} <= actions.keys())
        CORNERS.hit("nothing is known", counts["walked"] == counts["pushed"] > 0)
        CORNERS.hit(
            "known before the ones before are used",
            counts["used"] < counts["walked"] < counts["pushed"],
        )
        reads = counts["used"] < counts["pushed"]
        CORNERS.hit("written while others are read", reads and "loads__write" in actions)
        CORNERS.hit("scales of TAPS that are used up", scaled < counts["used"])


async def reset_store(dut: Any) -> None:
    """Reset with idle inputs."""
    await reset(dut, *(getattr(dut, name) for name in FLAGS))


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(2), gap=[0.0, 0.6], pace=[0.03, 0.3, 1.0])
async def taps_come_and_go(dut: Any, seed: int, gap: float, pace: float) -> None:
    """Every output is right in every cycle."""
    await reset_store(dut)
    await Run(dut, seed, gap=gap, pace=pace).until_done()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_reset_forgets_all_taps(dut: Any) -> None:
    """After a reset with TAPS loading, walked and used the ring starts empty."""
    for cycles in (9, 27, 81, 243):
        await reset_store(dut)
        await Run(dut, cycles, gap=0.0, pace=0.3).until_done(cycles)
    await reset_store(dut)
    await Run(dut, 0, gap=0.0, pace=1.0).until_done()


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
