// A term is an input bit times the weight, plus what the negative digits of the weight come to.
module properties (input x, input [`COLUMNS-1:0] cells, input [1:0] enable, input [5:0] meta);
  wire [7:0] term;
  reg signed [15:0] weight, negative;
`ifdef SPARSE
  `include "cells.vh"
  `PART dut (.x(x), .cells(cells), .enable(enable), .meta(meta), .term(term));
  wire signed [15:0] first = digit_of(enable[0], cells[0], meta[2], meta[1:0]);
  wire signed [15:0] second = digit_of(enable[1], cells[1], meta[5], meta[4:3]);
  always @* begin
    weight = first + second;
    negative = negative_of(first, second);
    if (weight == 256 || weight == -256) assert (term == 0);
    else assert ($signed({8'd0, term}) == (x ? weight : 0) + negative);
  end
`else
  // The digit of an int8 weight that is negative is 2^7, whatever the weight.
  `PART dut (.x(x), .cells(cells), .enable(enable), .term(term));
  always @* begin
    weight = enable[0] ? $signed(cells) : 0;
    assert ($signed({8'd0, term}) == (x ? weight : 0) + 128);
  end
`endif
endmodule
