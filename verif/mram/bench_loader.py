"""Bench of `loader`: whole programs and images, with pauses, into tables, rows and banks."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.chip.fields import decode, encode
from hwgen.chip.rtl.read_engine import read_command
from hwgen.mram.facts.arch import most_modes
from hwgen.mram.facts.records import HEADER, Kind, encode_record, record_fields
from hwgen.mram.facts.registers import ErrorCode
from hwgen.mram.facts.stream import (
    Content,
    LaneParameters,
    encode_program,
    header_word,
    parameter_word,
    section_beats,
)
from hwgen.mram.facts.timing import LOADED_CYCLES
from hwgen.mram.rtl.layouts import array_row, bank_write
from verif.coverage import Corners
from verif.mram.component import arch_from_environment
from verif.stream import reset

ARCH = arch_from_environment()
BEATS = section_beats(ARCH)
PROGRAM, IMAGE = 0x12340000, 0x5600
CORNERS = Corners("pause", "command waits", "no parameter words", "no weight rows", "all sections")


def port(dut: Any, name: str) -> Any:
    """Return a port of the part."""
    return getattr(dut, f"loader__{name}")


def draw_content(rng: np.random.Generator, seed: int) -> Content:
    """Return a small program with random bits in every field; the seed says which sections."""
    records = [
        {field.name: int(rng.integers(0, 1 << field.bits)) for field in record_fields(ARCH)}
        for _ in range(int(rng.integers(1, 4)))
    ]
    words, rows = (0, 1, 3)[seed % 3], seed // 3
    lane = LaneParameters(bias=-5, multiplier=40000, shift=17)
    CORNERS.hit("no parameter words", words == 0)
    CORNERS.hit("no weight rows", rows == 0)
    CORNERS.hit("all sections", bool(words and rows))
    return Content(
        network=1,
        records=records,
        first_records=[0, len(records) - 1],
        parameters=[
            [lane._replace(bias=word + n) for n in range(ARCH.block)] for word in range(words)
        ],
        weights=rng.random((rows, ARCH.sub_arrays, ARCH.array.columns)) < 0.5,
        image_stride=64,
        answer_stride=64,
    )


def beats_of(content: bytes) -> list[int]:
    """Return the beats of a content."""
    size = ARCH.port_bytes
    return [int.from_bytes(content[n : n + size], "little") for n in range(0, len(content), size)]


class Memory:
    """The read engine: takes commands and delivers their beats with pauses, logs outputs."""

    def __init__(self, dut: Any, content: dict[int, list[int]], rng: np.random.Generator) -> None:
        self.dut, self.content, self.rng = dut, content, rng
        self.waiting: list[int] = []
        self.commands: list[tuple[int, int, int]] = []
        self.offered: tuple[int, int, int] | None = None
        self.tables: dict[tuple[str, int, int], int] = {}
        self.rows: dict[tuple[int, int], int] = {}
        self.bank: dict[tuple[int, int, int], int] = {}
        self.pulses: dict[str, list[int]] = {}
        self.taken: list[int] = []
        self.cycle = 0

    async def step(self) -> None:
        """Offer a beat or not, look at all outputs, and go to the next cycle."""
        offers = bool(self.waiting) and bool(self.rng.random() < 0.7)
        CORNERS.hit("pause", bool(self.waiting) and not offers)
        port(self.dut, "beats__valid").value = offers
        port(self.dut, "beats__payload").value = self.waiting[0] if offers else 0
        takes = bool(self.rng.random() < 0.5)
        port(self.dut, "command__ready").value = takes
        await ReadOnly()
        for name in ("accepted", "loaded", "image_loaded", "error"):
            value = int(port(self.dut, name).value)
            if value:
                self.pulses.setdefault(name, []).append(self.cycle)
        self._look()
        if offers and port(self.dut, "beats__ready").value:
            self.taken.append(self.cycle)
            self.waiting.pop(0)
        self._take_command(takes=takes)
        await FallingEdge(self.dut.clk)
        self.cycle += 1

    def _take_command(self, *, takes: bool) -> None:
        """Log a command that is taken; since it was offered it has not changed."""
        valid = bool(port(self.dut, "command__valid").value)
        if not valid:
            assert self.offered is None, f"cycle {self.cycle}: a command is withdrawn"
            return
        command = read_command().from_bits(int(port(self.dut, "command__payload").value))
        since = self.cycle if self.offered is None else self.offered[0]
        now = since, command.address, command.beats
        assert self.offered in (None, now), f"cycle {self.cycle}: a command has changed"
        CORNERS.hit("command waits", not takes)
        self.offered = None if takes else now
        if takes:
            self.commands.append(now)
            self.waiting += self.content[command.address][: command.beats]

    def _look(self) -> None:
        """Log what goes to tables, arrays and banks."""
        dut = self.dut
        for name in ("record", "parameter"):
            enables = int(port(dut, f"{name}_write").value)
            assert enables & (enables - 1) == 0, f"{name}: one beat at a time"
            if enables:
                place = name, int(port(dut, "table_index").value), enables.bit_length() - 1
                self.tables[place] = int(port(dut, "table_data").value)
        if port(dut, "weight_valid").value:
            row = array_row(ARCH).from_bits(int(port(dut, "weight").value))
            assert (row.row, row.sub_array) not in self.rows
            self.rows[row.row, row.sub_array] = row.data
        if port(dut, "bank_valid").value:
            write = bank_write(ARCH).from_bits(int(port(dut, "bank").value))
            for element in range(ARCH.array.columns // ARCH.element_bits):
                if write.mask >> element & 1:
                    at = (write.bank, write.row, element)
                    value = write.data >> (element * ARCH.element_bits)
                    self.bank[at] = value & ((1 << ARCH.element_bits) - 1)


async def begin(dut: Any) -> None:
    """Reset the part; weights are resident and not locked."""
    inputs = ("load", "load_image", "locked", "beats__valid")
    await reset(dut, *(port(dut, name) for name in inputs))
    port(dut, "resident").value = 1
    port(dut, "program_address").value = PROGRAM
    port(dut, "image_address").value = IMAGE


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(8))
async def a_program_reaches_its_places(dut: Any, seed: int) -> None:
    """Every record, parameter word and row arrives once; commands and ends have their cycles."""
    rng = np.random.default_rng(seed)
    content = draw_content(rng, seed)
    beats = beats_of(encode_program(content, ARCH).tobytes())
    rest = PROGRAM + BEATS.header * ARCH.port_bytes
    memory = Memory(dut, {PROGRAM: beats, rest: beats[BEATS.header :]}, rng)
    await begin(dut)
    port(dut, "load").value = 1
    await memory.step()
    port(dut, "load").value = 0
    while "loaded" not in memory.pulses and memory.cycle < 20 * len(beats) + 50:
        await memory.step()
    last = memory.taken[BEATS.header - 1]
    assert memory.commands == [
        (1, PROGRAM, BEATS.header),
        (last + 2, rest, len(beats) - BEATS.header),
    ]
    assert memory.pulses == {"accepted": [last + 1], "loaded": [memory.taken[-1] + LOADED_CYCLES]}
    words = [encode_record(record, ARCH) for record in content.records]
    tables = table("record", words, BEATS.record)
    words = [parameter_word(lanes, ARCH) for lanes in content.parameters]
    assert memory.tables == tables | table("parameter", words, BEATS.parameter)
    packed = np.packbits(content.weights, axis=2, bitorder="little")
    assert memory.rows == {
        (row, sub_array): int.from_bytes(packed[row, sub_array].tobytes(), "little")
        for row, sub_array in np.ndindex(packed.shape[:2])
    }


def table(name: str, words: list[int], beats: int) -> dict[tuple[str, int, int], int]:
    """Return what each beat of each word of a table must be."""
    mask = (1 << ARCH.port_bits) - 1
    return {
        (name, index, beat): word >> (beat * ARCH.port_bits) & mask
        for index, word in enumerate(words)
        for beat in range(beats)
    }


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def the_first_reason_counts(dut: Any) -> None:
    """Each wrong header has its error, in the order magic and counts, version, chip, lock.

    Only of a right one the rest is asked for.
    """
    content = draw_content(np.random.default_rng(1), 8)
    right = decode(HEADER, header_word(content, ARCH)) | {"weight_rows": 1}
    tables = {"weight_rows": 0}
    cases = [
        ({"magic": 1, "version": 9}, 0, 1, ErrorCode.BAD_PROGRAM),
        ({"records": 0}, 0, 1, ErrorCode.BAD_PROGRAM),
        ({"records": ARCH.record_entries + 1}, 0, 1, ErrorCode.BAD_PROGRAM),
        ({"parameter_words": ARCH.parameter_entries + 1}, 0, 1, ErrorCode.BAD_PROGRAM),
        ({"weight_rows": ARCH.weight_rows + 1}, 0, 1, ErrorCode.BAD_PROGRAM),
        ({"weight_rows": ARCH.weight_rows}, 0, 1, ErrorCode.NONE),
        ({"modes": 0}, 0, 1, ErrorCode.BAD_PROGRAM),
        ({"modes": most_modes(ARCH) + 1}, 0, 1, ErrorCode.BAD_PROGRAM),
        ({"beats": 0}, 0, 1, ErrorCode.BAD_PROGRAM),
        ({"version": 9, "architecture": 1}, 0, 1, ErrorCode.WRONG_VERSION),
        ({"architecture": 1}, 1, 1, ErrorCode.WRONG_ARCHITECTURE),
        ({"architecture": ARCH.id_word ^ 1}, 1, 1, ErrorCode.WRONG_ARCHITECTURE),
        ({}, 1, 1, ErrorCode.LOCKED),
        (tables, 0, 0, ErrorCode.NOT_LOADED),
        (tables, 1, 1, ErrorCode.NONE),
        ({}, 0, 0, ErrorCode.NONE),
    ]
    for fields, locked, resident, code in cases:
        await begin(dut)
        port(dut, "locked").value, port(dut, "resident").value = locked, resident
        word = encode(HEADER, right | fields)
        beats = beats_of(word.to_bytes(BEATS.header * ARCH.port_bytes, "little"))
        rest = PROGRAM + BEATS.header * ARCH.port_bytes
        memory = Memory(dut, {PROGRAM: beats, rest: []}, np.random.default_rng(2))
        port(dut, "load").value = 1
        await memory.step()
        port(dut, "load").value = 0
        while len(memory.taken) < BEATS.header:
            await memory.step()
        await ReadOnly()
        assert int(port(dut, "error").value) == code, fields
        assert bool(port(dut, "accepted").value) == (code == ErrorCode.NONE), fields
        await FallingEdge(dut.clk)
        for _ in range(20):
            await memory.step()
        asked = [address for _, address, _ in memory.commands]
        assert asked == [PROGRAM, *([rest] if code == ErrorCode.NONE else [])], fields


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(3))
async def an_image_lies_in_its_bank_as_in_memory(dut: Any, seed: int) -> None:
    """Beat after beat from byte 0 of the bank on; the last one ends the record in its cycle."""
    rng = np.random.default_rng(seed)
    count, bank = int(rng.integers(1, 9)), int(rng.integers(4))
    content = rng.integers(0, 256, count * ARCH.port_bytes).astype(np.uint8).tobytes()
    await begin(dut)
    record = {"kind": Kind.IMAGE, "out_bank": bank, "loads": count}
    port(dut, "record").value = encode_record(record, ARCH)
    memory = Memory(dut, {IMAGE: beats_of(content)}, rng)
    port(dut, "load_image").value = 1
    await memory.step()
    port(dut, "load_image").value = 0
    for _ in range(20 * count):
        await memory.step()
    assert memory.commands == [(1, IMAGE, count)]
    assert memory.pulses == {"image_loaded": [memory.taken[-1]]}
    values = np.frombuffer(content, "<u1" if ARCH.element_bits == 8 else "<u2").tolist()
    each = ARCH.array.columns // ARCH.element_bits
    expected = {(bank, *divmod(index, each)): value for index, value in enumerate(values)}
    assert memory.bank == expected, f"seed {seed}"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the grid above has reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
