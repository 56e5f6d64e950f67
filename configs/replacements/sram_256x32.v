// SPDX-License-Identifier: Apache-2.0
// A memory of 256 words of 32 bits in the manner of OpenRAM's 1rw1r macros, for simulations: what was asked for at a
// rising edge is there behind the falling one, until the next rising edge; a word that the other port is writing, and
// everything else, is X.
`timescale 1ns / 1ps
module sram_1rw1r_256x32_8 (
    input clk0,
    input csb0,
    input web0,
    input [3:0] wmask0,
    input [7:0] addr0,
    input [31:0] din0,
    output reg [31:0] dout0,
    input clk1,
    input csb1,
    input [7:0] addr1,
    output reg [31:0] dout1
);
  reg [31:0] words [0:255];

  reg csb0_taken, web0_taken, csb1_taken, meets;
  reg [7:0] addr0_taken, addr1_taken;

  always @(posedge clk0) begin
    csb0_taken <= csb0;
    web0_taken <= web0;
    addr0_taken <= addr0;
    if (!csb0 && !web0) begin
      if (wmask0[0]) words[addr0][7:0] <= din0[7:0];
      if (wmask0[1]) words[addr0][15:8] <= din0[15:8];
      if (wmask0[2]) words[addr0][23:16] <= din0[23:16];
      if (wmask0[3]) words[addr0][31:24] <= din0[31:24];
    end
  end

  always @(posedge clk1) begin
    csb1_taken <= csb1;
    addr1_taken <= addr1;
    meets <= !csb0 && !web0 && addr0 == addr1;
  end

  // Behind a rising edge a port shows nothing until the falling one.
  always @(clk0)
    if (!clk0 && !csb0_taken && web0_taken) dout0 = words[addr0_taken];
    else if (clk0) dout0 = 32'bx;

  always @(clk1)
    if (!clk1 && !csb1_taken && !meets) dout1 = words[addr1_taken];
    else if (clk1) dout1 = 32'bx;
endmodule
