// A table with a register of each kind: 0 control, 1 status, 2 error, 3 a constant, 4 `value` with a
// field of 12 bits, 5 `live`, written while busy, 6 and 7 the halves of `long`, 8 `seen`, which is
// read only, 9 interrupt, 10 its enable.
module properties (
  input clk, input [5:0] awaddr, input awvalid, input [31:0] wdata, input [3:0] wstrb,
  input wvalid, input bready, input [5:0] araddr, input arvalid, input rready, input busy,
  input done, input [3:0] error, input [31:0] seen
);
  reg begun = 0;
  always @(posedge clk) begun <= 1;
  wire rst = !begun;

  wire awready, wready, bvalid, arready, rvalid, start, irq;
  wire [1:0] bresp, rresp;
  wire [31:0] rdata, value, live;
  wire [63:0] long;
  `PART dut (
    .clk(clk), .rst(rst), .bus__awaddr(awaddr), .bus__awprot(3'd0), .bus__awvalid(awvalid),
    .bus__awready(awready), .bus__wdata(wdata), .bus__wstrb(wstrb), .bus__wvalid(wvalid),
    .bus__wready(wready), .bus__bresp(bresp), .bus__bvalid(bvalid), .bus__bready(bready),
    .bus__araddr(araddr), .bus__arprot(3'd0), .bus__arvalid(arvalid), .bus__arready(arready),
    .bus__rdata(rdata), .bus__rresp(rresp), .bus__rvalid(rvalid), .bus__rready(rready),
    .start(start), .busy(busy), .done(done), .error(error), .irq(irq), .value(value),
    .live(live), .long(long), .seen(seen)
  );

  // What the table holds, and what it answers.
  reg [31:0] own_value = 0, own_live = 0;
  reg [63:0] own_long = 0;
  reg pending = 0, enabled = 0, was_busy = 0, starts = 0;
  reg answers = 0, reads = 0, refused, absent;
  reg [31:0] read;
  wire [3:0] to = awaddr[5:2];
  wire [3:0] from = araddr[5:2];
  wire write = awvalid && awready;
  wire [31:0] bytes = {{8{wstrb[3]}}, {8{wstrb[2]}}, {8{wstrb[1]}}, {8{wstrb[0]}}};
  // Control, value and long while idle; live, interrupt and its enable always.
  wire allowed = to == 5 || to == 9 || to == 10
    || (!busy && (to == 0 || to == 4 || to == 6 || to == 7));
  wire takes = write && allowed;

  reg [31:0] found;
  always @*
    case (from)
      1: found = {error != 0, done, busy};
      2: found = error;
      3: found = `CONSTANT;
      4: found = own_value;
      5: found = own_live;
      6: found = own_long[31:0];
      7: found = own_long[63:32];
      8: found = seen;
      9: found = pending;
      10: found = enabled;
      default: found = 0;
    endcase

  always @(posedge clk)
    if (rst) begin
      own_value <= 0;
      own_live <= 0;
      own_long <= 0;
      pending <= 0;
      enabled <= 0;
      was_busy <= 0;
      starts <= 0;
      answers <= 0;
      reads <= 0;
    end else begin
      was_busy <= busy;
      starts <= takes && to == 0 && wdata[0] && wstrb[0];
      if (takes && to == 4) own_value <= ((own_value & ~bytes) | (wdata & bytes)) & 32'h000fff00;
      if (takes && to == 5) own_live <= (own_live & ~bytes) | (wdata & bytes);
      if (takes && to == 6) own_long[31:0] <= (own_long[31:0] & ~bytes) | (wdata & bytes);
      if (takes && to == 7) own_long[63:32] <= (own_long[63:32] & ~bytes) | (wdata & bytes);
      if (takes && to == 10 && wstrb[0]) enabled <= wdata[0];
      // The end of a run in the cycle of a clearing write is not lost.
      if (was_busy && !busy) pending <= 1;
      else if (takes && to == 9 && wstrb[0] && wdata[0]) pending <= 0;
      if (write) begin
        answers <= 1;
        refused <= !allowed;
      end else if (bready) answers <= 0;
      if (arvalid && arready) begin
        reads <= 1;
        read <= found;
        absent <= from > 10;
      end else if (rready) reads <= 0;
    end

  always @* if (begun) begin
    assert (value == own_value && live == own_live && long == own_long);
    assert (start == starts && irq == (pending && enabled));
    assert (awready == wready && (!awready || (awvalid && wvalid)));
    assert (bvalid == answers && rvalid == reads);
    if (bvalid) assert (bresp == (refused ? 2 : 0));
    if (rvalid) assert (rdata == read && rresp == (absent ? 2 : 0));
    // Neither a write nor a read waits for more than the answer before it.
    if (awvalid && wvalid && !bvalid) assert (awready);
    assert (arready == !rvalid);
    if (bvalid) assert (!awready);
  end

  // For the induction.
  (* hierconn *) wire \dut.pending ;
  (* hierconn *) wire \dut.enabled ;
  (* hierconn *) wire \dut.runs_before ;
  always @* if (begun)
    assert (\dut.pending == pending && \dut.enabled == enabled && \dut.runs_before == was_busy);
endmodule
