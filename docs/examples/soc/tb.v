// The bench of the system: a clock, a reset, a console, and the end that firmware writes.
module tb;
  reg clk = 0;
  reg rst = 1;
  always #5 clk = ~clk;

  wire [7:0] char;
  wire char_valid, finish;
  soc soc (.clk(clk), .rst(rst), .char(char), .char_valid(char_valid), .finish(finish));

  reg [63:0] cycle = 0;
  reg [63:0] limit;
  initial if (!$value$plusargs("limit=%d", limit)) limit = 100_000_000;
  always @(posedge clk) begin
    cycle <= cycle + 1;
    if (cycle == 20) rst <= 0;
    if (char_valid) $write("%c", char);
    if (finish) $finish;
    if (cycle == limit) begin
      $display("the firmware did not end within %0d cycles", limit);
      $finish;
    end
  end
endmodule
