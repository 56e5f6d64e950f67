// The pins and the frames of a chip: a pin follows `wave.txt`, a level and its cycles a line, and
// each change of the other pin is said, its cycle and its level. A memory of 256 bytes and 16
// registers stand where the chip would.

`timescale 1ns/1ps
module line_wave;
  reg clk = 0, rst = 1, rx = 1;
  always #5 clk = ~clk;

  wire tx, ended, received_valid, received_ready, sent_valid, sent_ready;
  wire [7:0] received, sent;
  few_uart_pins pins (
    .clk(clk), .rst(rst), .rx(rx), .tx(tx), .ended(ended),
    .received__payload(received), .received__valid(received_valid),
    .received__ready(received_ready),
    .sent__payload(sent), .sent__valid(sent_valid), .sent__ready(sent_ready)
  );

  wire en, write, awvalid, wvalid, arvalid;
  wire [7:0] address, data;
  wire [11:0] awaddr, araddr;
  wire [31:0] wdata;
  reg [7:0] answer, bytes [0:255];
  reg [31:0] registers [0:15];
  reg bvalid = 0, rvalid = 0;
  reg [31:0] rdata;
  few_frames frames (
    .clk(clk), .rst(rst), .ended(ended),
    .received__payload(received), .received__valid(received_valid),
    .received__ready(received_ready),
    .sent__payload(sent), .sent__valid(sent_valid), .sent__ready(sent_ready),
    .memory__en(en), .memory__write(write), .memory__address(address), .memory__data(data),
    .memory__answer(answer),
    .registers__awaddr(awaddr), .registers__awvalid(awvalid), .registers__awready(1'b1),
    .registers__wdata(wdata), .registers__wvalid(wvalid), .registers__wready(1'b1),
    .registers__bresp(2'b0), .registers__bvalid(bvalid),
    .registers__araddr(araddr), .registers__arvalid(arvalid), .registers__arready(1'b1),
    .registers__rdata(rdata), .registers__rresp(2'b0), .registers__rvalid(rvalid)
  );
  always @(posedge clk) begin
    if (en && write) bytes[address] <= data;
    answer <= bytes[address];
    bvalid <= awvalid && wvalid;
    if (awvalid && wvalid) registers[awaddr[5:2]] <= wdata;
    rvalid <= arvalid;
    rdata <= registers[araddr[5:2]];
  end

  integer file, fields, level, cycles, cycle = 0;
  always @(posedge clk) cycle <= cycle + 1;
  always @(tx) if (!rst) $display("%0d %0d", cycle, tx);
  initial begin
    repeat (4) @(negedge clk);
    rst = 0;
    file = $fopen("wave.txt", "r");
    fields = 2;
    while (fields == 2) begin
      fields = $fscanf(file, "%d %d", level, cycles);
      if (fields == 2) begin
        rx = level[0];
        repeat (cycles) @(negedge clk);
      end
    end
    $display("%0d %0d", cycle, 1);
    $finish(0);
  end
endmodule
