"""Bench of `write_port`: results to the own banks or over the bus, stalled on both sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.rtl.layouts import bus_write, packet, vector_write, work
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack
from verif.reference.dbpim.activation_buffer import bank_of
from verif.stream import reset

ARCH = arch_from_environment()
MACROS, CHANNELS, FILTERS = ARCH.macros_per_core, ARCH.word, ARCH.filters
BANKS = ARCH.banks
BUS, VECTOR = bus_write(ARCH), vector_write(ARCH)
ROW_LIMIT = 1 << 10
RESULTS = 60
CYCLES = 3000
"""No run takes as many."""

Fields = dict[str, Any]
SEVERAL = (
    "positions of one result in private and other rows",
    "a result of some positions over the bus",
    "a grant between the positions of a result",
    "private result while the bus writes another bank",
)
CORNERS = Corners(
    "private result of a position vector",
    "private result of the output stage",
    "private result while the bus writes one of its banks",
    "result of the output stage over the bus",
    "result of the SIMD unit over the bus",
    "first and last private row",
    "row before and after the private ones",
    "no private row",
    "raw result in a private row",
    "words to the memory in private rows",
    "request waits",
    "no result",
    *(SEVERAL if MACROS > 1 else ()),
)


@dataclass(frozen=True)
class Window:
    """What the port knows of the step: its map in the buffers or logits, and rows of the core."""

    private: range
    keep_first: int
    base: int
    row_pitch: int
    channel_words: int

    def drive(self, dut: Any) -> None:
        """Show the step's fields."""
        layer = {
            "output_base": self.base,
            "output_row_pitch": self.row_pitch,
            "output_channel_words": self.channel_words,
        }
        rows = {
            "private_first": self.private.start,
            "private_rows": len(self.private),
            "keep_first": self.keep_first,
        }
        dut.layer.value = int(packet(Opcode.CONV, ARCH).const(layer).as_bits())
        dut.work.value = int(work().const(rows).as_bits())

    def index(self, row: int, column: int, word: int) -> int:
        """Return the first int32 of a word in the logit buffer."""
        words = self.base + (row - self.keep_first) * self.row_pitch
        words += column * self.channel_words + word
        return words * CHANNELS // 4 % ARCH.logit_entries


@dataclass(frozen=True)
class Result:
    """A result, by the fields of its port, and the words that it must become on the bus."""

    simd: bool
    fields: Fields
    private: bool
    words: Sequence[Fields]

    def payload(self) -> int:
        """Return the bits of the port."""
        return int((VECTOR if self.simd else BUS).const(self.fields).as_bits())

    def banks(self) -> int:
        """Return the banks that a private result is written to, one bit for each."""
        places, _, _ = self.stored()
        return sum(1 << bank for bank in {bank_of(*at, banks=BANKS) for at, _ in places})

    def stored(self) -> tuple[Any, ...]:
        """Return what the own banks must get: each position's place and bytes, enable and word."""
        if self.simd:
            active = [index for index, at in enumerate(self.fields["positions"]) if at["active"]]
            places = [(self._place(at), tuple(self.fields["bytes"][at])) for at in active]
        else:
            place = (self.fields["row"], self.fields["column"])
            low = self.fields["data"] % (1 << 8 * CHANNELS)
            places = [(place, tuple(low.to_bytes(CHANNELS, "little")))]
        return places, self.fields["enable"], self.fields["word"]

    def _place(self, index: int) -> tuple[int, int]:
        at = self.fields["positions"][index]
        return at["row"], at["column"]


def draw_row(rng: np.random.Generator, window: Window) -> int:
    """Return a row near the private ones, not before the first one that the core keeps."""
    row = int(rng.integers(window.private.start - 2, window.private.stop + 2)) % ROW_LIMIT
    return max(row, window.keep_first)


