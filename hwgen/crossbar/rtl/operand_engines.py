"""Operand engines: layers without weights, poolings and additions of maps."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data

from hwgen.chip.rtl.part import PartInstance
from hwgen.crossbar.facts.chip_facts import ChipFacts, ChipLayer
from hwgen.crossbar.facts.loads import OPERANDS_FIELDS
from hwgen.crossbar.rtl.block_reader import BlockReader
from hwgen.crossbar.rtl.eltwise import Eltwise, eltwise_bits, eltwise_lanes, operands
from hwgen.crossbar.rtl.engine import Engine, lanes_of, parts_of, ring_of
from hwgen.crossbar.rtl.joined_loader import loader_of
from hwgen.crossbar.rtl.pool import Pool, pool_bits, pool_lanes
from hwgen.errors import DesignError


def clocks_of(chip: ChipFacts, layer: ChipLayer, name: str) -> int:
    """Return the clocks that an operation of a layer has."""
    return chip.step_clocks * sum(one.busy for one in layer.operations if one.name == name)


class PoolEngine(Engine):
    """A pooling: the greatest, or the sum, of each window."""

    def __init__(self, *, chip: ChipFacts, place: int, macro: int) -> None:
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
            lanes=pool_lanes(
                pixels=pixels,
                taps=layer.taps,
                shares=shares if len(shares) > 1 else [channels],
                clocks=clocks_of(chip, chip.layers[place], "pool"),
                word=chip.word_elements,
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
        strobes, layer = self.strobes, self.layer
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
        ]
        return pool, [loader.late, pool.late], []


class EltwiseEngine(Engine):
    """An addition of two maps of one size."""

    def __init__(self, *, chip: ChipFacts, place: int, macro: int) -> None:
        placed = chip.layers[place]
        if len(placed.operands or placed.layer.providers) != 2 or placed.layer.product:
            raise DesignError(
                f"{placed.layer.name} must add two maps of layers, no other operation is built"
            )
        elements, word = placed.copies * placed.layer.out_channels, chip.word_elements
        self._reader = BlockReader(chip=chip, words=chip.macros[macro].words, elements=elements)
        clocks = clocks_of(chip, placed, "eltwise")
        self._eltwise = Eltwise(
            elements=elements,
            lanes=eltwise_lanes(elements=elements, clocks=clocks, word=word),
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
        ]
        return eltwise, [eltwise.late, *(reader.late for reader in readers)], []
