// A sum above the range of codes becomes the last code, and is told.
module properties (input [`SAMPLES*`SUM-1:0] sums);
  wire [`SAMPLES*`CODE-1:0] codes;
  wire above;
  `PART dut (.sums(sums), .codes(codes), .above(above));

  reg any;
  integer each;
  always @* begin
    any = 0;
    for (each = 0; each < `SAMPLES; each = each + 1)
      if (sums[each*`SUM +: `SUM] >= 1 << `CODE) begin
        any = 1;
        assert (codes[each*`CODE +: `CODE] == (1 << `CODE) - 1);
      end else
        assert (codes[each*`CODE +: `CODE] == sums[each*`SUM +: `SUM]);
    assert (above == any);
  end
endmodule
