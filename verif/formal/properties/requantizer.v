// The formula of a rounding, with the sum, multiplier and shift of the last cycle with enable, and
// zero point and ends of this cycle.
module properties (
  input clk, input enable, input signed [`ACCUMULATOR-1:0] accumulator,
  input [`MULTIPLIER-1:0] multiplier, input [5:0] shift,
  input [`ELEMENT-1:0] zero_point, input [`ELEMENT-1:0] low, input [`ELEMENT-1:0] high
);
  reg begun = 0;
  always @(posedge clk) begun <= 1;
  wire rst = !begun;

  wire [`ACCUMULATOR-1:0] product;
  wire [`ELEMENT-1:0] result;
  `PART dut (
    .clk(clk), .rst(rst), .enable(enable), .accumulator(accumulator), .multiplier(multiplier),
    .shift(shift), .zero_point(zero_point), .low(low), .high(high), .product(product),
    .result(result)
  );

  localparam BITS = `ACCUMULATOR + `MULTIPLIER + 1;
  // Sums are of the range that the data sheet gives for the rounding, shifts too.
  always @* begin
    assume (low <= high);
    assume (shift >= `LEAST_SHIFT && shift <= `MOST_SHIFT);
  end

  reg given = 0;
  reg signed [`ACCUMULATOR-1:0] sum;
  reg [`MULTIPLIER-1:0] times;
  reg [5:0] places;
  always @(posedge clk)
    if (rst) given <= 0;
    else if (enable) begin
      given <= 1;
      sum <= accumulator;
      times <= multiplier;
      places <= shift;
    end

  // The nearest integer of value / 2^count; a half goes to the even one, or away from 0.
  function [BITS-1:0] nearest(input [BITS-1:0] value, input [6:0] count, input even);
    reg [2*BITS-1:0] wide;
    begin
      wide = {value, {BITS{1'b0}}} >> (count > BITS ? BITS + 1 : count);
      nearest = wide[2*BITS-1:BITS];
      if (wide[BITS-1] && (wide[BITS-2:0] != 0 || !even || nearest[0])) nearest = nearest + 1;
    end
  endfunction

  reg signed [BITS-1:0] exact, rounded;
  reg [BITS-1:0] size;
  reg [6:0] cut, scaled;
  integer bit_number;
  always @* begin
    exact = sum * $signed({1'b0, times});
    rounded = 0;
    size = 0;
    cut = 0;
    scaled = 0;
`ifdef HALF_UP
    // (product + 2^(shift - 1)) >> shift
    rounded = places > BITS ? 0 : ((exact >>> (places - 1)) + 1) >>> 1;
`endif
`ifdef TFLITE
    // v = (product + 2^30) >> 31; then v / 2^(shift - 31), halves away from 0
    exact = ((exact >>> 30) + 1) >>> 1;
    size = nearest(exact < 0 ? -exact : exact, places - 31, 0);
    rounded = exact < 0 ? -size : size;
`endif
`ifdef FLOAT32
    // The sum to 24 significant bits, the product to as many, that over 2^shift.
    size = sum < 0 ? -sum : sum;
    for (bit_number = 24; bit_number < BITS; bit_number = bit_number + 1)
      if (size[bit_number]) cut = bit_number - 23;
    size = (nearest(size, cut, 1) << cut) * times;
    for (bit_number = 24; bit_number < BITS; bit_number = bit_number + 1)
      if (size[bit_number]) scaled = bit_number - 23;
    size = nearest(nearest(size, scaled, 1) << scaled, places, 1);
    rounded = sum < 0 ? -size : size;
`endif
  end

  wire signed [BITS:0] moved = rounded + $signed({1'b0, zero_point});
  always @* if (begun && given) begin
    if (moved < $signed({1'b0, low})) assert (result == low);
    else if (moved > $signed({1'b0, high})) assert (result == high);
    else assert (result == moved[`ELEMENT-1:0]);
`ifndef FLOAT32
    assert (product == sum * $signed({1'b0, times}));
`endif
  end
endmodule
