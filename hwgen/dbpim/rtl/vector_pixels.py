"""The positions of a vector, and where one input word of each of them lies.

Tests: `tests/verif/dbpim/test_parts.py`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.choose import choose
from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import ROW_BITS, Opcode
from hwgen.dbpim.rtl import layouts
from hwgen.dbpim.rtl.region import Region, address_of, bank_of


def place() -> data.StructLayout:
    """An output position: image of the step, row and column in the map of that image."""
    return data.StructLayout({"image": ROW_BITS, "y": ROW_BITS, "x": ROW_BITS})


def met() -> data.StructLayout:
    """A pixel of map b that all positions of a vector meet."""
    return data.StructLayout({"y": ROW_BITS, "x": ROW_BITS})


class VectorPixels(Part):
    """Positions of a vector, rotated over the macros, and the pixel of each in a map.

    ``(y, x)[i] = first + (0, i)``, or with `patch` ``first + (i div (M/2), i mod (M/2))``; active
    where x < output_width and y < output_end_row. Macro m has position ``(m - turn) mod M``.
    ``pixel = (y, x) * stride + (ky, kx) - padding``, or with `at_output` (y, x) itself. A SIMD
    step may see a map that has grown: ``pixel >> grow``, and with `grow_zeros` the pixels in
    between, whose lowest `grow` bits are not zero, lie outside.

    Ports
        instruction  in   SIMD       CONV or SIMD: the maps, and the window's stride and padding
        work         in   work       of this core: the slices of the maps
        first        in   place      first position of the vector
        turn         in   3
        at_output    in   1          of two maps: the pixel at the output's (y, x)
        second       in   1          the pixel is of map b, with `second_broadcast` its (0, 0)
        met          in   met        its pixel in place of (0, 0) [absent without a row unit]
        ky, kx       in   7          row and column of the window
        word         in   10         channel word; outside beyond the last one of the map
        pixels       out  M x fetch_pixel
        positions    out  positions  as stored
    Latency  0
    Errors   none
    Golden   ``golden.ops.windows.windows``, ``verif.reference.dbpim.activation_buffer``
    Source   docs/dbpim-microarchitecture.md, "walker"
    """

    family = "dbpim"
    clock_ports = ()

    def __init__(self, *, arch: Arch) -> None:
        self._arch = arch
        tile = layouts.tile(arch)
        pixel = layouts.fetch_pixel(arch)
        meets = {"met": In(met())} if arch.row_unit else {}
        super().__init__(
            {
                **meets,
                "instruction": In(layouts.packet(Opcode.SIMD, arch)),
                "work": In(layouts.work()),
                "first": In(place()),
                "turn": In(tile["turn"].shape),
                "at_output": In(1),
                "second": In(1),
                "ky": In(tile["kernel_y"].shape),
                "kx": In(tile["kernel_x"].shape),
                "word": In(ROW_BITS),
                "pixels": Out(data.ArrayLayout(pixel, arch.macros_per_core)),
                "positions": Out(layouts.positions(arch)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        instruction = self.instruction
        region = self._region(m)
        image_rows, image_columns = Signal(ROW_BITS), Signal(ROW_BITS)
        image_row, image_column = Signal(ROW_BITS), Signal(ROW_BITS)
        out_row, out_column = Signal(ROW_BITS), Signal(ROW_BITS)
        m.d.comb += [
            image_rows.eq(self._of_map("image_rows")),
            image_columns.eq(self._of_map("image_columns")),
            image_row.eq(self.first.image * image_rows),
            image_column.eq(self.first.image * image_columns),
            out_row.eq(self.first.image * instruction.output_image_rows),
            out_column.eq(self.first.image * instruction.output_image_columns),
        ]
        # Which macro has which position is known last.
        pixels, positions = [], []
        for index, neighbour in enumerate(self._neighbours(m)):
            at = data.View(layouts.position(), neighbour)
            position = Signal(self.positions.shape().elem_shape, name=f"position_{index}")
            pixel = Signal(self.pixels.shape().elem_shape, name=f"pixel_{index}")
            y, x, inside = self._pixel(at)
            row, column = (
                Signal(ROW_BITS, name=f"row_{index}"),
                Signal(ROW_BITS, name=f"col_{index}"),
            )
            m.d.comb += [
                position.row.eq(out_row + at.row),
                position.column.eq(out_column + at.column),
                position.active.eq(at.active),
                row.eq(image_row + y),
                column.eq(image_column + x),
                pixel.active.eq(at.active),
                pixel.inside.eq(inside & (self.word < region.channel_words)),
                pixel.bank.eq(bank_of(self._arch, row=row, column=column)),
                pixel.address.eq(
                    address_of(self._arch, region, row=row, column=column, word=self.word)
                ),
            ]
            pixels.append(pixel.as_value())
            positions.append(position.as_value())
        for macro in range(self._arch.macros_per_core):
            m.d.comb += [
                self.pixels[macro].as_value().eq(choose(pixels, macro - self.turn)),
                self.positions[macro].as_value().eq(choose(positions, macro - self.turn)),
            ]
        return m

    def _of_map(self, name: str) -> Value:
        """Return a field of the map that is read."""
        mine, other = (getattr(self.instruction, f"{of}_{name}") for of in ("input", "second"))
        return Mux(self.second, other, mine)

    def _region(self, m: Module) -> Region:
        """Return the slice of the map that is read."""
        fields = [self._of_map(name) for name in ("base", "row_pitch", "channel_words")]
        first = Mux(self.second, self.work.second_first, self.work.input_first)
        region = Region(
            *(
                Signal.like(field, name=f"region_{name}")
                for name, field in zip(Region._fields, (*fields, first), strict=True)
            )
        )
        m.d.comb += [
            signal.eq(field) for signal, field in zip(region, (*fields, first), strict=True)
        ]
        return region

    def _neighbours(self, m: Module) -> list[Signal]:
        """Return (y, x) of each position of the vector, in the fields of a stored position."""
        instruction, macros = self.instruction, self._arch.macros_per_core
        half = max(1, macros // 2)
        neighbours = []
        for index in range(macros):
            neighbour = Signal(layouts.position().size, name=f"neighbour_{index}")
            y = self.first.y + (instruction.patch & (index >= half))
            x = self.first.x + Mux(instruction.patch, index % half, index)
            active = (x < instruction.output_width) & (y < instruction.output_end_row)
            m.d.comb += neighbour.eq(Cat(y[:ROW_BITS], x[:ROW_BITS], active))
            neighbours.append(neighbour)
        return neighbours

    @property
    def _grows(self) -> Value:
        """Whether the instruction has the fields of a map that has grown."""
        return self.instruction.opcode == Opcode.SIMD

    def _shrunk(self, along: Value, grow: Value) -> tuple[Value, Value]:
        """Return a row or column of the map itself, and whether it is one in between."""
        shift = Mux(self._grows, grow, 0)
        lost = ((1 << shift) - 1)[: (1 << len(grow)) - 1]
        return along >> shift, (along[: len(lost)] & lost).any()

    def _pixel(self, at: data.View) -> tuple[Value, Value, Value]:
        """Return the pixel of one position in its image, and whether it is in the map."""
        instruction = self.instruction
        # The place in the window is beside the product, not behind it.
        y = at.row * instruction.stride_y + (self.ky - instruction.padding_top)
        x = at.column * instruction.stride_x + (self.kx - instruction.padding_left)
        y, between_y = self._shrunk(y, instruction.grow_y)
        x, between_x = self._shrunk(x, instruction.grow_x)
        inside = (y >= 0) & (y < instruction.input_height)
        inside &= (x >= 0) & (x < instruction.input_width)
        inside &= ~(instruction.grow_zeros & self._grows & (between_y | between_x))
        common = self.second & instruction.second_broadcast
        one = (self.met.y, self.met.x) if hasattr(self, "met") else (0, 0)
        places = (
            Mux(self.at_output, Mux(common, met, own), seen[:ROW_BITS].as_unsigned())
            for met, own, seen in zip(one, (at.row, at.column), (y, x), strict=True)
        )
        return *places, inside | self.at_output
