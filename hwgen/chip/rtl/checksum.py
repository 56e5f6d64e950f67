"""The CRC-32 over the beats of a program, a beat in each cycle."""

from collections import Counter
from functools import cache, reduce
from itertools import combinations
from operator import xor

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
        others = range(WORD_BITS, self._port_bits, WORD_BITS)
        words = [
            sums(m, f"word_{first // WORD_BITS}", self.beat[first : first + WORD_BITS], -first)
            for first in others
        ]
        m.d.comb += mixed.eq(state ^ word)
        stepped = sums(m, "step", mixed, self._port_bits)
        m.d.sync += [
            self.fits.eq(state.all()),
            counts.eq(self.taken),
            word.eq(reduce(xor, words, self.beat[:WORD_BITS])),
        ]
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


def sums(m: Module, name: str, bits: Value, steps: int) -> Value:
    """Return 32 bits behind so many steps of a CRC-32; what rows share is added up once."""
    pairs, rows = shared(steps)
    nets = list(bits)
    for number, (one, other) in enumerate(pairs):
        nets.append(Signal(name=f"{name}_sum_{number}"))
        m.d.comb += nets[-1].eq(nets[one] ^ nets[other])
    return Cat(Cat(nets[net] for net in row).xor() for row in rows)


@cache
def shared(steps: int) -> tuple[list[tuple[int, int]], list[list[int]]]:
    """Return pairs of nets to add up, and the nets whose sums are the bits behind so many steps.

    Nets 0 to 31 are the bits, and each pair is one more; the pair that most rows have comes next.
    """
    columns = [moved(1 << bit, steps) for bit in range(WORD_BITS)]
    rows = [
        {bit for bit in range(WORD_BITS) if columns[bit] >> row & 1} for row in range(WORD_BITS)
    ]
    pairs: list[tuple[int, int]] = []
    while True:
        found = Counter(pair for row in rows for pair in combinations(sorted(row), 2))
        pair, times = max(found.items(), key=lambda each: (each[1], each[0]))
        if times == 1:
            return pairs, [sorted(row) for row in rows]
        for row in rows:
            if row.issuperset(pair):
                row.difference_update(pair)
                row.add(WORD_BITS + len(pairs))
        pairs.append(pair)


def moved(state: int, bits: int) -> int:
    """Return the state of a CRC-32 behind so many zeros, or, of a negative number, before them."""
    for _ in range(bits):
        state = state >> 1 ^ (POLYNOMIAL if state & 1 else 0)
    for _ in range(-bits):
        lost = state >> WORD_BITS - 1
        state = (state ^ (POLYNOMIAL if lost else 0)) << 1 | lost
    return state
