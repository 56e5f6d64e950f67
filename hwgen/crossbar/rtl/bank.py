"""Bank: all crossbars of one layer in one macro, what is analog around them, and their inputs.

Tests: `tests/verif/crossbar/test_array.py`.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from amaranth.hdl import Module, signed
from amaranth.lib.wiring import In, Out

from hwgen.chip.rtl.array_part import ArrayPart
from hwgen.chip.rtl.text import TextPart
from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.levels import GAIN_BITS, GOLDEN_RATIO, MIX, OFFSET_BITS, READ_FIELDS
from hwgen.crossbar.rtl.sizes import ArraySizes

BODY = files("hwgen.crossbar.rtl") / "bank.v"
EFFECTS = {
    "offsets": f"""
  // In steps of 1/64 of a code; `measured` is that of the column written last.
  reg signed [{OFFSET_BITS - 1}:0] offsets [0:COLUMNS-1];
  reg signed [{OFFSET_BITS - 1}:0] measured;""",
    "start": f"{{{{{32 - OFFSET_BITS}{{offsets[column][{OFFSET_BITS - 1}]}}}}, offsets[column]}}",
    "converter": f"""
    if (cell_write && {{{{(32 - $$bits(cell_part)){{1'b0}}}}, cell_part}} == PARTS) begin
      offsets[cell_column] = cell_data[{OFFSET_BITS - 1}:0];
      measured = cell_data[{OFFSET_BITS - 1}:0];
      unit_of[cell_column] = {{{{(32 - $$bits(cell_unit)){{1'b0}}}}, cell_unit}};
    end else""",
}
"""What the body has beside with effects: the offsets of converters, which come behind the cells."""

KEY, GAIN = (bits for _, bits in READ_FIELDS)
NOISE = {
    "offsets": f"""
  // Of the noise of reads: which one a column has, and how much of it.
  reg [{KEY - 1}:0] keys [0:COLUMNS-1];
  reg signed [{GAIN - 1}:0] gains [0:COLUMNS-1];

  function automatic [31:0] mix(input [31:0] word);
    reg [31:0] x;
    begin
      x = (word ^ (word >> 16)) * 32'h{MIX[0]:x};
      x = (x ^ (x >> 15)) * 32'h{MIX[1]:x};
      mix = x ^ (x >> 16);
    end
  endfunction

  // In steps of 1/64 of a code: eight uniform bytes are about normal.
  function automatic signed [31:0] noise(
    input [31:0] key, input signed [31:0] gain, input [31:0] number
  );
    reg [63:0] bytes;
    reg signed [31:0] units;
    integer place;
    begin
      bytes[31:0] = mix(key + number * 32'h{GOLDEN_RATIO:x});
      bytes[63:32] = mix(bytes[31:0] ^ key);
      units = -4 * 255;
      for (place = 0; place < 8; place = place + 1)
        units = units + {{{{24'd0, bytes[place*8 +: 8]}}}};
      noise = (units * gain + {1 << GAIN_BITS - 1}) >>> {GAIN_BITS};
    end
  endfunction""",
    "start": """
            + noise(keys[column], gains[column], {{(32 - $$bits(read)){1'b0}}, read})""",
    "converter": f"""
    if (cell_write && {{{{(32 - $$bits(cell_part)){{1'b0}}}}, cell_part}} == PARTS) begin
      keys[cell_column] = cell_data[{KEY - 1}:0];
      gains[cell_column] = cell_data[{KEY + GAIN - 1}:{KEY}];
    end else""",
}
"""What it has beside these with noise of reads, whose part comes before that of the converter."""

PAIR = {
    "pair": """ A column is the difference of two:
// the planes of its positive cells come first, then those of its negative ones.""",
    "negative": """
              plane = chosen[(CELL + p)*SIDE +: SIDE] & held[unit_of[column]*DAC + b];
              total = total - ($$countones(plane) << (p + b));""",
}
"""What the body of differential cells has beside."""

WITHOUT = {"offsets": "", "start": "0", "converter": ""}


class Bank(ArrayPart, TextPart):
    """Sums of columns: of each lane the column ``slot * lanes + lane``.

    ``sum = sum over rows of cell * ((input >> (feed_bit * d)) mod 2^d)``, with effects plus the
    offset of the converter of the column, signed; the part behind its cells brings that offset.
    A pair has ``positive cell - negative cell`` in place of ``cell``, and its sum is signed.
    With noise a part before that brings what the noise of a column follows from, and the sums of a
    read have the noise of `golden.crossbar.read_noise`; ``measured`` has none.

    Ports
        cell_write   in   1               store a part of a column at this clock edge
        cell_column  in   column_bits
        cell_part    in   part_index_bits
        cell_data    in   part_bits       of q planes of X bits, plane 0 lowest; of a pair those of
                                          its positive cells, then those of its negative ones
        cell_unit    in   unit_bits       the unit whose rows the column crosses
        row_write    in   1               store inputs at this clock edge
        row_unit     in   unit_bits
        row_first    in   row_bits        row of the first one
        row_count    in   count_bits      1 to ``row_elements``, not beyond row X - 1
        row_data     in   row_elements x a  unsigned, the first one lowest
        feed         in   1               the DACs take d bits of each input
        feed_bit     in   bit_bits        bit step
        hold         in   1               the sample-and-hold circuits take what the DACs feed
        ask          in   1               choose columns
        slot         in   slot_bits
        read         in   read_bits       with noise: of which read of the image they are
        sums         out  lanes x analog_bits  unsigned, of pairs signed; without a column 0
        measured     out  offset_bits     with effects: what the column written last gives without
                                          inputs, from the clock behind its last part on
    Latency  1 from ``ask`` to ``sums``; the others act at the clock edge
    Rate     one of each in each cycle; ``ask`` sees what was held before
    Errors   none; cells and inputs that were never written are garbage
    Golden   ``verif.reference.crossbar.bank``
    Source   seed 003, Fig. 2 (c): PE
    """

    family = "crossbar"

    def __init__(self, *, sizes: ArraySizes) -> None:
        self._sizes = sizes
        units, rows = bits_for_index(sizes.units), min(sizes.row_elements, sizes.side)
        super().__init__(
            {
                "cell_write": In(1),
                "cell_column": In(bits_for_index(sizes.columns)),
                "cell_part": In(bits_for_index(sizes.all_parts)),
                "cell_data": In(sizes.part_bits),
                "cell_unit": In(units),
                "row_write": In(1),
                "row_unit": In(units),
                "row_first": In(bits_for_index(sizes.side)),
                "row_count": In(rows.bit_length()),
                "row_data": In(rows * sizes.input_bits),
                "feed": In(1),
                "feed_bit": In(bits_for_index(sizes.bit_steps)),
                "hold": In(1),
                "ask": In(1),
                "slot": In(bits_for_index(sizes.slots)),
                "sums": Out(sizes.lanes * sizes.analog_bits),
                **({"read": In(bits_for_index(sizes.noisy_reads))} if sizes.noisy_reads else {}),
                **({"measured": Out(signed(OFFSET_BITS))} if sizes.effects else {}),
            }
        )

    @property
    def size_suffix(self) -> str:
        return self._sizes.name

    @property
    def clock_ports(self) -> Sequence[str]:  # type: ignore[override]
        """The clock of our body; what Amaranth puts around another one has a reset too."""
        return ("clk",) if self.replacement is None else ("clk", "rst")

    @property
    def pins(self) -> Sequence[str]:
        """All ports but a reset."""
        return ["clk", *self.signature.members]

    @property
    def is_text(self) -> bool:  # type: ignore[override]
        """Whether it is our body."""
        return self.replacement is None

    @property
    def stored_bits(self) -> int:  # type: ignore[override]
        """Inputs of units, latches of DACs and samples that are held; cells are the crossbars'."""
        if self.replacement is not None:
            return 0
        return (
            self._sizes.units
            * self._sizes.side
            * (self._sizes.input_bits + 2 * self._sizes.dac_bits)
        )

    @property
    def sizes(self) -> Mapping[str, int]:
        """Sizes of the crossbars, and what is written at a time: parts of a column, and rows."""
        sizes = self._sizes
        return {
            "side": sizes.side,
            "cell_bits": sizes.planes,
            "dac_bits": sizes.dac_bits,
            "input_bits": sizes.input_bits,
            "units": sizes.units,
            "columns": sizes.columns,
            "lanes": sizes.lanes,
            "part_bits": sizes.part_bits,
            "parts": sizes.column_parts,
            "rows": min(sizes.row_elements, sizes.side),
            "sum_bits": sizes.analog_bits,
        }

    def verilog(self) -> str:
        texts = EFFECTS if self._sizes.effects else WITHOUT
        if self._sizes.noisy_reads:
            behind = {"converter": texts["converter"].replace("== PARTS", "== PARTS + 1")}
            texts = {name: NOISE[name] + text for name, text in (texts | behind).items()}
            texts["start"] = EFFECTS["start"] + NOISE["start"]
        body = BODY.read_text(encoding="utf-8")
        texts = texts | (PAIR if self._sizes.pairs else dict.fromkeys(PAIR, ""))
        for name, text in texts.items():
            body = body.replace(f"${{{name}}}", text)
        return self.filled(body, dict(self.sizes))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.around(m)
        return m
