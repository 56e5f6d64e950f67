"""Bench of `adder_tree`: every column of up to eight bits, samples of wider ones."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly

from golden.dbpim.adder_tree import adder_tree
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, unpack

TERMS = arch_from_environment().macro.compartments
CORNERS = Corners("no ones", "all ones", "one", "all but one")


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def counts_match_golden(dut: Any) -> None:
    """Every count is exact."""
    full = (1 << TERMS) - 1
    singles = [1 << place for place in range(TERMS)]
    directed = [0, full, *singles, *(full - one for one in singles)]
    sampled = np.random.default_rng(TERMS).permutation(full + 1)[:300].tolist()
    for word in [*directed, *sampled]:
        dut.adder_tree__bits.value = word
        await ReadOnly()
        got, want = (
            int(dut.adder_tree__count.value),
            int(adder_tree(unpack(word, bits=1, count=TERMS))),
        )
        assert got == want, f"got {got}, golden says {want} for {word:#x}"
        CORNERS.hit("no ones", want == 0)
        CORNERS.hit("all ones", want == TERMS)
        CORNERS.hit("one", want == 1)
        CORNERS.hit("all but one", want == TERMS - 1)
        await FallingEdge(dut.clk)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the words above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
