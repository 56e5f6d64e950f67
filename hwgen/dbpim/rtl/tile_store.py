"""The tiles of a core: headers, masks, parameters, and which rows are loaded."""

from collections.abc import Mapping
from typing import NamedTuple

from amaranth.hdl import Cat, ClockSignal, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.checks import in_range, must
from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.timing import TILE_SLOTS
from hwgen.dbpim.rtl.layouts import parameters
from hwgen.dbpim.rtl.layouts import tile as tile_header
from hwgen.dbpim.rtl.load_bus import tile_loads
from hwgen.dbpim.rtl.mask_array import MaskArray, mask_words_per_beat

SLOT_BITS = bits_for_index(TILE_SLOTS)


class Ring(NamedTuple):
    """Registers of the ring of tiles; a pointer has one bit more than a slot number.

    write: tile that is loading; walk: tile that is walked; retire: oldest tile
    tiles: header, first mask word, first row and parameter slot of each
    parameters: parameter slot that was filled last
    """

    write: Signal
    walk: Signal
    retire: Signal
    tiles: list[data.View]
    parameters: Signal


class TileStore(Part):
    """Ring of ``TILE_SLOTS`` tiles, ring of mask words, ring of R rows, and parameters.

    Without ``sparse_parts`` there are no masks, and none of their ports.

    A tile occupies its slot, mask words and rows from ``begin`` on. The walker sees it after
    ``push``. It retires when every macro's result that ends it has been popped.

    Pipeline of a retirement
        cycle 0  the last macro's result that ends the tile is popped
        cycle 1  the tile retires: its rows are no longer loaded from the next cycle on
        cycle 2  its slot, mask words and rows are free: ``room`` can rise

    Ports
        loads               in   tile_loads      what the loader brings: see ``tile_loads``
        row_write           in   1               the next row of the tile is written
        row_index           out  row_bits        the row of the cell arrays that it goes to
        tile_known          out  1               there is a tile to walk: the next four lines
        tile                out  TILE            its header
        tile_slot           out  slot_bits
        tile_mask_base      out  mask_bits       its first mask word
        tile_row_base       out  row_bits        its first row
        tile_done           in   1               the walker is done with the tile
        mask_index          in   mask_bits
        mask                out  C               that mask word, bit c: input c is selected
        head_tile           in   M x slot_bits   the tile of each macro's group
        head_filter_enable  out  M x 16          cell columns that count in it
        head_double         out  M               it is a pair tile [only on a chip with them]
        head_row            in   M x row_bits    the row of each macro's group
        row_loaded          out  M               bit m: it has been written for this tile
        result_tile         in   slot_bits       the tile of a result
        result_second       in   1               its second filter group is asked for [with
                                                 pair tiles]
        result_double       out  1               it has one [with pair tiles]
        result_group        out  12              its filter group
        result_parameters   out  F x parameters  of this group, until the tile retires
        tile_end_popped     in   M               bit m: a result of macro m that ends a tile is
                                                 popped
        empty_walked        out  1               every walked tile has retired
    Latency  1 cycle from a change to its effect: from ``begin`` to ``room``, from ``push`` to
             ``tile_known``, from ``row_write`` to ``row_loaded``; 2 cycles from the last pop of a
             tile to ``room``. The other outputs are combinational
    Rate     one of each event in each cycle; a tile begins only when the one before is complete
    Errors   none
    Golden   none: it stores what it is given
    Source   seed 002, V-B: mask register file, one row of cells active of R
    """

    family = "dbpim"

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        self._mask_array = MaskArray(arch=arch) if arch.sparse_parts else None
        self._parameter_file = RegisterFile(
            family=self.family, depth=TILE_SLOTS, slices=arch.sums, width=parameters(arch).size
        )
        self.parts = [*([self._mask_array] if self._mask_array else []), self._parameter_file]
        header, macros = tile_header(arch), arch.macros_per_core
        enable_bits = header["filter_enable"].width
        row_bits = bits_for_index(arch.macro.rows)
        mask_bits = bits_for_index(arch.mask_words) if arch.sparse_parts else 0
        places = {"mask_base": mask_bits, "row_base": row_bits, "slot": SLOT_BITS}
        self._tile = data.StructLayout(
            {"header": header, **{name: bits for name, bits in places.items() if bits}}
        )
        masks = {"mask_index": In(mask_bits), "mask": Out(arch.word)}
        pairs = {"result_second": In(1), "result_double": Out(1), "head_double": Out(macros)}
        super().__init__(
            {
                "loads": In(tile_loads(arch)),
                "row_write": In(1),
                "row_index": Out(row_bits),
                "tile_known": Out(1),
                "tile": Out(header),
                "tile_slot": Out(SLOT_BITS),
                **({"tile_mask_base": Out(mask_bits)} if arch.sparse_parts else {}),
                "tile_row_base": Out(row_bits),
                "tile_done": In(1),
                **(masks if arch.sparse_parts else {}),
                "head_tile": In(data.ArrayLayout(SLOT_BITS, macros)),
                "head_filter_enable": Out(data.ArrayLayout(enable_bits, macros)),
                "head_row": In(data.ArrayLayout(row_bits, macros)),
                "row_loaded": Out(macros),
                "result_tile": In(SLOT_BITS),
                "result_group": Out(header["group"].width),
                "result_parameters": Out(data.ArrayLayout(parameters(arch), arch.filters)),
                "tile_end_popped": In(macros),
                **(pairs if arch.pairs else {}),
                "empty_walked": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ring = Ring(
            write=Signal(SLOT_BITS + 1),
            walk=Signal(SLOT_BITS + 1),
            retire=Signal(SLOT_BITS + 1),
            tiles=[Signal(self._tile, name=f"tile_{slot}") for slot in range(TILE_SLOTS)],
            parameters=Signal(SLOT_BITS),
        )
        self.guarded(*ring.tiles)
        retires = self._retires(m)
        m.d.sync += [
            ring.write.eq(ring.write + self.loads.push),
            ring.walk.eq(ring.walk + self.tile_done),
            ring.retire.eq(ring.retire + retires),
        ]
        walked = self._pick(ring, ring.walk)
        retired = self._pick(ring, ring.retire)
        self._give_room(m, retired=retired.header, retires=retires)
        bases: dict[str, Value] = {}
        if self._mask_array:
            bases["mask_base"] = self._masks(m, self._mask_array)
        bases["row_base"] = self._rows(m, retired=retired, retires=retires)
        self._begin(m, ring, bases)
        self._parameters(m, ring)
        m.d.comb += [
            self.tile_known.eq(ring.walk != ring.write),
            self.empty_walked.eq(ring.walk == ring.retire),
            self.tile.eq(walked.header),
            self.tile_slot.eq(ring.walk),
            *([self.tile_mask_base.eq(walked.mask_base)] if self._mask_array else []),
            self.tile_row_base.eq(walked.row_base),
            self.result_group.eq(self._result_group(m, ring)),
        ]
        for macro in range(self._arch.macros_per_core):
            header = self._pick(ring, self.head_tile[macro]).header
            m.d.comb += self.head_filter_enable[macro].eq(header.filter_enable)
            if self._arch.pairs:
                m.d.comb += self.head_double[macro].eq(header.double)
        return m

    def _result_group(self, m: Module, ring: Ring) -> Value:
        """Return the filter group of the result, of a pair the one that is asked for."""
        header = self._pick(ring, self.result_tile).header
        if not self._arch.pairs:
            return Value.cast(header.group)
        m.d.comb += self.result_double.eq(header.double)
        return Mux(self.result_second, header.second_group, header.group)

    def _pick(self, ring: Ring, slot: Value) -> data.View:
        """Return the tile in a slot."""
        return data.View(self._tile, choose([tile.as_value() for tile in ring.tiles], slot))

    def _retires(self, m: Module) -> Signal:
        """Count the tiles that each macro has ended; the oldest retires when no count is zero."""
        retires = Signal()
        ended = []
        for macro in range(self._arch.macros_per_core):
            tiles = Signal(range(TILE_SLOTS + 1), name=f"tiles_ended_{macro}")
            m.d.sync += tiles.eq(tiles + self.tile_end_popped[macro] - retires)
            in_range(m, f"tiles_ended_{macro}", tiles, TILE_SLOTS)
            ended.append(tiles != 0)
        m.d.comb += retires.eq(Cat(ended).all())
        return retires

    def _give_room(self, m: Module, *, retired: data.View, retires: Value) -> None:
        """Count the free entries of the rings; a tile takes all of its entries at `begin`."""
        rings = [
            ("slots", TILE_SLOTS, Const(1), Const(1)),
            ("rows", self._arch.macro.rows, self.loads.header.rows, retired.rows),
        ]
        if self._mask_array:
            wanted, held = self.loads.header.mask_words, retired.mask_words
            rings.append(("mask_words", self._arch.mask_words, wanted, held))
        enough, begins = [], self.loads.begin
        for name, size, wanted, held in rings:
            free = Signal(range(size + 1), init=size, name=f"free_{name}")
            taken, given_back = Mux(self.loads.begin, wanted, 0), Mux(retires, held, 0)
            m.d.sync += free.eq(free - taken + given_back)
            in_range(m, f"free_{name}", free, size)
            fits = wanted <= free
            must(m, fits, f"the ring of {name} must take no word while it is full", when=begins)
            enough.append(wanted <= free)
        m.d.comb += self.loads.room.eq(Cat(enough).all())

    def _begin(self, m: Module, ring: Ring, bases: Mapping[str, Value]) -> None:
        """Store the header of a tile that begins, and by name where its entries of rings begin.

        A tile with parameters gets the next slot.
        """
        slot = Signal(SLOT_BITS)
        m.d.comb += slot.eq(ring.parameters + self.loads.header.parameters)
        with m.If(self.loads.begin):
            m.d.sync += ring.parameters.eq(slot)
        for index, tile in enumerate(ring.tiles):
            with m.If(self.loads.begin & (ring.write[:SLOT_BITS] == index)):
                m.d.sync += [
                    tile.header.eq(self.loads.header),
                    *(getattr(tile, name).eq(base) for name, base in bases.items()),
                    tile.slot.eq(slot),
                ]

    def _masks(self, m: Module, array: MaskArray) -> Signal:
        """Place the mask words; return the index of the next one."""
        m.submodules.mask_array = masks = array.instance()
        beat_words = mask_words_per_beat(self._arch)
        next_word = Signal.like(self.mask_index)
        missing = Signal.like(self.loads.header.mask_words)
        count = Signal.like(masks.write_count)
        m.d.comb += [
            count.eq(Mux(missing < beat_words, missing, beat_words)),
            masks.clk.eq(ClockSignal()),
            masks.write_count.eq(Mux(self.loads.mask_write, count, 0)),
            masks.write_index.eq(next_word),
            masks.write_data.eq(self.loads.mask_data),
            masks.read_index.eq(self.mask_index),
            self.mask.eq(masks.read_data),
        ]
        with m.If(self.loads.begin):
            m.d.sync += missing.eq(self.loads.header.mask_words)
        with m.Elif(self.loads.mask_write):
            m.d.sync += [missing.eq(missing - count), next_word.eq(next_word + count)]
        return next_word

    def _rows(self, m: Module, *, retired: data.View, retires: Value) -> Signal:
        """Track which rows are loaded; return the index of the next one."""
        rows = self._arch.macro.rows
        loaded, cleared, written = Signal(rows), Signal(rows), Signal(rows)
        ones = ((1 << retired.header.rows) - 1)[:rows]
        rotated = ones << retired.row_base
        m.d.comb += [
            cleared.eq(Mux(retires, rotated[:rows] | rotated[rows:], 0)),
            written.eq(Mux(self.row_write, 1 << self.row_index, 0)),
        ]
        m.d.sync += [
            loaded.eq((loaded | written) & ~cleared),
            self.row_index.eq(self.row_index + self.row_write),
        ]
        for macro in range(self._arch.macros_per_core):
            m.d.comb += self.row_loaded[macro].eq((loaded >> self.head_row[macro])[0])
        return self.row_index

    def _parameters(self, m: Module, ring: Ring) -> None:
        """Place the parameters of the filter groups, one slot for each group in use."""
        m.submodules.parameters = file = self._parameter_file.instance()
        own = Value.cast(file.read_data)
        if self._arch.pairs:
            bits = len(own) // 2
            own = Mux(self.result_second, own[bits:], own[:bits])
        m.d.comb += [
            file.clk.eq(ClockSignal()),
            file.write_en.eq(Mux(self.loads.parameters_write, 1 << self.loads.parameters_index, 0)),
            file.write_index.eq(ring.parameters),
            file.write_data.eq(self.loads.parameters_data.as_value().replicate(self._arch.sums)),
            file.read_index.eq(self._pick(ring, self.result_tile).slot),
            self.result_parameters.eq(own),
        ]