def draw_vector(rng: np.random.Generator, window: Window) -> Result:
    """Return a result of the SIMD unit: positions in one row or two."""
    row = draw_row(rng, window)
    second = min(row + int(rng.integers(2)), ROW_LIMIT - 1)
    active = rng.random(MACROS) < rng.choice([0.5, 1.0])
    active[0] = True
    positions = [
        {
            "row": second if 2 * index >= MACROS > 1 else row,
            "column": int(rng.integers(ROW_LIMIT)),
            "active": int(active[index]),
        }
        for index in range(MACROS)
    ]
    fields: Fields = {
        "bytes": rng.integers(0, 256, (MACROS, CHANNELS)).tolist(),
        "positions": positions,
        "enable": pack(rng.random(CHANNELS) < 0.7, bits=1),
        "word": int(rng.integers(ROW_LIMIT)),
        "to_memory": int(rng.random() < 0.2),
    }
    words = [
        {
            "data": int.from_bytes(bytes(content), "little"),
            "enable": fields["enable"],
            "row": at["row"],
            "column": at["column"],
            "word": fields["word"],
            "raw": 0,
            "to_memory": fields["to_memory"],
            "index": window.index(at["row"], at["column"], fields["word"]),
        }
        for at, content in zip(positions, fields["bytes"], strict=True)
        if at["active"]
    ]
    inside = [word["row"] in window.private for word in words]
    note_vector(inside, to_memory=bool(fields["to_memory"]), count=len(words))
    return Result(True, fields, all(inside) and not fields["to_memory"], words)


def note_vector(inside: list[bool], *, to_memory: bool, count: int) -> None:
    """Record the corners of a result of the SIMD unit."""
    CORNERS.hit("words to the memory in private rows", all(inside) and to_memory)
    CORNERS.hit("private result of a position vector", all(inside) and not to_memory)
    CORNERS.hit("result of the SIMD unit over the bus", not all(inside))
    if MACROS > 1:
        CORNERS.hit("positions of one result in private and other rows", len(set(inside)) == 2)
        some = 1 < count < MACROS or MACROS == 2
        CORNERS.hit("a result of some positions over the bus", some and not all(inside))


