// The sum of all terms and of the constant, of which a dense tree has a fixed one.
module properties (input [8*`COMPARTMENTS-1:0] terms, input [`BITS-1:0] constant);
  wire [`BITS-1:0] sum;
`ifdef SPARSE
  `PART dut (.terms(terms), .constant(constant), .sum(sum));
  wire [`BITS-1:0] begins = constant;
`else
  `PART dut (.terms(terms), .sum(sum));
  wire [`BITS-1:0] begins = -(128 * `COMPARTMENTS);
`endif

  reg [`BITS-1:0] expected;
  integer each;
  always @* begin
    expected = begins;
    for (each = 0; each < `COMPARTMENTS; each = each + 1)
      expected = expected + terms[8*each +: 8];
    assert (sum == expected);
  end
endmodule
