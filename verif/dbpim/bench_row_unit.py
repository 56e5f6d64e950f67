"""Bench of `row_unit`: softmax and layer norms against golden, with gaps and results that wait."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import cocotb
import numpy as np
from amaranth.lib import data
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.facts.instructions import (
    KEYS_BY_PIXEL,
    KEYS_PLACE,
    PASSES_WITHOUT_MEAN,
    Opcode,
    Operation,
)
from hwgen.dbpim.facts.timing import (
    INVERSE_READY,
    MEAN_READY,
    NORM_CYCLES,
    SCALED_READY,
    SHARE_CYCLES,
    SHARE_READY,
)
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.core_events import row_pulses
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack
from verif.dbpim.row_cases import FIRST_COLUMN, WIDTH, RowCase, beats_of, cases
from verif.stream import reset

ARCH = arch_from_environment()
MACROS, SIZE = ARCH.macros_per_core, ARCH.macro.compartments
WORD, RESULT = layouts.fetched_word(ARCH), layouts.vector_write(ARCH)
PULSES = row_pulses()
EVENTS = [name for name, _ in PULSES]
CORNERS = Corners(
    "a result waits",
    "no word while one is wanted",
    "a softmax waits for the results of the group before",
    "a word that is not full",
    "floats while a step runs",
    "floats that wait for the end of another step",
    "a reset in a step",
)


OTHERS = [
    (Opcode.SIMD, Operation.ADD),
    (Opcode.CONV, Operation.NORM),
    (Opcode.SIMD, Operation.VALUES),
    (Opcode.TABLE, Operation.SOFTMAX),
]
"""Steps that run before those of the row unit."""
LEFT = {0: 25, 8: 90}
"""Layers that a reset ends, and after how many cycles: a softmax, and a norm at its root."""


def put(layout: data.StructLayout, values: Mapping[str, int]) -> int:
    """Return the fields of a struct in a word; others are zero."""
    word = 0
    for name, value in values.items():
        field = layout[name]
        word |= (value & (1 << field.width) - 1) << field.offset
    return word


def get(layout: data.StructLayout, word: int, name: str) -> int:
    """Return a field of a struct."""
    field = layout[name]
    found: int = word >> field.offset & (1 << field.width) - 1
    return found


def positions_of(case: RowCase, vector: int) -> list[int]:
    """Return the stored positions of a vector; the last vector lacks its last position."""
    layout = layouts.position()
    last = vector == len(case.inputs) - 1 and MACROS > 1
    return [
        put(
            layout,
            {
                "row": vector,
                "column": FIRST_COLUMN + place,
                "active": not (last and place == MACROS - 1),
            },
        )
        for place in range(MACROS)
    ]


def words_of(case: RowCase) -> Iterator[int]:
    """Yield the words of a layer as the fetcher shows them: groups, vectors, passes, words."""
    vectors, _, groups, channels = case.inputs.shape
    words = -(-channels // SIZE)
    position_bits = layouts.position().size
    for group in range(groups):
        for vector in range(vectors):
            for _ in range(case.passes):
                for word in range(words):
                    part = case.inputs[vector, :, group, word * SIZE : (word + 1) * SIZE]
                    # What is stored beyond the last channel is nobody's business.
                    padded = np.full((MACROS, SIZE), 0xFF, np.uint8)
                    padded[:, : part.shape[1]] = part
                    tag = put(layouts.simd_tag(), {"word": group * words})
                    yield put(
                        WORD,
                        {
                            "bytes": int.from_bytes(padded.tobytes(), "little"),
                            "positions": pack(positions_of(case, vector), bits=position_bits),
                            "simd": tag,
                        },
                    )


def results_of(case: RowCase) -> Iterator[int]:
    """Yield the results of a layer."""
    vectors, _, groups, channels = case.inputs.shape
    words = -(-channels // SIZE)
    position_bits = layouts.position().size
    for group in range(groups):
        for vector in range(vectors):
            for word in range(words):
                part = case.outputs[vector, :, group, word * SIZE : (word + 1) * SIZE]
                padded = np.zeros((MACROS, SIZE), np.uint8)
                padded[:, : part.shape[1]] = part
                yield put(
                    RESULT,
                    {
                        "bytes": int.from_bytes(padded.tobytes(), "little"),
                        "positions": pack(positions_of(case, vector), bits=position_bits),
                        "enable": (1 << SIZE) - 1,
                        "word": 3 + group * words + word,
                    },
                )


def events_of(case: RowCase) -> Counter[str]:
    """Return how often each event of a layer happens."""
    vectors, _, groups, channels = case.inputs.shape
    rows = groups * vectors
    if case.operation is Operation.NORM:
        found = dict.fromkeys(("row_sums", "row_squares", "row_norms"), rows * channels)
        if case.passes == PASSES_WITHOUT_MEAN:
            found.pop("row_sums")
        return Counter(found | {"row_roots": rows})
    found = dict.fromkeys(("row_sums", "row_shares"), rows * channels)
    return Counter(found | {"row_words": rows * -(-channels // SIZE)})


def cycles_of(case: RowCase) -> list[int]:
    """Return the cycle of each result, counted from the first word, where nothing waits."""
    vectors, _, groups, channels = case.inputs.shape
    words, norm = -(-channels // SIZE), case.operation is Operation.NORM
    now, drained, found = 0, 0, []
    for _ in range(groups * vectors):
        if norm:
            of_mean = 0 if case.passes == PASSES_WITHOUT_MEAN else channels + MEAN_READY
            now += of_mean + channels + INVERSE_READY
        else:
            now = max(now + words + channels + SHARE_READY, drained + 2)
        behind = NORM_CYCLES if norm else SHARE_CYCLES
        found += [now + min(channels, (word + 1) * SIZE) - 1 + behind + 1 for word in range(words)]
        now += channels + (SCALED_READY if case.passes == PASSES_WITHOUT_MEAN else 0)
        drained = now - 1 + behind
    return found


class Driver:
    """Runs layers one after the other."""

    def __init__(self, dut: Any, rng: np.random.Generator, *, gap: float, wait: float) -> None:
        self._dut, self._rng, self._gap, self._wait = dut, rng, gap, wait
        self._pulses: Counter[int] = Counter()

    async def load(self, case: RowCase) -> None:
        """Send the floats of a layer."""
        dut = self._dut
        await ReadOnly()
        assert (int(dut.known.value), int(dut.floats__room.value)) == (0, 1)
        await FallingEdge(dut.clk)
        beats = beats_of(case.body, port_bits=ARCH.port_bits)
        dut.floats__header.value = put(layouts.packet(Opcode.FLOATS, ARCH), case.scalars)
        for index, beat in enumerate(beats):
            dut.floats__write.value, dut.floats__index.value = 1, index
            dut.floats__data.value, dut.floats__push.value = beat, index == len(beats) - 1
            await FallingEdge(dut.clk)
        dut.floats__write.value = dut.floats__push.value = 0

    async def run_other(self, opcode: Opcode, operation: Operation) -> None:
        """Run a step of another unit: floats that are there stay for the next one."""
        dut = self._dut
        fields = {"opcode": int(opcode), "operation": int(operation), "bias": SIZE}
        dut.instruction.value = put(layouts.packet(Opcode.SIMD, ARCH), fields)
        for signal in (dut.go, dut.finish):
            signal.value = 1
            await FallingEdge(dut.clk)
            signal.value = 0
        await ReadOnly()
        assert int(dut.known.value) == 1
        CORNERS.hit("floats that wait for the end of another step")
        await FallingEdge(dut.clk)

    async def run(self, case: RowCase, *, most: int | None = None) -> None:
        """Run a layer: every result, and where nothing waits in its cycle.

        most: cycles, after which it is left as it is
        """
        dut, rng = self._dut, self._rng
        words, results = list(words_of(case)), list(results_of(case))
        times = cycles_of(case) if self._gap == self._wait == 0 else None
        await self._begin(case)
        CORNERS.hit("a word that is not full", case.inputs.shape[3] % SIZE > 0)
        cycle, left = 0, list(words)
        self._pulses.clear()
        while results and cycle != most:
            valid = bool(left) and rng.random() >= self._gap
            ready = rng.random() >= self._wait
            dut.word_valid.value, dut.result__ready.value = valid, ready
            if left:
                dut.word.value = left[0]
            await ReadOnly()
            assert int(dut.known.value) == 1
            assert left or int(dut.idle.value) == 0
            shown = bool(int(dut.result__valid.value))
            CORNERS.hit("a result waits", shown and not ready)
            CORNERS.hit("no word while one is wanted", bool(left) and not valid)
            if shown and ready:
                self._check(case, results, len(words) - len(left))
                if times is not None:
                    assert cycle == times.pop(0), f"{case.operation.name}: a result in {cycle}"
            if int(dut.word_release.value):
                assert valid
                left.pop(0)
            self._note_pulses(cycle)
            await FallingEdge(dut.clk)
            cycle += 1
        dut.word_valid.value = 0
        if cycle != most:
            assert not left
            self._check_events(case)
            await self._finish()

    async def _begin(self, case: RowCase) -> None:
        """Start the step of a layer."""
        dut = self._dut
        own = {key: case.fields[key] for key in case.fields if key.startswith("output")}
        fields = {"opcode": int(Opcode.SIMD), "operation": int(case.operation), **own}
        bias = case.inputs.shape[3]
        bias |= case.fields.get("first_keys", 0) << KEYS_PLACE
        bias |= case.fields.get("by_pixel", 0) << KEYS_BY_PIXEL
        fields |= {"bias": bias, "output_first_word": 3, "output_width": WIDTH}
        fields["kernel_height"] = case.passes
        dut.instruction.value = put(layouts.packet(Opcode.SIMD, ARCH), fields)
        dut.go.value = 1
        await FallingEdge(dut.clk)
        dut.go.value = 0

    def _note_pulses(self, cycle: int) -> None:
        """Count the pulses of a cycle: what the unit reads is an event, and every event reads."""
        pulses = int(self._dut.pulses.value)
        assert bool(pulses) == bool(int(self._dut.reads.value)), f"{pulses:#x} in {cycle}"
        self._pulses[pulses] += 1

    def _check_events(self, case: RowCase) -> None:
        """Compare how often each event has happened."""
        found: Counter[str] = Counter()
        for pulses, count in self._pulses.items():
            found.update({name: count * get(PULSES, pulses, name) for name in EVENTS})
        assert +found == events_of(case), f"{+found}, not {events_of(case)}"

    def _check(self, case: RowCase, results: list[int], number: int) -> None:
        """Compare a result with golden's."""
        got, want = int(self._dut.result__payload.value), results.pop(0)
        assert got == want, (
            f"{case.operation.name} {case.inputs.shape}, {number} words read: "
            f"{get(RESULT, got, 'bytes'):#x}, not {get(RESULT, want, 'bytes'):#x}; "
            f"{got:#x}, not {want:#x}"
        )

    async def _finish(self) -> None:
        """End the step: the floats are free in the next cycle."""
        dut = self._dut
        await ReadOnly()
        assert int(dut.idle.value) == 1
        await FallingEdge(dut.clk)
        dut.finish.value = 1
        await FallingEdge(dut.clk)
        dut.finish.value = 0
        CORNERS.hit("floats while a step runs")


