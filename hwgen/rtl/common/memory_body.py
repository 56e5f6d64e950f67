"""The body of every memory: words that are written at a clock edge, and read at once or at one."""

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
) -> None:
    """Place a memory of `depth` words with one write port and one read port.

    ``read_data = words[read_index]``, as it was before the clock edge

    write_en: one bit for each lane of a word, lane 0 lowest; the lanes are equally wide
    read_index: may be `write_index`, for a memory with one address
    read_en: without it the word is read at once; with it, at each edge at which it is high, and
        `read_data` holds from one read to the next
    The clock domain is a local one without reset: cells keep their charge. A part around this body
    takes `clk` as a port, so that a compiled memory can take its place.
    Errors: ValueError for lanes that do not divide a word
    """
    width, lanes = len(Value.cast(read_data)), len(write_en)
    if width % lanes:
        raise ValueError(f"the lanes of a word must be equally wide, got {lanes} for {width} bits")
    m.domains.array = array_clock = ClockDomain(reset_less=True, local=True)
    m.submodules.content = content = Memory(shape=width, depth=depth, init=[])
    write = content.write_port(domain="array", granularity=width // lanes)
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