def draw_output(rng: np.random.Generator, window: Window) -> Result:
    """Return a result of the output stage."""
    raw = bool(rng.random() < 0.2)
    data = int.from_bytes(rng.bytes(BUS["data"].width // 8), "little")
    fields: Fields = {
        "data": data,
        "enable": 0 if raw else ((1 << FILTERS) - 1) << FILTERS * int(rng.integers(2)),
        "row": draw_row(rng, window),
        "column": int(rng.integers(ROW_LIMIT)),
        "word": int(rng.integers(ROW_LIMIT)),
        "index": int(rng.integers(ARCH.logit_entries)),
        "raw": int(raw),
        "to_memory": 0,
    }
    fields["enable"] %= 1 << CHANNELS
    inside = fields["row"] in window.private
    private = inside and not raw
    CORNERS.hit("raw result in a private row", inside and raw)
    CORNERS.hit("private result of the output stage", private)
    CORNERS.hit("result of the output stage over the bus", not inside and not raw)
    edges = (window.private.start - 1, window.private.stop)
    CORNERS.hit("row before and after the private ones", fields["row"] in edges)
    if window.private:
        CORNERS.hit(
            "first and last private row", fields["row"] in (window.private[0], window.private[-1])
        )
    return Result(False, fields, private, [fields])


class Run:
    """Results of one step, a cycle at a time."""

    def __init__(self, dut: Any, rng: np.random.Generator, results: list[Result]) -> None:
        self._dut, self._rng, self._results = dut, rng, results
        self._sent = 0
        self._held: int | None = None

    async def until_done(self, *, gap: float, stall: float) -> None:
        """Offer the results and check every cycle until all are taken."""
        offered = False
        for _ in range(CYCLES):
            if not self._results:
                return
            offered = offered or self._rng.random() >= gap
            stores = sum((self._rng.random() < stall) << bank for bank in range(BANKS))
            ready = bool(self._rng.random() >= stall)
            taken = await self._cycle(offered=offered, stores=stores, ready=ready)
            offered = offered and not taken
        raise AssertionError(f"{len(self._results)} results are stuck")

    async def _cycle(self, *, offered: bool, stores: int, ready: bool) -> bool:
        """Drive and check one cycle; return whether the result is taken."""
        dut, result = self._dut, self._results[0]
        dut.output__valid.value = offered and not result.simd
        dut.result__valid.value = offered and result.simd
        ports = [(dut.output__payload, BUS), (dut.result__payload, VECTOR)]
        for port, layout in ports:
            port.value = int.from_bytes(self._rng.bytes(layout.size // 8), "little")
        ports[result.simd][0].value = result.payload()
        dut.stores.value = stores
        dut.request__ready.value = ready
        await ReadOnly()
        waits = bool(stores & result.banks())
        writes = offered and result.private and not waits
        requests = offered and not result.private
        shown = bool(dut.private_valid.value), bool(dut.request__valid.value)
        assert shown == (writes, requests), f"{result}: private, bus are {shown}, stores {stores}"
        taken = writes
        if writes:
            self._check_private(result)
        if requests:
            taken = self._check_request(result, ready=ready)
        handshake = dut.result__ready if result.simd else dut.output__ready
        if offered:
            assert bool(handshake.value) == taken, f"{result}: taken is {bool(handshake.value)}"
        private = offered and result.private
        CORNERS.hit("private result while the bus writes one of its banks", private and waits)
        if MACROS > 1:
            beside = bool(stores) and not waits
            CORNERS.hit("private result while the bus writes another bank", private and beside)
        CORNERS.hit("no result", not offered)
        CORNERS.hit("request waits", requests and not ready)
        if taken:
            self._results.pop(0)
            self._sent = 0
        await FallingEdge(dut.clk)
        return taken

    def _check_private(self, result: Result) -> None:
        """The own banks get every position of the result."""
        got = VECTOR.from_bits(int(self._dut.private_write.value))
        places = [
            ((at.row, at.column), tuple(got.bytes[index]))
            for index, at in enumerate(got.positions)
            if at.active
        ]
        shown = places, got.enable, got.word
        assert shown == result.stored(), f"{shown}, not {result.stored()}"

    def _check_request(self, result: Result, *, ready: bool) -> bool:
        """The bus sees one position of the result; return whether it is the last one and taken."""
        got = BUS.from_bits(int(self._dut.request__payload.value))
        want = result.words[self._sent]
        names = [name for name in want if name != "index" or want["raw"] or want["to_memory"]]
        shown = {name: got[name] for name in names}
        expected = {name: want[name] for name in names}
        if not want["raw"]:
            expected["data"] %= 1 << 8 * CHANNELS
            shown["data"] %= 1 << 8 * CHANNELS
        assert shown == expected, f"{shown}, not {expected} of {result}"
        last = self._sent == len(result.words) - 1
        self._sent += ready
        if MACROS > 1:
            CORNERS.hit("a grant between the positions of a result", ready and not last)
        return ready and last


def draw_window(rng: np.random.Generator) -> Window:
    """Return the rows and the place of a map; private rows at either end of the format too."""
    first = int(rng.choice([0, ROW_LIMIT - 4, int(rng.integers(ROW_LIMIT - 4))]))
    private = range(first, first + int(rng.integers(0, 5)))
    CORNERS.hit("no private row", not private)
    return Window(
        private=private,
        keep_first=max(0, first - int(rng.integers(3))),
        base=int(rng.integers(8)),
        row_pitch=int(rng.integers(1, 9)),
        channel_words=int(rng.integers(1, 4)),
    )


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(seed=range(6), gap=[0.0, 0.5], stall=[0.0, 0.6])
async def results_take_their_way(dut: Any, seed: int, gap: float, stall: float) -> None:
    """Private results are written at once unless a bus word is stored; others go one by one."""
    rng = np.random.default_rng(seed)
    await reset(dut, dut.output__valid, dut.result__valid, dut.stores, dut.request__ready)
    window = draw_window(rng)
    window.drive(dut)
    draw = draw_vector if seed % 2 else draw_output
    await Run(dut, rng, [draw(rng, window) for _ in range(RESULTS)]).until_done(
        gap=gap, stall=stall
    )


@cocotb.test()
async def a_reset_forgets_the_positions_sent(dut: Any) -> None:
    """After a reset in the middle of a result all positions of the next one are requested."""
    rng = np.random.default_rng(1)
    window = Window(range(0), 0, 0, 1, 1)
    inputs = (dut.output__valid, dut.result__valid, dut.stores, dut.request__ready)
    for _ in range(2):
        await reset(dut, *inputs)
        window.drive(dut)
        result = draw_vector(rng, window)
        while len(result.words) < MACROS:
            result = draw_vector(rng, window)
        run = Run(dut, rng, [result])
        await run._cycle(offered=True, stores=0, ready=True)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