@cocotb.test(timeout_time=1, timeout_unit="sec")
@cocotb.parametrize(pace=["free", "slow_words", "slow_results", "both"])
async def layers_match_golden(dut: Any, pace: str) -> None:
    """Every byte is golden's, whatever waits; where nothing waits every result has its cycle."""
    rng = np.random.default_rng(7)
    gap = 0.4 if pace in ("slow_words", "both") else 0.0
    wait = 0.6 if pace in ("slow_results", "both") else 0.0
    driver = Driver(dut, rng, gap=gap, wait=wait)
    idle = (dut.go, dut.finish, dut.word_valid, dut.floats__write, dut.floats__push)
    await reset(dut, *idle)
    for number, case in enumerate(cases(rng, macros=MACROS, size=SIZE)):
        await driver.load(case)
        if number in LEFT:
            await driver.run(case, most=LEFT[number])
            await reset(dut, *idle)
            CORNERS.hit("a reset in a step")
            await driver.load(case)
        other = OTHERS[number % len(OTHERS)]
        await driver.run_other(*other)
        await driver.run(case)
        short = case.inputs.shape[3] < SHARE_CYCLES // 2 and case.operation is Operation.SOFTMAX
        CORNERS.hit("a softmax waits for the results of the group before", short)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the layers above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
