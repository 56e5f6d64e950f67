"""Bench of `chain`: three macros, a wire from each to the next, against golden."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly, Timer

from golden.crossbar.encoding import Ints
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.rtl.chain import sums_of_flit
from hwgen.crossbar.rtl.layouts import flit, header
from verif.common.packing import pack, unpack, unpack_signed
from verif.coverage import Corners
from verif.crossbar import small_parts as parts
from verif.reference.crossbar.chain import handed_on
from verif.stream import reset

CHIP = parts.case()
LINK, HEADER = flit(CHIP), header(CHIP)
NAMES = ("first", "middle", "last")
TRAVELS = {"first": 3, "middle": 4}
"""Number of what each macro sends."""
CHANNELS = parts.SIZES.channels
INDEX_BITS = bits_for_index(CHANNELS)
CORNERS = Corners("sums wrap", "a flit that is not full", "idle clocks")
Sent = dict[str, list[tuple[int, int, int]]]
"""Clock, head and data of the flits of each macro."""


class Bench:
    """Three macros of a chain."""

    def __init__(self, dut: Any, bits: int) -> None:
        self.dut, self.bits = dut, bits
        self.ports = {name: parts.ports_of(dut, f"{name} {bits}") for name in NAMES}

    async def start(self) -> None:
        """Reset, and the constants."""
        await reset(self.dut, *(port["go"] for port in self.ports.values()))
        for name, number in TRAVELS.items():
            self.ports[name]["travel_out"].value = number
            self.ports[NAMES[NAMES.index(name) + 1]]["travel_in"].value = number

    async def run(self, own: dict[str, Ints], *, half: int, clocks: int) -> Sent:
        """Run a block; return what was sent."""
        sent: Sent = {name: [] for name in TRAVELS}
        for port in self.ports.values():
            port["go"].value, port["half"].value = 1, half
        for clock in range(clocks):
            for name in TRAVELS:
                following = self.ports[NAMES[NAMES.index(name) + 1]]
                following["link_in"].value = int(self.ports[name]["link"].value)
            await Timer(1, unit="ns")
            for name, port in self.ports.items():
                index = unpack(
                    int(port["own_index"].value),
                    bits=INDEX_BITS,
                    count=sums_of_flit(CHIP.flit_bits, self.bits),
                )
                port["own"].value = pack([int(own[name][k]) for k in index], bits=self.bits)
            await ReadOnly()
            for name, seen in sent.items():
                view = LINK.from_bits(int(self.ports[name]["link"].value))
                if view.valid:
                    seen.append((clock, int(view.head), int(view.data)))
            await FallingEdge(self.dut.clk)
            for port in self.ports.values():
                port["go"].value = 0
        return sent

    async def kept(self, half: int) -> list[int]:
        """Return the sums that the last macro keeps."""
        found, port = [], self.ports["last"]
        for place in range(CHANNELS):
            port["read_index"].value, port["read_half"].value = place, half
            await ReadOnly()
            word = int(port["read_data"].value)
            found.append(unpack_signed(word, bits=self.bits, count=1)[0])
            await FallingEdge(self.dut.clk)
        return found


def wrapped(sums: Ints, bits: int) -> list[int]:
    """Return sums modulo the range of a partial sum, signed."""
    half = 1 << (bits - 1)
    return [(int(one) + half) % (2 * half) - half for one in sums]


def check(
    flits: list[tuple[int, int, int]], sums: list[int], *, number: int, begin: int, bits: int
) -> None:
    """Compare a packet: its clocks, without a gap, its header, its sums."""
    clocks = [clock for clock, _, _ in flits]
    count = -(-CHANNELS * bits // CHIP.flit_bits)
    assert clocks == list(range(begin, begin + 1 + count)), clocks
    head = HEADER.from_bits(flits[0][2])
    assert flits[0][1] and (head.travel, head.count) == (number, CHANNELS)
    word = pack([data for _, _, data in flits[1:]], bits=CHIP.flit_bits)
    got = unpack_signed(word, bits=bits, count=CHANNELS)
    assert got == sums, f"travel {number}"


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=range(3), bits=parts.SIZES.sums)
async def sums_are_handed_on(dut: Any, seed: int, bits: int) -> None:
    """Each flit leaves two clocks behind the one that came; sums may begin in one flit of two."""
    rng, bench = np.random.default_rng(seed), Bench(dut, bits)
    await bench.start()
    for block in range(6):
        most = 1 << (bits - 1 if block == 0 else bits - 4)
        own = {name: rng.integers(-most, most, CHANNELS) for name in NAMES}
        totals = handed_on([own[name] for name in NAMES])
        CORNERS.hit("sums wrap", wrapped(totals[2], bits) != totals[2].tolist())
        CORNERS.hit("a flit that is not full", CHANNELS * bits % CHIP.flit_bits > 0)
        flits = -(-CHANNELS * bits // CHIP.flit_bits)
        idle = int(rng.integers(0, 4))
        CORNERS.hit("idle clocks", idle > 0)
        sent = await bench.run(own, half=block % 2, clocks=10 + flits + idle)
        for place, (name, number) in enumerate(TRAVELS.items()):
            sums = wrapped(totals[place], bits)
            check(sent[name], sums, number=number, begin=3 + 2 * place, bits=bits)
        assert await bench.kept(block % 2) == wrapped(totals[2], bits), f"block {block}"


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the tests above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
