"""The host's registers of a chip: an AXI4-Lite subordinate with a family's register table."""

from collections.abc import Mapping, Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.chip.axi import OKAY, SUBORDINATE_ERROR
from hwgen.chip.registers import (
    REGISTER_BITS,
    REGISTER_BYTES,
    Access,
    Register,
    RegisterField,
    offsets,
)
from hwgen.chip.rtl.axi import lite_subordinate
from hwgen.chip.rtl.checks import holds, one_hot
from hwgen.chip.rtl.coded import Coded
from hwgen.chip.rtl.shared import SharedPart
from hwgen.chip.widths import bits_for_index

LOW, HIGH = "_low", "_high"
CONTROL, STATUS, ERROR = "control", "status", "error"
INTERRUPT, ENABLE = "interrupt", "interrupt_enable"
WHILE_BUSY: Access = "read and write while busy"
OF_EVERY_CHIP = (CONTROL, STATUS, ERROR, INTERRUPT, ENABLE)


class Registers(SharedPart):
    """Registers of a table, 32 bits each; `x_low` and `x_high` are the halves of one 64-bit value.

    Parameters
    ----------
        family        prefix of the module name
        table         the registers; it must hold ``control``, ``status``, ``error``, ``interrupt``
                      and ``interrupt_enable``
        constants     value of each constant register
        address_bits  of the port; an address without a register answers with an error
        error_bits    width of an error code; 0 is no error
    Ports
        bus     out  AXI4-Lite   32 bits of data; the two lowest address bits are ignored
        start   out  1           a program starts, one cycle after its write was accepted
        busy    in   1           a program runs; only what is `read and write while busy` can be
                                 written
        done    in   1           bit 1 of ``status``; bit 0 is ``busy``, bit 2 says ``error != 0``
        error   in   error_bits
        irq     out  1           bit 0 of ``interrupt``, which rises with the end of ``busy`` and
                                 stays until 1 is written to it, and bit 0 of ``interrupt_enable``
        others  out  32 or 64    a value of the table that can be written, as written last, 0 after
                                 reset and at bits of no field; ``in`` for one that can only be read
    Latency  1 cycle from an accepted address to the answer, for reads and writes; 1 cycle from the
             first one without ``busy`` to ``irq``
    Rate     one read and one write in two cycles; a write is accepted when address and data are
             both there
    Errors   ValueError for an invalid table. SLVERR for an address without a register, for
             writing a register that can only be read, and for a write while busy to a register
             that is not `read and write while busy`; they change nothing, such a read gives 0
    Golden   the family's table
    Source   docs/dbpim-microarchitecture.md, "Start and stop"
    """

    def __init__(
        self,
        *,
        family: str,
        table: Sequence[Register],
        constants: Mapping[str, int],
        address_bits: int,
        error_bits: int,
    ) -> None:
        check_table(table, constants=constants, address_bits=address_bits)
        self._table = table
        self._constants = constants
        free = [row for row in table if row.name not in (*constants, *OF_EVERY_CHIP)]
        self._written = values_of([row for row in free if row.access != "read"])
        self._fields = {row.name: row.fields for row in free}
        self._while_busy = {row.name for row in free if row.access == WHILE_BUSY}
        self._read = values_of([row for row in free if row.access == "read"])
        super().__init__(
            {
                "bus": Out(wiring.Signature(lite_subordinate(address_bits))),
                "start": Out(1),
                **{name: Out(bits) for name, bits in self._written.items()},
                "busy": In(1),
                "done": In(1),
                "error": In(error_bits),
                "irq": Out(1),
                **{name: In(bits) for name, bits in self._read.items()},
            },
            family=family,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pending, enabled = Signal(), Signal()
        self._reads(m, pending=pending, enabled=enabled)
        self._writes(m, pending=pending, enabled=enabled)
        runs_before = Signal()
        m.d.comb += self.irq.eq(pending & enabled)
        m.d.sync += runs_before.eq(self.busy)
        # After the writes: an end in the cycle of a clearing write is not lost.
        with m.If(runs_before & ~self.busy):
            m.d.sync += pending.eq(1)
        bus = self.bus
        answer = Cat(bus.rdata, bus.rresp)
        holds(m, "the read answer", valid=bus.rvalid, ready=bus.rready, payload=answer)
        holds(m, "the write answer", valid=bus.bvalid, ready=bus.bready, payload=bus.bresp)
        one_hot(m, "an accepted and an answered write", [bus.awready, bus.bvalid])
        one_hot(m, "a taken and an answered read", [bus.arready, bus.rvalid])
        return m

    def _halves(self, values: Mapping[str, int]) -> dict[str, Value]:
        """Return the bits of each register that holds a value or a half of one."""
        found: dict[str, Value] = {}
        for name, bits in values.items():
            value = getattr(self, name)
            if bits == REGISTER_BITS:
                found[name] = value
            else:
                found |= {name + LOW: value[:REGISTER_BITS], name + HIGH: value[REGISTER_BITS:]}
        return found

    def _values(self, *, pending: Value, enabled: Value) -> dict[str, Value]:
        """Return the value that each register reads."""
        return {
            **{name: Const(value, REGISTER_BITS) for name, value in self._constants.items()},
            CONTROL: Const(0),
            STATUS: Cat(self.busy, self.done, self.error.any()),
            ERROR: self.error,
            INTERRUPT: pending,
            ENABLE: enabled,
            **self._halves(self._written),
            **self._halves(self._read),
        }

    def _register_of(self, m: Module, address: Value, name: str) -> Signal:
        """Return the register at an address, by its name where there is one."""
        places = {row: place // REGISTER_BYTES for row, place in offsets(self._table).items()}
        byte_bits = bits_for_index(REGISTER_BYTES)
        register = Signal(Coded(places, len(address) - byte_bits), name=name)
        m.d.comb += register.eq(address[byte_bits:])
        return register

    def _reads(self, m: Module, *, pending: Value, enabled: Value) -> None:
        """Answer a read in the next cycle; the next read is taken after the answer."""
        bus, values = self.bus, self._values(pending=pending, enabled=enabled)
        found, value = Signal(), Signal(REGISTER_BITS)
        asked = self._register_of(m, bus.araddr, "asked")
        with m.Switch(asked):
            for register in self._table:
                with m.Case(register.offset // REGISTER_BYTES):
                    m.d.comb += [found.eq(1), value.eq(values[register.name])]
        m.d.comb += bus.arready.eq(~bus.rvalid)
        with m.If(bus.rvalid):
            m.d.sync += bus.rvalid.eq(~bus.rready)
        with m.Elif(bus.arvalid):
            m.d.sync += [
                bus.rvalid.eq(1),
                bus.rdata.eq(value),
                bus.rresp.eq(Mux(found, OKAY, SUBORDINATE_ERROR)),
            ]

    def _writes(self, m: Module, *, pending: Value, enabled: Value) -> None:
        """Take address and data together and answer in the next cycle."""
        bus, places = self.bus, offsets(self._table)
        accept, writable = Signal(), Signal()
        found = Signal(name="found_written")
        m.d.comb += [
            writable.eq(~self.busy),
            accept.eq(bus.awvalid & bus.wvalid & ~bus.bvalid),
            bus.awready.eq(accept),
            bus.wready.eq(accept),
        ]
        m.d.sync += self.start.eq(0)
        told = self._register_of(m, bus.awaddr, "told")
        with m.Switch(told):
            with m.Case(places[CONTROL] // REGISTER_BYTES):
                m.d.comb += found.eq(1)
                m.d.sync += self.start.eq(accept & ~self.busy & bus.wdata[0] & bus.wstrb[0])
            with m.Case(places[INTERRUPT] // REGISTER_BYTES):
                m.d.comb += [found.eq(1), writable.eq(1)]
                m.d.sync += pending.eq(pending & ~(accept & bus.wdata[0] & bus.wstrb[0]))
            with m.Case(places[ENABLE] // REGISTER_BYTES):
                m.d.comb += [found.eq(1), writable.eq(1)]
                m.d.sync += enabled.eq(Mux(accept & bus.wstrb[0], bus.wdata[0], enabled))
            for name, register in self._halves(self._written).items():
                with m.Case(places[name] // REGISTER_BYTES):
                    m.d.comb += found.eq(1)
                    if name in self._while_busy:
                        m.d.comb += writable.eq(1)
                    self._write(m, register, self._fields[name], accept=accept & writable)
        with m.If(bus.bvalid):
            m.d.sync += bus.bvalid.eq(~bus.bready)
        with m.Elif(accept):
            response = Mux(found & writable, OKAY, SUBORDINATE_ERROR)
            m.d.sync += [bus.bvalid.eq(1), bus.bresp.eq(response)]

    def _write(
        self, m: Module, register: Value, fields: Sequence[RegisterField], *, accept: Value
    ) -> None:
        """Store the bytes that the strobes select, of fields alone."""
        for byte in range(REGISTER_BYTES):
            with m.If(accept & self.bus.wstrb[byte]):
                for field in fields:
                    low, high = max(field.low, 8 * byte), min(field.high, 8 * byte + 7)
                    if low <= high:
                        bits = slice(low, high + 1)
                        m.d.sync += register[bits].eq(self.bus.wdata[bits])


def values_of(rows: Sequence[Register]) -> dict[str, int]:
    """Return the bits of each value that these registers hold, in the order of the table."""
    names = {row.name for row in rows}
    values = {}
    for row in rows:
        stem = row.name.removesuffix(LOW).removesuffix(HIGH)
        both = {stem + LOW, stem + HIGH} <= names
        values[stem if both else row.name] = 2 * REGISTER_BITS if both else REGISTER_BITS
    return values


def check_table(
    table: Sequence[Register], *, constants: Mapping[str, int], address_bits: int
) -> None:
    """Raise ValueError for an invalid table, with the first reason."""
    names = [row.name for row in table]
    places = [row.offset for row in table]
    missing = {*OF_EVERY_CHIP, *constants} - set(names)
    if missing:
        raise ValueError(f"the table must hold {sorted(missing)[0]}, got {', '.join(names)}")
    if len(set(names)) != len(names) or len(set(places)) != len(places):
        raise ValueError("names and offsets of a table must be unique, got one twice")
    for row in table:
        if row.offset % REGISTER_BYTES or not 0 <= row.offset < 1 << address_bits:
            allowed = f"a multiple of {REGISTER_BYTES} below {1 << address_bits}"
            raise ValueError(f"the offset of {row.name} must be {allowed}, got {row.offset}")
    for name, value in constants.items():
        if not 0 <= value < 1 << REGISTER_BITS:
            raise ValueError(f"{name} must fit {REGISTER_BITS} bits, got {value}")
