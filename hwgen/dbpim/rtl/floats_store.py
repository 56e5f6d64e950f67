"""What a core holds of a layer of its row unit: a table of floats, gamma and beta, scalars.

Tests: `tests/verif/dbpim/test_row_unit.py`.
"""

from amaranth.hdl import ClockSignal, Module
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import FLOAT_BITS, FLOAT_ENTRIES, Opcode
from hwgen.dbpim.facts.timing import NORM_CHANNELS
from hwgen.dbpim.rtl.layouts import packet
from hwgen.dbpim.rtl.load_bus import floats_loads


class FloatsStore(Part):
    """A table of 256 float32 in a copy for each lane, gamma and beta of each channel, scalars.

    ``found[i] = table[bytes[i]]``

    Ports
        loads     in   floats_loads   what the loader brings: see ``floats_loads``
        known     out  1              from `push` to `released`
        released  in   1              the instruction that used these numbers is over
        bytes     in   lanes x 8
        found     out  lanes x 32
        channel   in   channel_bits
        gamma     out  32             of this channel
        beta      out  32
        scalars   out  FLOATS packet  its header
    Latency  1 cycle from `push` and `released` to `known` and `room`, and from a write to the data
             that is read; 0 from `bytes` and `channel` to the numbers
    Rate     one write and a read of each lane in each cycle
    Errors   none: entries never written hold garbage
    Golden   indexing
    Source   docs/dbpim-microarchitecture.md, "row_unit"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        beat = arch.port_bits
        lanes = arch.row_lanes
        self._copy = RegisterFile(
            family=self.family, depth=FLOAT_ENTRIES * FLOAT_BITS // beat, width=beat
        )
        self._pairs = RegisterFile(
            family=self.family, depth=NORM_CHANNELS * 2 * FLOAT_BITS // beat, width=beat
        )
        self.parts = [self._copy, self._pairs]
        super().__init__(
            {
                "loads": In(floats_loads(arch)),
                "known": Out(1),
                "released": In(1),
                "bytes": In(data.ArrayLayout(ACTIVATION_BITS, lanes)),
                "found": Out(data.ArrayLayout(FLOAT_BITS, lanes)),
                "channel": In(bits_for_index(NORM_CHANNELS)),
                "gamma": Out(FLOAT_BITS),
                "beta": Out(FLOAT_BITS),
                "scalars": Out(packet(Opcode.FLOATS, arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.guarded(self.scalars)
        with m.If(self.loads.push):
            m.d.sync += [self.known.eq(1), self.scalars.eq(self.loads.header)]
        with m.Elif(self.released):
            m.d.sync += self.known.eq(0)
        m.d.comb += self.loads.room.eq(~self.known)
        self._table(m)
        self._channels(m)
        return m

    def _table(self, m: Module) -> None:
        """Place the copies of the table, which a body begins with."""
        beat_bits = bits_for_index(self._arch.port_bits // FLOAT_BITS)
        table_beats = FLOAT_ENTRIES * FLOAT_BITS // self._arch.port_bits
        index = self.loads.index
        for number, byte in enumerate(self.bytes):
            m.submodules[f"copy_{number}"] = copy = self._copy.instance()
            count = self._arch.port_bits // FLOAT_BITS
            entries = [copy.read_data.word_select(n, FLOAT_BITS) for n in range(count)]
            m.d.comb += [
                copy.clk.eq(ClockSignal()),
                copy.write_en.eq(self.loads.write & (index < table_beats)),
                copy.write_index.eq(index),
                copy.write_data.eq(self.loads.data),
                copy.read_index.eq(byte[beat_bits:]),
                self.found[number].eq(choose(entries, byte[:beat_bits])),
            ]

    def _channels(self, m: Module) -> None:
        """Place gamma and beta, which follow the table."""
        m.submodules.pairs = pairs = self._pairs.instance()
        beat = self._arch.port_bits
        table_beats = FLOAT_ENTRIES * FLOAT_BITS // beat
        count = beat // (2 * FLOAT_BITS)
        entries = [pairs.read_data.word_select(n, 2 * FLOAT_BITS) for n in range(count)]
        inner = bits_for_index(count) if count > 1 else 0
        chosen = choose(entries, self.channel[:inner]) if inner else entries[0]
        m.d.comb += [
            pairs.clk.eq(ClockSignal()),
            pairs.write_en.eq(self.loads.write & (self.loads.index >= table_beats)),
            pairs.write_index.eq(self.loads.index - table_beats),
            pairs.write_data.eq(self.loads.data),
            pairs.read_index.eq(self.channel[inner:]),
            self.gamma.eq(chosen[:FLOAT_BITS]),
            self.beta.eq(chosen[FLOAT_BITS : 2 * FLOAT_BITS]),
        ]
