"""The two AXI ports of a chip as signatures, and the length of a burst.

Tests: `tests/verif/common/test_register_file.py`.
"""

from amaranth.hdl import Const, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.chip.axi import MEMORY_ADDRESS_BITS, MOST_BURST_BEATS, PAGE_BYTES
from hwgen.chip.widths import bits_for_index

PORT_BITS = (32, 64, 128, 256, 512, 1024)
"""Data widths of a memory port that AXI4 allows."""


def check_port(*, port_bits: int, burst_beats: int) -> None:
    """Raise ValueError for a data width or a burst length that AXI4 does not allow."""
    if port_bits not in PORT_BITS:
        raise ValueError(f"port_bits must be one of {PORT_BITS}, got {port_bits}")
    if not 1 <= burst_beats <= MOST_BURST_BEATS:
        raise ValueError(f"burst_beats must be 1 to {MOST_BURST_BEATS}, got {burst_beats}")


def read_manager(port_bits: int) -> dict[str, wiring.Member]:
    """Return the members of a manager's channels AR and R. The identifier is always 0."""
    return {
        "arid": Out(1),
        "araddr": Out(MEMORY_ADDRESS_BITS),
        "arlen": Out(8),
        "arsize": Out(3),
        "arburst": Out(2),
        "arvalid": Out(1),
        "arready": In(1),
        "rid": In(1),
        "rdata": In(port_bits),
        "rresp": In(2),
        "rlast": In(1),
        "rvalid": In(1),
        "rready": Out(1),
    }


def write_manager(port_bits: int) -> dict[str, wiring.Member]:
    """Return the members of a manager's channels AW, W and B. The identifier is always 0."""
    return {
        "awid": Out(1),
        "awaddr": Out(MEMORY_ADDRESS_BITS),
        "awlen": Out(8),
        "awsize": Out(3),
        "awburst": Out(2),
        "awvalid": Out(1),
        "awready": In(1),
        "wdata": Out(port_bits),
        "wstrb": Out(port_bits // 8),
        "wlast": Out(1),
        "wvalid": Out(1),
        "wready": In(1),
        "bid": In(1),
        "bresp": In(2),
        "bvalid": In(1),
        "bready": Out(1),
    }


def lite_subordinate(address_bits: int) -> dict[str, wiring.Member]:
    """Return the members of an AXI4-Lite subordinate with 32 bits of data."""
    return {
        "awaddr": In(address_bits),
        "awprot": In(3),
        "awvalid": In(1),
        "awready": Out(1),
        "wdata": In(32),
        "wstrb": In(4),
        "wvalid": In(1),
        "wready": Out(1),
        "bresp": Out(2),
        "bvalid": Out(1),
        "bready": In(1),
        "araddr": In(address_bits),
        "arprot": In(3),
        "arvalid": In(1),
        "arready": Out(1),
        "rdata": Out(32),
        "rresp": Out(2),
        "rvalid": Out(1),
        "rready": In(1),
    }


def beat_size(port_bits: int) -> Const:
    """Return AxSIZE of a whole beat."""
    return Const((port_bits // 8).bit_length() - 1, 3)


def burst_length(*, address: Value, beats: Value, port_bits: int, most: int) -> Value:
    """Return AxLEN: min(beats, most, beats from `address` to the end of its page), less one."""
    bits = bits_for_index(most)
    behind = ~address[(port_bits // 8).bit_length() - 1 : PAGE_BYTES.bit_length() - 1]
    short = Mux(beats < most, (beats - 1)[:bits], most - 1)
    return Mux(behind < short, behind, short)[:bits]
