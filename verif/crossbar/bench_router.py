"""Bench of `router`: packets leave by the outputs of their number; clashes are seen."""

import json
import os
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from hwgen.crossbar.facts.routes import PORTS
from verif.coverage import Corners
from verif.stream import reset

FLIT_BITS = int(os.environ["ROUTER_FLIT_BITS"])
EXITS: list[int] = json.loads(os.environ["ROUTER_EXITS"])
"""Outputs of each number, a bit each."""

WIDTH = FLIT_BITS + 2
CORNERS = Corners("a gap in a packet", "two packets at a time", "a multicast", "nowhere", "a clash")


def word(flits: dict[int, tuple[int, int]]) -> int:
    """Return flits, (head, data) by port, as the ports of the router."""
    found = 0
    for port, (head, data) in flits.items():
        found |= (1 | head << 1 | data << 2) << (WIDTH * port)
    return found


class Sender:
    """Sends random packets into one input, with gaps."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.left, self.number = rng, 0, 0

    def next(self) -> tuple[int, int] | None:
        """Return head and data of the next flit; None: a gap."""
        if self.rng.random() < 0.3:
            CORNERS.hit("a gap in a packet", self.left > 0)
            return None
        noise = int(self.rng.integers(1 << 50))
        if self.left:
            self.left -= 1
            return 0, noise
        self.number = int(self.rng.integers(len(EXITS)))
        self.left = int(self.rng.integers(4))
        return 1, noise << 10 & ((1 << FLIT_BITS) - 1) | self.number


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(seed=range(4))
async def packets_take_their_exits(dut: Any, seed: int) -> None:
    """Every flit is at all its outputs a clock later; where two meet there, `clash` tells of it."""
    rng = np.random.default_rng(seed)
    table = sum(mask << (PORTS * number) for number, mask in enumerate(EXITS))
    dut.router__exits.value = table
    await reset(dut, dut.router__inputs)
    senders = [Sender(rng) for _ in range(1 if seed == 0 else 2 if seed == 1 else PORTS)]
    wanted, clash = 0, False
    for _ in range(400):
        flits = {port: flit for port, one in enumerate(senders) if (flit := one.next())}
        dut.router__inputs.value = word(flits)
        await ReadOnly()
        where = f"seed {seed}"
        assert int(dut.router__outputs.value) == wanted, f"{where}: {wanted:#x} was to come"
        assert bool(dut.router__clash.value) == clash, f"{where}: clash is not {clash}"
        await FallingEdge(dut.clk)
        wanted, users = 0, [0] * PORTS
        for port, flit in flits.items():
            mask = EXITS[senders[port].number]
            CORNERS.hit("a multicast", mask.bit_count() > 1)
            CORNERS.hit("nowhere", mask == 0)
            for exit_port in range(PORTS):
                if mask >> exit_port & 1:
                    users[exit_port] += 1
                    wanted |= word({exit_port: flit})
        clash = max(users) > 1
        CORNERS.hit("two packets at a time", len(flits) > 1)
        CORNERS.hit("a clash", clash)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the packets above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
