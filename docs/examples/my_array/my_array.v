// A digital array that computes: 64 rows of 64 columns, which are 4 inputs x 2 filters x 8 bits.
// In a cycle one row meets one bit of each input, or is written. Weights are int8. In the first
// cycle products of the row that is given are registered, in the second one they are added.
module my_array (
    input CK,
    input [3:0] X,
    input [5:0] A,
    input WEB,          // active low: store D in row A
    input [63:0] D,     // input 0 lowest: 8 bits of filter 0, 8 of filter 1
    output [19:0] Y     // of each filter 10 bits, two's complement
);
  reg [63:0] cells[0:63];
  reg [63:0] products;

  integer i;
  always @(posedge CK) begin
    if (!WEB) cells[A] <= D;
    for (i = 0; i < 4; i = i + 1) products[16*i+:16] <= X[i] ? cells[A][16*i+:16] : 16'b0;
  end

  genvar f;
  generate
    for (f = 0; f < 2; f = f + 1) begin : filters
      wire signed [7:0] p0 = products[8*f+:8], p1 = products[16+8*f+:8];
      wire signed [7:0] p2 = products[32+8*f+:8], p3 = products[48+8*f+:8];
      wire signed [8:0] left = p0 + p1, right = p2 + p3;
      assign Y[10*f+:10] = {left[8], left} + {right[8], right};
    end
  endgenerate
endmodule
