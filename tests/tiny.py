"""Parts small enough to see through, for the tests of the tools themselves."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import stream
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part

ADD_LATENCY_CYCLES = 1


class Cells(Part):
    """A memory that starts as garbage: four bytes, one write port and one read port."""

    family = "tiny"
    garbage_at_power_on = True

    def __init__(self) -> None:
        super().__init__(
            {
                "write_en": In(1),
                "write_row": In(2),
                "write_data": In(8),
                "read_row": In(2),
                "read_data": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.cells = cells = Memory(shape=8, depth=4, init=[])
        write, read = cells.write_port(), cells.read_port()
        m.d.comb += [
            write.en.eq(self.write_en),
            write.addr.eq(self.write_row),
            write.data.eq(self.write_data),
            read.en.eq(1),
            read.addr.eq(self.read_row),
            self.read_data.eq(read.data),
        ]
        return m


class Adder(Part):
    """``result = input + bias`` behind one register; latency 1, rate 1."""

    family = "tiny"

    def __init__(self, *, width: int = 8, bias: int = 1) -> None:
        self._bias = bias
        self._width = width
        super().__init__(
            {
                "input": In(stream.Signature(width)),
                "result": Out(stream.Signature(signed(width + 1))),
            }
        )

    @property
    def size_suffix(self) -> str:
        return "" if self._width == 8 else str(self._width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.input.ready.eq(~self.result.valid | self.result.ready)
        with m.If(self.input.ready):
            m.d.sync += [
                self.result.valid.eq(self.input.valid),
                self.result.payload.eq(self.input.payload + self._bias),
            ]
        return m


class Gate(Part):
    """``out = a & b``: combinational, so without clock and reset."""

    family = "tiny"
    clock_ports = ()

    def __init__(self) -> None:
        super().__init__({"a": In(1), "b": In(1), "out": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.out.eq(self.a & self.b)
        return m


class Chain(Part):
    """Two adders in a row, and a memory beside them: three parts, three kinds of instance."""

    family = "tiny"

    def __init__(self, *, bias: int = 1) -> None:
        self._adder = Adder(bias=bias)
        self._last = Adder(width=9, bias=bias)
        self._gate = Gate()
        self.parts = [self._adder, self._last, self._gate]
        super().__init__(
            {
                "input": In(stream.Signature(8)),
                "result": Out(stream.Signature(signed(10))),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.first = first = self._adder.instance()
        m.submodules.last = last = self._last.instance()
        m.submodules.gate = gate = self._gate.instance()
        held = Signal(8)
        m.d.sync += held.eq(self.input.payload)
        m.d.comb += [
            first.input.payload.eq(self.input.payload),
            first.input.valid.eq(self.input.valid),
            self.input.ready.eq(first.input.ready),
            last.input.payload.eq(first.result.payload),
            last.input.valid.eq(first.result.valid),
            first.result.ready.eq(last.input.ready),
            self.result.payload.eq(last.result.payload),
            self.result.valid.eq(last.result.valid),
            last.result.ready.eq(self.result.ready),
            gate.a.eq(held.any()),
            gate.b.eq(self.result.valid),
            self.busy.eq(gate.out),
        ]
        return m
