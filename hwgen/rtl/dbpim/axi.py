"""The chip's two AXI ports as signatures, and the length of a burst."""

from amaranth.hdl import Const, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.spec.axi import PAGE_BYTES
from hwgen.spec.dbpim.registers import ADDRESS_BITS
from hwgen.spec.dbpim.timing import BURST_BEATS

MEMORY_ADDRESS_BITS = 64

INCREMENTING = 1
"""AxBURST of a burst whose addresses grow."""

OKAY = 0
SUBORDINATE_ERROR = 2
"""RRESP and BRESP: everything else than OKAY is an error to the chip."""


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


def lite_subordinate() -> dict[str, wiring.Member]:
    """Return the members of an AXI4-Lite subordinate with 32 bits of data."""
    return {
        "awaddr": In(ADDRESS_BITS),
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
        "araddr": In(ADDRESS_BITS),
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


def burst_beats(*, address: Value, beats: Value, port_bits: int) -> Value:
    """Return min(beats, BURST_BEATS, beats from `address` to the end of its page)."""
    page_beats = PAGE_BYTES // (port_bits // 8)
    offset_bits = (port_bits // 8).bit_length() - 1
    page_bits = PAGE_BYTES.bit_length() - 1
    to_border = page_beats - address[offset_bits:page_bits]
    short = Mux(beats < BURST_BEATS, beats[: BURST_BEATS.bit_length()], BURST_BEATS)
    return Mux(to_border < short, to_border, short)[: BURST_BEATS.bit_length()]
