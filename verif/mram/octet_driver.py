"""Drives the octet of a bench: weights, inputs, loads and additions, and collects its events."""

from collections import Counter
from typing import Any

import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.records import encode_record
from hwgen.mram.facts.timing import ACCUMULATE_CYCLES, SENSE_CYCLES
from hwgen.mram.rtl import layouts
from verif.common.packing import pack, unpack_signed
from verif.reference.mram.sense_amplifier import Bits
from verif.stream import reset


class OctetDriver:
    """The ports of an octet; `events` sums the fields of its trace over all cycles."""

    def __init__(self, dut: Any, arch: Arch) -> None:
        self._dut, self._arch = dut, arch
        self.events: Counter[str] = Counter()

    def port(self, name: str) -> Any:
        """Return a port of the part."""
        return getattr(self._dut, f"octet__{name}")

    async def start(self, fields: dict[str, int], *, number: int) -> None:
        """Reset, and give number and record."""
        idle = ("input_valid", "go", "weight_valid", "lock", "add_go")
        await reset(self._dut, *(self.port(name) for name in idle))
        self.port("number").value = number
        self.set_record(fields)
        self.events.clear()

    def set_record(self, fields: dict[str, int]) -> None:
        """Give a record."""
        self.port("record").value = encode_record(fields, self._arch)

    async def cycle(self, **inputs: int) -> dict[str, int]:
        """Give `inputs` for one cycle; return the events of the cycle."""
        for name, value in inputs.items():
            self.port(name).value = value
        await ReadOnly()
        word, found = int(self.port("trace").value), {}
        for name, field in layouts.octet_trace(self._arch):
            found[name] = word >> field.offset & ((1 << field.width) - 1)
        self.events.update(found)
        await FallingEdge(self._dut.clk)
        for name in ("input_valid", "go", "weight_valid", "add_go"):
            if name in inputs:
                self.port(name).value = 0
        return found

    async def write_weights(self, rows: Bits, *, first_row: int, arrays: int) -> None:
        """Write rows (rows, columns) into the sub-arrays of a mask."""
        for place, bits in enumerate(rows):
            data = pack(bits, bits=1)
            row = first_row + place
            await self.cycle(weight_valid=arrays, weight_row=row, weight_data=data)

    async def write_inputs(self, planes: Bits) -> None:
        """Write input rows from 0 on, the last one together with `go`."""
        for row, bits in enumerate(planes):
            data = pack(bits[: self._arch.input_columns], bits=1)
            go = int(row == len(planes) - 1)
            await self.cycle(input_valid=1, input_row=row, input_data=data, go=go)

    async def until_free(self) -> int:
        """Wait until the last AND is over; return the cycles."""
        cycles = 0
        free = 0
        while not free:
            await ReadOnly()
            free = int(self.port("free").value)
            await self._next()
            cycles += 1
        for _ in range(SENSE_CYCLES + ACCUMULATE_CYCLES - 1):
            await self.cycle()
        return cycles

    async def until_added(self) -> int:
        """Wait until the addition is over; return its cycles."""
        cycles = 0
        while int(self.port("adding").value):
            await self.cycle()
            cycles += 1
        return cycles

    async def sums(self, segment: int) -> list[int]:
        """Return the accumulators of a segment, one for each sub-array."""
        self.port("segment").value = segment
        await ReadOnly()
        word = int(self.port("sums").value)
        await self._next()
        return unpack_signed(word, bits=self._arch.accumulator_bits, count=self._arch.block)

    async def _next(self) -> None:
        """Go to the next cycle, from the read-only phase of this one."""
        word = int(self.port("trace").value)
        for name, field in layouts.octet_trace(self._arch):
            self.events[name] += word >> field.offset & ((1 << field.width) - 1)
        await FallingEdge(self._dut.clk)


def random_rows(rng: np.random.Generator, count: int, columns: int) -> Bits:
    """Return random rows."""
    return rng.integers(0, 2, (count, columns)).astype(np.uint8)
