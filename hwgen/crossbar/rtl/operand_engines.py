"""Engines of layers without weights: poolings, and additions of two maps.

Eltwise: two maps are added, each with its zero point and factor.

Tests: `tests/verif/crossbar/test_chip.py`.
"""

from amaranth.hdl import Cat, ClockSignal, Module, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part, PartInstance
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.loads import OPERANDS_FIELDS
from hwgen.crossbar.facts.ports import pool_clocks
from hwgen.crossbar.rtl.block_reader import BlockReader
from hwgen.crossbar.rtl.engine import Engine, clocks_of, lanes_of, parts_of, ring_of
from hwgen.crossbar.rtl.joined_loader import loader_of
from hwgen.crossbar.rtl.memories import Sums
from hwgen.crossbar.rtl.pool import Pool, pool_bits
from hwgen.errors import DesignError
from hwgen.network.quantization import MULTIPLIER_BITS


def operands(bits: int) -> data.StructLayout:
    """What is loaded for an addition: zero points and factors by position."""
    return data.StructLayout(
        {
            "zero_a": bits,
            "multiplier_a": MULTIPLIER_BITS,
            "zero_b": bits,
            "multiplier_b": MULTIPLIER_BITS,
        }
    )


class Eltwise(Part):
    """Adds the elements of two blocks.

    ``sum = (a - za) * Ma + (b - zb) * Mb``

    Parameters
    ----------
        elements  of the longest block
        lanes     elements of a clock, a power of two that divides a word
        word      elements of a word; bits: of an element
        reads     sums that are read in a clock
    Ports
        go          in   1           the strobe
        half        in   1           parity of the block, valid with it
        operands    in   operands    constant while anything runs
        kept_index  out  index_bits  word of both blocks, see `BlockReader`
        kept_half   out  1
        kept_a      in   word x bits in the same cycle
        kept_b      in   word x bits
        read_index, read_half, read_data    see `Addition`
        added       in   1           the strobe of what reads the sums
        added_half  in   1           parity of its block, valid with it
        late        out  1           ``go`` before the block before is through, or ``added``
                                     before its own is
    Latency  1 from ``go`` to the first elements, 2 from there to their sums
    Rate     ``lanes`` elements in each cycle
    Errors   ``late``
    Golden   ``golden.ops.maps.weighted_sum``
    Source   docs/crossbar-rules.md: vector units; formula in ``hwgen.network.quantization``
    """

    family = "crossbar"

    def __init__(self, *, elements: int, lanes: int, word: int, bits: int, reads: int) -> None:
        self._elements, self._lanes, self._word, self._bits = elements, lanes, word, bits
        self._reads = reads
        self._sum_bits = eltwise_bits(bits)
        self._sums = Sums(targets=elements, bits=self._sum_bits, lanes=lanes, reads=reads)
        self.parts = [self._sums]
        self._target_bits = bits_for_index(elements)
        super().__init__(
            {
                "go": In(1),
                "half": In(1),
                "operands": In(operands(bits)),
                "added": In(1),
                "added_half": In(1),
                "kept_index": Out(bits_for_index(-(-elements // word))),
                "kept_half": Out(1),
                "kept_a": In(word * bits),
                "kept_b": In(word * bits),
                "read_index": In(reads * self._target_bits),
                "read_half": In(1),
                "read_data": Out(reads * self._sum_bits),
                "late": Out(1),
            }
        )

    @property
    def size_suffix(self) -> str:
        return f"{self._elements}l{self._lanes}x{self._bits}r{self._reads}"

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sums = sums = self._sums.instance()
        lanes, bits, width = self._lanes, self._bits, self._sum_bits
        parts = self._word // lanes
        busy, first = Signal(), Signal(range(self._elements + lanes))
        last = first + lanes >= self._elements
        shift, lane_bits = self._word.bit_length() - 1, lanes.bit_length() - 1
        with m.If(busy):
            m.d.sync += [first.eq(first + lanes), busy.eq(~last)]
        with m.If(self.go):
            m.d.sync += [busy.eq(1), first.eq(0), self.kept_half.eq(self.half)]
        place = first[lane_bits:shift] if parts > 1 else first[:1]
        rows = []
        for name, word in (("a", self.kept_a), ("b", self.kept_b)):
            row = Signal(lanes * bits, name=f"row_{name}")
            chosen = choose([word.word_select(k, lanes * bits) for k in range(parts)], place)
            m.d.sync += row.eq(chosen)
            rows.append(row)
        valid, target = Signal(), Signal.like(first)
        half = Signal(name="half_kept")
        m.d.sync += [valid.eq(busy), target.eq(first), half.eq(self.kept_half)]
        early = self.added & (self.added_half == self.kept_half)
        m.d.comb += [
            self.late.eq(busy & ((self.go & ~last) | early)),
            self.kept_index.eq(first >> shift),
            sums.clk.eq(ClockSignal()),
            self.read_data.eq(sums.read_data),
        ]
        own = self.operands
        for lane in range(lanes):
            a, b = (row.word_select(lane, bits) for row in rows)
            total = Signal(signed(width), name=f"total_{lane}")
            index = (target + lane)[: self._target_bits]
            m.d.comb += [
                total.eq((a - own.zero_a) * own.multiplier_a + (b - own.zero_b) * own.multiplier_b),
                sums.en[lane].eq(valid & (target + lane < self._elements)),
                sums.index.word_select(lane, self._target_bits + 1).eq(Cat(index, half)),
                sums.data.word_select(lane, width).eq(total),
            ]
        for read in range(self._reads):
            index = self.read_index.word_select(read, self._target_bits)
            m.d.comb += sums.read_index.word_select(read, self._target_bits + 1).eq(
                Cat(index, self.read_half)
            )
        return m


def eltwise_bits(bits: int) -> int:
    """Return the bits of a signed sum of two scaled elements."""
    return bits + 1 + MULTIPLIER_BITS + 1


def least_lanes(chip: Chip, layer: ChipLayer, name: str, work: dict[int, int]) -> int:
    """Return the least lanes with which an operation is through with a block in its steps.

    work: clocks of a block with so many lanes
    """
    clocks = clocks_of(chip, layer, name)
    for lanes, needed in work.items():
        if needed <= clocks:
            return lanes
    raise DesignError(
        f"{layer.layer.name}: {name} needs {min(work.values())} clocks, its steps have {clocks}; "
        "make the architecture again with hwgen synthesize"
    )


class PoolEngine(Engine):
    """A pooling: the greatest, or the sum, of each window."""

    def __init__(self, *, chip: Chip, place: int, macro: int) -> None:
        layer, shares = chip.layers[place].layer, chip.shares_of(place)
        pixels, channels = chip.layers[place].copies, layer.out_channels
        self._side = 1 << (layer.taps * layer.in_channels - 1).bit_length()
        self._pool = Pool(
            pixels=pixels,
            taps=layer.taps,
            columns=layer.kernels[1],
            channels=channels,
            shares=shares,
            chunk=min(chip.word_elements, self._side),
            lanes=least_lanes(
                chip,
                chip.layers[place],
                "pool",
                {
                    lanes: pixels * pool_clocks(layer, shares, lanes)
                    for lanes in range(1, chip.word_elements + 1)
                },
            ),
            word=chip.word_elements,
            bits=chip.activation_bits,
            average=layer.average,
            reads=lanes_of(chip, place, macro),
        )
        super().__init__(
            chip=chip,
            place=place,
            macro=macro,
            loaders=1,
            sum_bits=pool_bits(layer.taps, chip.activation_bits),
            members={},
        )
        self._loader, self._walks = loader_of(self, units=pixels, side=self._side)
        self.parts = [self._loader, self._pool, *self.parts]

    def connect_source(
        self, m: Module, zero: Signal
    ) -> tuple[PartInstance, list[Value], list[data.View]]:
        m.submodules.loader = loader = self._loader.instance()
        m.submodules.pool = pool = self._pool.instance()
        strobes, layer, activation = self.strobes, self.layer, self.strobes.activation
        m.d.comb += [
            loader.walk.eq(self._walks),
            loader.go.eq(strobes.load.go),
            loader.half.eq(strobes.load.parity),
            # The border of a maximum never wins, that of a mean adds nothing.
            loader.zero.eq(zero if layer.layer.average else 0),
            self.load_want.eq(loader.want),
            self.load_word.eq(loader.word),
            loader.granted.eq(self.load_granted),
            loader.read_data.eq(self.read_data),
            pool.row_write.eq(loader.row_write),
            pool.row_data.eq(loader.row_data),
            pool.row_count.eq(loader.row_count),
            pool.row_last.eq(loader.row_last),
            pool.row_half.eq(loader.row_half),
            pool.go.eq(strobes.pool.go),
            pool.half.eq(strobes.pool.parity),
            pool.zero.eq(zero),
            pool.reduced.eq(activation.go),
            pool.reduced_half.eq(activation.parity),
        ]
        return pool, [loader.late, pool.late], []


class EltwiseEngine(Engine):
    """An addition of two maps of one size."""

    def __init__(self, *, chip: Chip, place: int, macro: int) -> None:
        placed = chip.layers[place]
        elements, word = placed.copies * placed.layer.out_channels, chip.word_elements
        self._reader = BlockReader(chip=chip, words=chip.macros[macro].words, elements=elements)
        powers = [1 << bit for bit in range(word.bit_length())]
        self._eltwise = Eltwise(
            elements=elements,
            lanes=least_lanes(
                chip, placed, "eltwise", {lanes: -(-elements // lanes) for lanes in powers}
            ),
            word=word,
            bits=chip.activation_bits,
            reads=lanes_of(chip, place, macro),
        )
        super().__init__(
            chip=chip,
            place=place,
            macro=macro,
            loaders=2,
            sum_bits=eltwise_bits(chip.activation_bits),
            members={},
        )
        self.parts = [self._reader, self._eltwise, *self.parts]

    def connect_source(
        self, m: Module, zero: Signal
    ) -> tuple[PartInstance, list[Value], list[data.View]]:
        m.submodules.eltwise = eltwise = self._eltwise.instance()
        strobes, layer = self.strobes, self.layer
        readers, channels = [], layer.layer.out_channels
        for number, provider in enumerate(layer.operands or layer.layer.providers):
            m.submodules[f"reader_{number}"] = reader = self._reader.instance()
            m.d.comb += [
                reader.go.eq(strobes.load.go),
                reader.half.eq(strobes.load.parity),
                reader.ring.eq(reader.ring.shape().const(ring_of(self.input_of(provider)))),
                reader.blocks.eq(layer.blocks),
                reader.elements.eq(layer.copies * channels),
                reader.last.eq(layer.last_pixels * channels),
                reader.granted.eq(self.load_granted[number]),
                reader.read_data.eq(self.read_data),
                reader.kept_index.eq(eltwise.kept_index),
                reader.kept_half.eq(eltwise.kept_half),
            ]
            readers.append(reader)
        loaded = Signal(operands(self.chip.activation_bits), reset_less=True)
        fields = parts_of(OPERANDS_FIELDS, self.load.data)
        with m.If(self.loads("operands")):
            m.d.sync += [loaded[name].eq(fields[name]) for name, _ in OPERANDS_FIELDS]
        m.d.comb += [
            self.load_want.eq(Cat(reader.want for reader in readers)),
            self.load_word.eq(Cat(reader.word for reader in readers)),
            eltwise.kept_a.eq(readers[0].kept),
            eltwise.kept_b.eq(readers[1].kept),
            eltwise.go.eq(strobes.eltwise.go),
            eltwise.half.eq(strobes.eltwise.parity),
            eltwise.operands.eq(loaded),
            eltwise.added.eq(strobes.activation.go),
            eltwise.added_half.eq(strobes.activation.parity),
        ]
        return eltwise, [eltwise.late, *(reader.late for reader in readers)], []
