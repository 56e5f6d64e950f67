"""The CRC-32 over the beats of a program, a beat in each cycle."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.program_checksum import POLYNOMIAL
from hwgen.chip.rtl.shared import SharedPart

WORD_BITS = 32


class Checksum(SharedPart):
    """Tells whether the CRC-32 over all beats of a program since reset is 0.

    CRC-32 is linear: all words of a beat are brought to the place of its lowest one and added up,
    then one step takes their sum.

    Pipeline
        cycle 0  ``taken``
        cycle 1  the beat as one word
        cycle 2  the state of the CRC
        cycle 3  ``fits``

    Parameters
    ----------
        family     prefix of the module name
        port_bits  bits of a beat: a multiple of 32
    Ports
        beat   in   port_bits
        taken  in   1          `beat` is one of the program's
        fits   out  1          the CRC-32 is 0, and so it is before the first beat
    Latency  3 cycles from ``taken`` to ``fits``
    Rate     a beat in each cycle
    Errors   ValueError for a parameter out of range
    Golden   ``verif.reference.checksum``, bit by bit; software: ``hwgen.chip.program_checksum``
    Source   IEEE 802.3, 3.2.9
    """

    def __init__(self, *, family: str, port_bits: int) -> None:
        if port_bits < WORD_BITS or port_bits % WORD_BITS:
            raise ValueError(f"port_bits must be a multiple of {WORD_BITS}, got {port_bits}")
        self._port_bits = port_bits
        super().__init__(
            {"beat": In(port_bits), "taken": In(1), "fits": Out(1, init=1)},
            family=family,
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word, counts = Signal(WORD_BITS), Signal()
        state = Signal(WORD_BITS, init=(1 << WORD_BITS) - 1)
        mixed = Signal(WORD_BITS)
        self.guarded(word)
        places = [
            moved(1 << bit % WORD_BITS, -(bit // WORD_BITS) * WORD_BITS)
            for bit in range(self._port_bits)
        ]
        steps = [moved(1 << bit, self._port_bits) for bit in range(WORD_BITS)]
        taken, stepped = sums(m, "word_bit", self.beat, places), sums(m, "state_bit", mixed, steps)
        m.d.comb += mixed.eq(state ^ word)
        m.d.sync += [self.fits.eq(state.all()), counts.eq(self.taken), word.eq(taken)]
        with m.If(counts):
            m.d.sync += state.eq(stepped)
        return m


def placed(m: Module, part: Checksum | None, beat: Value, taken: Value) -> Value:
    """Place a checksum over the beats that are taken; return whether it fits, 1 without one."""
    if part is None:
        return Const(1)
    m.submodules.checksum = checksum = part.instance()
    m.d.comb += [checksum.beat.eq(beat), checksum.taken.eq(taken)]
    return Value.cast(checksum.fits)


def sums(m: Module, name: str, bits: Value, columns: list[int]) -> Value:
    """Return the sum modulo 2 of the columns whose bits are set, each bit a net of that name."""
    rows = [Signal(name=f"{name}_{row}") for row in range(WORD_BITS)]
    for number, row in enumerate(rows):
        counted = [bit for bit, column in zip(bits, columns, strict=True) if column >> number & 1]
        m.d.comb += row.eq(Cat(counted).xor())
    return Cat(rows)


def moved(state: int, bits: int) -> int:
    """Return the state of a CRC-32 behind so many zeros, or, of a negative number, before them."""
    for _ in range(bits):
        state = state >> 1 ^ (POLYNOMIAL if state & 1 else 0)
    for _ in range(-bits):
        lost = state >> WORD_BITS - 1
        state = (state ^ (POLYNOMIAL if lost else 0)) << 1 | lost
    return state
