// A queue: a word that any cycle marks leaves once, after all words before it and before all
// words behind it; one is taken while there are fewer than DEPTH, and flush drops all.
module properties (
  input clk, input [`WIDTH-1:0] data, input valid, input ready, input flush, input mark
);
  reg begun = 0;
  always @(posedge clk) begun <= 1;
  wire rst = !begun;

  wire in_ready, out_valid;
  wire [`WIDTH-1:0] out;
  `PART dut (
    .clk(clk), .rst(rst), .flush(flush),
    .input__payload(data), .input__valid(valid), .input__ready(in_ready),
    .output__payload(out), .output__valid(out_valid), .output__ready(ready)
  );

  // The words inside, and of a marked one: whether it is inside, the words ahead of it, its value.
  reg [`INDEX:0] inside = 0, ahead = 0;
  reg marked = 0;
  reg [`WIDTH-1:0] word;
  wire enters = valid && inside < `DEPTH;
  wire leaves = ready && inside != 0;
  wire marks = mark && enters && !marked;
  always @(posedge clk) begin
    if (rst || flush) begin
      inside <= 0;
      marked <= 0;
    end else begin
      inside <= inside + enters - leaves;
      if (marks) begin
        marked <= 1;
        word <= data;
        ahead <= inside - leaves;
      end else if (marked && leaves) begin
        ahead <= ahead - 1;
        if (ahead == 0) marked <= 0;
      end
    end
  end

  always @* if (begun) begin
    assert (in_ready == (inside < `DEPTH));
    assert (out_valid == (inside != 0));
    if (marked) assert (ahead < inside);
    if (marked && ahead == 0) assert (out == word);
  end

  // For the induction: where the registers of the part stand.
  (* hierconn *) wire [`INDEX:0] \dut.level ;
  (* hierconn *) wire [`INDEX-1:0] \dut.read_index ;
  (* hierconn *) wire [`INDEX-1:0] \dut.write_index ;
  `include "memory.v"
  wire [`INDEX-1:0] place = \dut.read_index + ahead;
  reg [`WIDTH-1:0] at;
  integer each;
  always @* begin
    at = 0;
    for (each = 0; each < `DEPTH; each = each + 1)
      if (place == each) at = words[each*`WIDTH +: `WIDTH];
  end
  always @* if (begun) begin
    assert (inside <= `DEPTH);
    assert (\dut.level == inside);
    assert (\dut.write_index == \dut.read_index + inside[`INDEX-1:0]);
    if (marked) assert (at == word);
  end
endmodule
