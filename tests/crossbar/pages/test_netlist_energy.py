"""Flits are counted as they leave a router; its share of the sheet's power is that of all."""

import numpy as np
import pytest

from hwgen.crossbar.facts.arch import fabric_of_chip
from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.facts.routes import PORTS
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.pages.netlist_energy import BLOCK, MODULE, block_of, events_of, table_pj
from hwgen.crossbar.rtl.layouts import flit
from tests.verif.crossbar.whole import design, plain_network

ARCH = make_arch(design(plain_network(), copies=[4, 2, 1], macros=[1, 1, 1], clocks=[1, 1, 4]), "a")


def test_what_is_valid_leaves() -> None:
    size = flit(described(ARCH)).size
    outputs = np.zeros((3, PORTS * size), np.uint8)
    # Data without a flit are none; two ports of one clock are two flits.
    outputs[0, 2 : size - 1] = 1
    outputs[1, [0, 5 * size]] = 1
    outputs[2, 3 * size] = 1
    assert events_of(ARCH, {"outputs": outputs}) == {"flit_hops": 3}


def test_all_routers_have_the_power_of_the_sheet() -> None:
    logic, memories = table_pj(ARCH, {}, 1000)[BLOCK]
    sheet, clock = (
        fabric_of_chip(ARCH, "a").constants.network_on_chip,
        fabric_of_chip(ARCH, "a").clock,
    )
    whole = sheet.power_w * 1000 * clock.clock_ns * 1000
    assert (logic * ARCH.mesh.macros, memories) == (pytest.approx(whole), 0.0)


def test_a_router_is_one_block() -> None:
    assert block_of(MODULE) == BLOCK
    assert block_of("crossbar_packer_8x128x8") is None
