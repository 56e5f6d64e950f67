"""Weights and parameters of depthwise convolutions, channel word by channel word."""

from amaranth.hdl import Cat, ClockSignal, Module, Signal, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, WEIGHT_BITS, Arch
from hwgen.dbpim.facts.timing import TAP_SLOTS
from hwgen.dbpim.rtl.layouts import parameters
from hwgen.dbpim.rtl.load_bus import taps_loads

SLOT_BITS = bits_for_index(TAP_SLOTS)


def scale(arch: Arch) -> data.StructLayout:
    """Multiplier and shift of one channel."""
    fields = parameters(arch)
    return data.StructLayout({name: fields[name].shape for name in ("multiplier", "shift")})


class TapStore(Part):
    """Ring of ``TAP_SLOTS`` slots: ``arch.simd_taps`` words of C weights, parameters of C channels.

    The TAPS of a channel word occupy a slot from `begin` to `released`. In between they are
    walked (their input words are requested), then used (their input words are multiplied).

    Ports
        loads             in   taps_loads      what the loader brings: see ``taps_loads``
        known             out  1               the TAPS that are walked next are known
        walked            in   1               their last input word is requested
        tap               in   tap_bits
        weights           out  C x signed 8    of this tap, of the TAPS in use
        slot              out  slot_bits       of the TAPS in use
        used              in   1               their last input word is read
        bias_slot         in   slot_bits
        biases            out  C x signed 32   in this slot
        scale_slot        in   slot_bits
        scales            out  C x scale       multipliers and shifts in this slot
        released          in   1               the oldest TAPS are no longer needed
    Latency  1 cycle from a change to its effect: from `begin` and `released` to `room`, from
             `push` and `walked` to `known`, from `used` to `slot`, from a write to the data that is
             read; 0 from `tap`, `bias_slot` and `scale_slot` to the
             data
    Rate     one of each event in each cycle
    Errors   none: a slot never written holds garbage
    Golden   none: it stores what it is given
    Source   docs/dbpim-microarchitecture.md, "simd"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._channels = channels = arch.word
        weight_bits = channels * WEIGHT_BITS
        file = RegisterFile
        self._weight_file = file(
            family=self.family, depth=TAP_SLOTS * arch.simd_taps, width=weight_bits
        )
        self._bias_file = file(
            family=self.family, depth=TAP_SLOTS, slices=channels, width=ACCUMULATOR_BITS
        )
        self._scale_file = file(
            family=self.family, depth=TAP_SLOTS, slices=channels, width=scale(arch).size
        )
        self.parts = [self._weight_file, self._bias_file, self._scale_file]
        tap_bits, weights = bits_for_index(arch.simd_taps), data.ArrayLayout(signed(8), channels)
        super().__init__(
            {
                "loads": In(taps_loads(arch)),
                "known": Out(1),
                "walked": In(1),
                "tap": In(tap_bits),
                "weights": Out(weights),
                "slot": Out(SLOT_BITS),
                "used": In(1),
                "bias_slot": In(SLOT_BITS),
                "biases": Out(data.ArrayLayout(signed(ACCUMULATOR_BITS), channels)),
                "scale_slot": In(SLOT_BITS),
                "scales": Out(data.ArrayLayout(scale(arch), channels)),
                "released": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # The pointers that are compared have one bit more than a slot number.
        write, walk = Signal(SLOT_BITS + 1), Signal(SLOT_BITS + 1)
        free = Signal(range(TAP_SLOTS + 1), init=TAP_SLOTS)
        m.d.sync += [
            write.eq(write + self.loads.push),
            walk.eq(walk + self.walked),
            self.slot.eq(self.slot + self.used),
            free.eq(free - self.loads.begin + self.released),
        ]
        m.d.comb += [self.loads.room.eq(free != 0), self.known.eq(walk != write)]
        slot = write[:SLOT_BITS]
        self._weights(m, slot)
        self._parameters(m, slot)
        return m

    def _weights(self, m: Module, slot: Signal) -> None:
        """Place the weights; those of a slot are in consecutive words."""
        m.submodules.weights = weights = self._weight_file.instance()
        m.d.comb += [
            weights.clk.eq(ClockSignal()),
            weights.write_en.eq(self.loads.write),
            weights.write_index.eq(Cat(self.loads.index, slot)),
            weights.write_data.eq(self.loads.data),
            weights.read_index.eq(Cat(self.tap, self.slot)),
            self.weights.eq(weights.read_data),
        ]

    def _parameters(self, m: Module, slot: Signal) -> None:
        """Place the parameters: a bias is read with the first tap, its scale after the last one."""
        m.submodules.biases = biases = self._bias_file.instance()
        m.submodules.scales = scales = self._scale_file.instance()
        entry = self.loads.parameters_data
        stored = (
            (biases, entry.bias, self.bias_slot, self.biases),
            (scales, Cat(entry.multiplier, entry.shift), self.scale_slot, self.scales),
        )
        for file, slice_, read_slot, answer in stored:
            m.d.comb += [
                file.clk.eq(ClockSignal()),
                file.write_en.eq(self.loads.parameters_write << self.loads.parameters_index),
                file.write_index.eq(slot),
                file.write_data.eq(slice_.replicate(self._channels)),
                file.read_index.eq(read_slot),
                answer.eq(file.read_data),
            ]
