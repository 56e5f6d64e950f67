"""Compare the IPU of pairs with `expected`, on every set of bit planes.

python bench.py ARCH.yaml
"""

import sys
from pathlib import Path

import numpy as np
from amaranth.hdl import Module
from amaranth.sim import Simulator
from expected import steps
from ipu import PairIpu

from hwgen.dbpim.facts.arch import load_arch

ARCH = load_arch(Path(sys.argv[1]))
INPUTS = ARCH.macro.compartments


def groups():
    """Yield groups with every set of bit planes; one input at least has the whole set."""
    rng = np.random.default_rng(1)
    for planes in range(256):
        group = rng.integers(0, 256, INPUTS, np.uint8) & np.uint8(planes)
        group[rng.integers(INPUTS)] = planes
        yield group


async def compare(context):
    """Walk all groups, and hold each cycle against `steps`."""
    cycles = 0
    for group in groups():
        expected, issued = steps(group), 0
        for byte, value in zip(dut.bytes, group.tolist(), strict=True):
            context.set(byte, value)
        for number, (bit, plane) in enumerate(expected):
            context.set(dut.issued, issued)
            found = context.get(dut.bit_index), context.get(dut.bit_plane), context.get(dut.last)
            ones = sum(one << place for place, one in enumerate(plane))
            assert found == (bit, ones, number == len(expected) - 1), (group, found)
            issued = context.get(dut.next)
        assert issued == 0, group
        cycles += len(expected)
    print(f"256 groups of {INPUTS} inputs equal, {cycles:,} cycles")


dut = PairIpu(arch=ARCH)
module = Module()
module.submodules.ipu = dut
simulator = Simulator(module)
simulator.add_testbench(compare)
simulator.run()
