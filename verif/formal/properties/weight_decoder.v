// Nibbles of the codes go to the cells of their filter and compartment; a constant is minus what
// the negative digits of its filter come to. Without weight_bits a code is the int8 weight.
module properties (
  input [8*`COMPARTMENTS*`FILTERS-1:0] codes, input [15:0] filter_enable
);
  wire [`COMPARTMENTS*`COLUMNS-1:0] cells;
  wire [3*`COMPARTMENTS*`COLUMNS-1:0] meta;
  wire [`FILTERS*`BITS-1:0] constants;
  `PART dut (
    .row(codes), .filter_enable(filter_enable), .row_cells(cells), .row_meta({constants, meta})
  );

  integer filter, compartment, place;
`ifdef SPARSE
  `include "cells.vh"
  // The constants are proved for the digits of any one compartment: those of the others are 2, as
  // two cells 1 + 1, which has no negative digit.
  (* anyconst *) reg [7:0] own;
  reg [7:0] code;
  reg [`BITS-1:0] expected;
  reg alone;
  always @* begin
    alone = 1;
    for (place = 0; place < `COMPARTMENTS; place = place + 1)
      if (place != own && codes[8*`FILTERS*place +: 8*`FILTERS] != 0) alone = 0;
    for (filter = 0; filter < `FILTERS; filter = filter + 1)
      for (compartment = 0; compartment < `COMPARTMENTS; compartment = compartment + 1) begin
        code = codes[8*(compartment*`FILTERS + filter) +: 8];
        place = compartment*`COLUMNS + 2*filter;
        assert (cells[place +: 2] == {code[7], code[3]});
        assert (meta[3*place +: 6] == {code[6:4], code[2:0]});
        expected = -negative_of(
          digit_of(filter_enable[2*filter], code[3], code[2], code[1:0]),
          digit_of(filter_enable[2*filter + 1], code[7], code[6], code[5:4])
        );
        // A digit of 2^8 is lost: no int8 weight has one.
        if (filter_enable[2*filter +: 2] == 3 && code == 8'hff) expected = 0;
        if (alone && own == compartment)
          assert (constants[filter*`BITS +: `BITS] == expected);
      end
  end
`else
  always @* begin
    assert (cells == codes);
    assert (meta == 0);
    assert (constants == 0);
  end
`endif
endmodule
