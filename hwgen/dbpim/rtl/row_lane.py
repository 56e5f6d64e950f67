"""A lane of the row unit: softmax and layer norm of one position, a byte in each cycle.

Tests: `tests/verif/dbpim/test_row_unit.py`.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.instructions import FLOAT_BITS, Opcode
from hwgen.dbpim.facts.timing import NORM_CHANNELS, SQUARE_SUMS, SUM_SPAN
from hwgen.dbpim.rtl.byte_divider import ByteDivider
from hwgen.dbpim.rtl.float_divider import DIVIDEND_BITS, FloatDivider, FloatRoot
from hwgen.dbpim.rtl.float_sum import FloatSum
from hwgen.dbpim.rtl.floats import FLOAT32, number
from hwgen.dbpim.rtl.fma import FloatAdder, FloatMultiplier, Fma
from hwgen.dbpim.rtl.layouts import packet, word_bytes

LAST_BIT = FLOAT32.bias + FLOAT32.fraction
"""Biased exponent minus the exponent of the last bit of a significand."""


def row_control(arch: Arch) -> data.StructLayout:
    """What all lanes do in a cycle.

    norm: layer norm, else softmax; subtracts: the mean from each value, else zero
    squares: its second pass, else the fma scales
    centres: adder and fma move; scales: multiplier and byte divider move
    restart: a group of channels begins; largest: the bytes `inside` of a word are compared
    select: channel of the word whose byte is read
    sums: the value of the byte before is summed
    square_in, square_first: sum that the fma adds to, and whether it is zero
    square_out, square_put: sum that it gives, and whether it is stored
    pairs, pair, apart: the adder adds a sum and the one so far above; pair_put, pair_out: its sum
        is stored
    adds_eps: the adder adds eps to the quotient
    start_*: a division or root begins; take_*: its result is kept
    """
    sums = bits_for_index(SQUARE_SUMS)
    flags: tuple[str, ...] = (
        "norm",
        "subtracts",
        "centres",
        "scales",
        "squares",
        "restart",
        "largest",
    )
    flags += ("sums", "square_first", "square_put")
    flags += ("pairs", "pair_put", "adds_eps", "start_mean", "take_mean", "start_variance")
    flags += ("start_root", "start_inverse", "take_inverse", "take_share")
    return data.StructLayout(
        {
            **dict.fromkeys(flags, 1),
            "select": bits_for_index(arch.word),
            "square_in": sums,
            "square_out": sums,
            "pair": sums,
            "apart": sums,
            "pair_out": sums,
        }
    )


class RowLane(Part):
    """Arithmetic of the row unit for one position; ``RowUnit`` says what is when.

    Pipeline, of a byte that is read in cycle 0
        cycle 1       its value, from the table: summed in the first pass of a norm, without
                      rounding, or in the second one of a softmax
        cycle 5       norm: minus the mean; softmax: times the factor, to the division
        cycle 9       norm: times the inverse; in the second pass the square is added to its sum
        cycle 13      norm: times gamma plus beta, to the division
        cycle 12, 20  the byte of a softmax, of a norm

    Ports
        enable       in   1              all registers move; else they hold
        control      in   row_control
        word         in   C x 8          bytes of the position
        compared     in   C              bytes of the word that count, in a softmax's first pass
        counts       in   1              the byte that is looked up counts; else its value is zero
        index        out  8              what is looked up: the byte, of softmax its distance from
                                         the largest one
        found        in   32             its value in the same cycle
        gamma, beta  in   32             of the channel that is scaled
        scalars      in   FLOATS packet
        zero_point, low, high  in  8     of the output
        result       out  8
    Latency  ``SHARE_CYCLES`` and ``NORM_CYCLES`` from a byte of the last pass to its result
    Rate     one byte in each cycle
    Errors   none
    Golden   ``golden.ops.softmax``, ``golden.ops.layer_norm``
    Source   docs/dbpim-microarchitecture.md, "row_unit"
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._adder, self._multiplier, self._fma = FloatAdder(), FloatMultiplier(), Fma()
        self._sum, self._divider, self._root = FloatSum(), FloatDivider(), FloatRoot()
        self._bytes = ByteDivider()
        self.parts = [self._adder, self._multiplier, self._fma, self._sum, self._divider]
        self.parts += [self._root, self._bytes]
        super().__init__(
            {
                "enable": In(1),
                "control": In(row_control(arch)),
                "word": In(word_bytes(arch)),
                "compared": In(arch.word),
                "counts": In(1),
                "index": Out(ACTIVATION_BITS),
                "found": In(FLOAT_BITS),
                "gamma": In(FLOAT_BITS),
                "beta": In(FLOAT_BITS),
                "scalars": In(packet(Opcode.FLOATS, arch)),
                "zero_point": In(ACTIVATION_BITS),
                "low": In(ACTIVATION_BITS),
                "high": In(ACTIVATION_BITS),
                "result": Out(ACTIVATION_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.adder = adder = self._adder.instance()
        m.submodules.multiplier = multiplier = self._multiplier.instance()
        m.submodules.fma = fma = self._fma.instance()
        m.submodules.sum = total = self._sum.instance()
        m.submodules.divider = divider = self._divider.instance()
        m.submodules.deviation = root = self._root.instance()
        m.submodules.bytes = bytes_ = self._bytes.instance()
        control = self.control
        for parts, moves in (
            ((adder, fma), control.centres),
            ((multiplier, bytes_), control.scales),
            ((divider, root), 1),
        ):
            m.d.comb += [part.enable.eq(self.enable & moves) for part in parts]
        value, mean, inverse, share = (
            Signal(FLOAT_BITS, name=name) for name in ("value", "mean", "inverse", "share")
        )
        self.guarded(value, mean, inverse, share)
        self._look_up(m)
        squares = self._squares(m, fma=fma, adder=adder)
        with m.If(self.enable):
            m.d.sync += value.eq(Mux(self.counts, self.found, 0))
            for taken, register, given in (
                (control.take_mean, mean, divider.result),
                (control.take_inverse, inverse, divider.result),
                (control.take_share, share, total.total),
            ):
                with m.If(taken):
                    m.d.sync += register.eq(given)
        m.d.comb += [
            total.clear.eq(self.enable & control.restart),
            total.enable.eq(self.enable & control.sums & ~control.norm),
            total.value.eq(value),
        ]
        self._divide(m, divider, root=root, adder=adder, exact=self._exact(m, value))
        of_pair, above = squares(control.pair), squares(control.pair + control.apart)
        minus_mean = Mux(control.subtracts, Cat(mean[:-1], ~mean[-1]), 0)
        eps = self.scalars.operand
        m.d.comb += [
            adder.a.eq(Mux(control.pairs, of_pair, Mux(control.adds_eps, divider.result, value))),
            adder.b.eq(Mux(control.pairs, above, Mux(control.adds_eps, eps, minus_mean))),
            multiplier.a.eq(Mux(control.norm, adder.result, value)),
            multiplier.b.eq(Mux(control.norm, inverse, self.scalars.operand)),
            bytes_.value.eq(Mux(control.norm, fma.result, multiplier.result)),
            bytes_.divisor.eq(Mux(control.norm, self.scalars.divisor, share[:-1])),
            fma.a.eq(Mux(control.squares, adder.result, multiplier.result)),
            fma.b.eq(Mux(control.squares, adder.result, self.gamma)),
            self.result.eq(bytes_.result),
        ]
        m.d.comb += [
            getattr(bytes_, name).eq(getattr(self, name)) for name in ("zero_point", "low", "high")
        ]
        return m

    def _look_up(self, m: Module) -> None:
        """Choose the byte, and keep the largest one of a group."""
        control, largest = self.control, Signal(ACTIVATION_BITS)
        bytes_ = list(self.word)
        chosen = choose(bytes_, control.select)
        m.d.comb += self.index.eq(Mux(control.norm, chosen, largest - chosen))
        found: list[Value] = [
            Mux(inside, byte, 0) for byte, inside in zip(bytes_, self.compared, strict=True)
        ]
        found.append(Mux(control.restart, 0, largest))
        while len(found) > 1:
            pairs = zip(found[::2], found[1::2], strict=False)
            found = [Mux(a > b, a, b) for a, b in pairs] + found[len(found) // 2 * 2 :]
        with m.If(self.enable & control.largest):
            m.d.sync += largest.eq(found[0])

    def _exact(self, m: Module, value: Value) -> Signal:
        """Sum the values of a norm as multiples of the smallest one's last bit."""
        fields = number(m, value, FLOAT32, name="value")
        distance = Signal(range(SUM_SPAN + 1))
        bits = FLOAT32.significand + SUM_SPAN
        total = Signal(signed(bits + bits_for_index(NORM_CHANNELS) + 1), name="exact")
        placed = Signal(bits)
        m.d.comb += [
            distance.eq(fields.exponent - self.scalars.least),
            placed.eq(fields.significand << distance),
        ]
        with m.If(self.enable & self.control.restart):
            m.d.sync += total.eq(0)
        with m.Elif(self.enable & self.control.sums):
            m.d.sync += total.eq(Mux(fields.negative, total - placed, total + placed))
        return total

    def _squares(self, m: Module, *, fma: PartInstance, adder: PartInstance) -> "Squares":
        """Keep the eight sums of squares; the fma gives each before its next square enters."""
        control = self.control
        sums = [Signal(FLOAT_BITS, name=f"square_{n}") for n in range(SQUARE_SUMS)]
        self.guarded(*sums)
        added = Mux(control.square_first, 0, choose(sums, control.square_in))
        m.d.comb += fma.c.eq(Mux(control.squares, added, self.beta))
        for place, register in enumerate(sums):
            with m.If(self.enable & control.square_put & (control.square_out == place)):
                m.d.sync += register.eq(fma.result)
            with m.If(self.enable & control.pair_put & (control.pair_out == place)):
                m.d.sync += register.eq(adder.result)
        return Squares(sums)

    def _divide(
        self,
        m: Module,
        divider: PartInstance,
        *,
        root: PartInstance,
        adder: PartInstance,
        exact: Signal,
    ) -> None:
        """Connect the divider: sum over count, squares over count, 1 over the deviation."""
        control = self.control
        squares = number(m, adder.result, FLOAT32, name="squares")
        one = Const(1, DIVIDEND_BITS)
        magnitude = Mux(exact < 0, -exact, exact)[:DIVIDEND_BITS]
        m.d.comb += [
            divider.start.eq(control.start_mean | control.start_variance | control.start_inverse),
            divider.negative.eq(control.start_mean & (exact < 0)),
            divider.significand.eq(
                Mux(
                    control.start_mean,
                    magnitude,
                    Mux(control.start_variance, squares.significand, one),
                )
            ),
            divider.exponent.eq(
                Mux(
                    control.start_inverse,
                    0,
                    Mux(control.start_mean, self.scalars.least, squares.exponent) - LAST_BIT,
                )
            ),
            divider.divisor.eq(Mux(control.start_inverse, root.result, self.scalars.count)),
            root.start.eq(control.start_root),
            root.value.eq(adder.result[:-1]),
        ]


class Squares:
    """The sums of squares, by number."""

    def __init__(self, sums: list[Signal]) -> None:
        self._sums = sums

    def __call__(self, place: Value) -> Value:
        """Return one of them."""
        return choose(self._sums, place[: bits_for_index(SQUARE_SUMS)])
