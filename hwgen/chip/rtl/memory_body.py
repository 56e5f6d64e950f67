"""The body of every memory: one write port, and read ports (combinational or registered)."""

from collections.abc import Sequence

from amaranth.hdl import ClockDomain, Module, Value
from amaranth.lib import data
from amaranth.lib.memory import Memory


def memory_body(
    m: Module,
    *,
    depth: int,
    clk: Value,
    write_en: Value,
    write_index: Value,
    write_data: Value | data.View,
    read_index: Value,
    read_data: Value | data.View,
    read_en: Value | None = None,
    further_reads: Sequence[tuple[Value, Value]] = (),
) -> None:
    """Place a memory of `depth` words with one write port and one read port or more.

    ``read_data = words[read_index]``, as it was before the clock edge

    write_en: one bit for each slice of a word, slice 0 lowest; all slices are equally wide
    read_index: may be `write_index`, for a memory with one address
    read_en: without it the read is combinational; with it the word is read at each edge at which
        it is high, and `read_data` holds until the next read
    further_reads: index and data of each further read, always combinational
    The clock domain is local and has no reset: cells keep their charge. The module around this body
    has `clk` as a port, so that a compiled memory can replace it.
    Errors: ValueError if the slices do not divide a word
    """
    width, slices = len(Value.cast(read_data)), len(write_en)
    if width % slices:
        raise ValueError(f"slices of a word must be equally wide, got {slices} for {width} bits")
    m.domains.array = array_clock = ClockDomain(reset_less=True, local=True)
    m.submodules.content = content = Memory(shape=width, depth=depth, init=[])
    write = content.write_port(domain="array", granularity=width // slices)
    read = content.read_port(domain="comb" if read_en is None else "array")
    m.d.comb += [
        array_clock.clk.eq(clk),
        write.en.eq(write_en),
        write.addr.eq(write_index),
        write.data.eq(write_data),
        read.addr.eq(read_index),
        Value.cast(read_data).eq(read.data),
    ]
    if read_en is not None:
        m.d.comb += read.en.eq(read_en)
    for index, word in further_reads:
        further = content.read_port(domain="comb")
        m.d.comb += [further.addr.eq(index), word.eq(further.data)]
