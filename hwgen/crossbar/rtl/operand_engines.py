"""Operand engines: layers without weights, poolings and additions of maps."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data

from hwgen.chip.rtl.part import PartInstance
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.loads import OPERANDS_FIELDS
from hwgen.crossbar.facts.ports import pool_clocks
from hwgen.crossbar.rtl.block_reader import BlockReader
from hwgen.crossbar.rtl.eltwise import Eltwise, eltwise_bits, operands
from hwgen.crossbar.rtl.engine import Engine, clocks_of, lanes_of, parts_of, ring_of
from hwgen.crossbar.rtl.joined_loader import loader_of
from hwgen.crossbar.rtl.pool import Pool, pool_bits
from hwgen.errors import DesignError


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
