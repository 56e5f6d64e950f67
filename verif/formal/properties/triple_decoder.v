// Three numbers below 80, whose decimal digits are a densely packed decimal of IEEE 754-2008 and
// whose octal digits stand below it, become the cells of the weights of the page "Packed rows".
module properties (input [18:0] triple, input [2:0] two_columns);
  wire [23:0] codes;
  `PART dut (.triple(triple), .two_columns(two_columns), .codes(codes));

  // The digits of a densely packed decimal as sums of products.
  wire p = triple[18], q = triple[17], r = triple[16], s = triple[15], t = triple[14];
  wire u = triple[13], v = triple[12], w = triple[11], x = triple[10], y = triple[9];
  wire [3:0] hundreds = {
    v & w & (~s | t | ~x), p & (~v | ~w | (s & ~t & x)), q & (~v | ~w | (s & ~t & x)), r
  };
  wire [3:0] tens = {
    v & ((~w & x) | (~t & x) | (s & x)),
    (s & (~v | ~x)) | (p & ~s & t & v & w & x),
    (t & (~v | ~x)) | (q & ~s & t & w & v & x),
    u
  };
  wire [3:0] ones = {
    v & ((~w & ~x) | (w & x & (s | t))),
    (~v & w) | (s & v & ~w & x) | (p & w & v & (~x | (~s & ~t))),
    (~v & x) | (t & v & ~w & x) | (q & v & w & (~x | (~s & ~t))),
    y
  };
  wire [11:0] decimals = {hundreds, tens, ones};

  `include "cells.vh"
  reg [6:0] number;
  reg [7:0] code;
  reg signed [15:0] first, second, weight;
  integer each, above, below;
  always @* begin
    for (each = 0; each < 3; each = each + 1) begin
      number = {decimals[4*each +: 4], triple[3*each +: 3]};
      code = codes[8*each +: 8];
      first = digit_of(1, code[3], code[2], code[1:0]);
      second = digit_of(1, code[7], code[6], code[5:4]);
      weight = 0;
      if (two_columns[each]) begin
        for (above = 2; above <= 6; above = above + 1)
          for (below = 0; below <= above - 2; below = below + 1)
            if (number[6:2] == (above - 1) * (above - 2) / 2 + below)
              weight = (number[1] ? -(1 << above) : 1 << above)
                + (number[0] ? -(1 << below) : 1 << below);
        for (below = 0; below <= 5; below = below + 1) begin
          if (number == 60 + 2*below) weight = (1 << 7) - (1 << below);
          if (number == 61 + 2*below) weight = -(1 << 7) + (1 << below);
        end
        assert (first + second == weight);
        assert ((weight == 0) == (number >= 72));
      end else if (number < 16) begin
        assert (code[7:4] == 0);
        assert (first == (number[0] ? -(1 << number[3:1]) : 1 << number[3:1]));
      end
    end
  end
endmodule
