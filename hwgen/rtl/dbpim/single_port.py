"""A memory with one address, which every array of a macro is."""

from amaranth.hdl import ClockDomain, Module, Value
from amaranth.lib import data
from amaranth.lib.memory import Memory


def single_port(
    m: Module,
    *,
    clk: Value,
    write_en: Value,
    address: Value,
    write_data: Value | data.View,
    read_data: Value | data.View,
) -> None:
    """Place a word for each address, read at once and written at the rising edge of `clk`.

    The clock domain is a local one without reset: cells keep their charge.
    """
    m.domains.array = array_clock = ClockDomain(reset_less=True, local=True)
    width = len(Value.cast(read_data))
    m.submodules.memory = memory = Memory(shape=width, depth=1 << len(address), init=[])
    write = memory.write_port(domain="array")
    read = memory.read_port(domain="comb")
    m.d.comb += [
        array_clock.clk.eq(clk),
        write.en.eq(write_en),
        write.addr.eq(address),
        write.data.eq(write_data),
        read.addr.eq(address),
        Value.cast(read_data).eq(read.data),
    ]
