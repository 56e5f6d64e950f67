// SPDX-License-Identifier: Apache-2.0
// A file of latches, 16 words of 32 bits, for simulations: any bits of a word are stored at a rising edge.
`timescale 1ns / 1ps
module latches_16x32 (
    input clk,
    input we,
    input [31:0] bit_en,
    input [3:0] waddr,
    input [31:0] wdata,
    input [3:0] raddr,
    output [31:0] rdata
);
  reg [31:0] words [0:15];
  assign rdata = words[raddr];
  always @(posedge clk) if (we) words[waddr] <= (words[waddr] & ~bit_en) | (wdata & bit_en);
endmodule
