// The rules of AXI4 for the channels AR and R of a manager, and no beat without a place in the FIFO.
module properties (
  input clk, input command_valid, input [63:0] command_address, input [31:0] command_beats,
  input beats_ready, input arready, input rvalid, input [31:0] rdata, input [1:0] rresp, input stop
);
  reg begun = 0;
  always @(posedge clk) begun <= 1;
  wire rst = !begun;

  wire command_ready, beats_valid, arvalid, rready, idle, answers, taken, error;
  wire [31:0] beats;
  wire [63:0] araddr;
  wire [7:0] arlen;
  wire [2:0] arsize;
  wire [1:0] arburst;
  wire arid;
  `PART dut (
    .clk(clk), .rst(rst), .command__valid(command_valid),
    .command__payload({command_beats, command_address}), .command__ready(command_ready),
    .beats__payload(beats), .beats__valid(beats_valid), .beats__ready(beats_ready),
    .memory__arid(arid), .memory__araddr(araddr), .memory__arlen(arlen), .memory__arsize(arsize),
    .memory__arburst(arburst), .memory__arvalid(arvalid), .memory__arready(arready),
    .memory__rid(1'b0), .memory__rdata(rdata), .memory__rresp(rresp), .memory__rlast(1'b0),
    .memory__rvalid(rvalid), .memory__rready(rready), .stop(stop), .idle(idle),
    .answers(answers), .taken(taken), .error(error)
  );

  // The memory owes the beats of the addresses that it took, and gives no others.
  reg [8:0] owed = 0;
  reg after_reset = 0, waited = 0, stopped = 0, was_idle = 0;
  reg [76:0] address_before;
  wire [76:0] address_channel = {araddr, arlen, arsize, arburst};
  wire [8:0] requested = arlen + 9'd1;
  always @(posedge clk) begin
    after_reset <= rst;
    waited <= !rst && arvalid && !arready;
    address_before <= address_channel;
    stopped <= !rst && stop;
    was_idle <= idle;
    owed <= rst ? 0 : owed + (arvalid && arready ? requested : 0) - (rvalid && rready);
  end
  always @* begin
    if (rvalid) assume (owed != 0);
    // Who stops waits until all is idle.
    if (stopped && !was_idle) assume (stop);
  end

  always @* if (begun) begin
    if (after_reset) assert (!arvalid);
    if (waited) assert (arvalid && address_channel == address_before);
    if (arvalid) begin
      assert (arburst == 1 && arsize == 2 && arid == 0);
      assert (araddr[1:0] == 0);
      assert (requested <= `BURST);
      assert (araddr[11:0] + 4*requested <= 4096);
    end
    assert (rready);
    if (rvalid && !stop) assert (\dut.fifo.level < `FIFO);
    assert (answers == (arvalid || owed != 0));
    assert (error == (rvalid && rresp != 0));
    assert (taken == (rvalid || (arvalid && arready)));
    if (idle) assert (!answers);
  end

  // For the induction: what is outstanding and what is reserved.
  (* hierconn *) wire [`LEVEL-1:0] \dut.outstanding ;
  (* hierconn *) wire [`LEVEL-1:0] \dut.reserved ;
  (* hierconn *) wire [`LEVEL-1:0] \dut.fifo.level ;
  (* hierconn *) wire [31:0] \dut.left ;
  (* hierconn *) wire [63:0] \dut.address ;
  always @* if (begun) begin
    assert ({1'b0, \dut.outstanding } == owed + (arvalid ? requested : 0));
    assert (owed <= `FIFO);
    assert (\dut.address [1:0] == 0);
    assert (\dut.reserved <= `FIFO);
    if (stopped) begin
      assert (\dut.fifo.level == 0);
      if (!arvalid) assert (\dut.reserved == 0 || \dut.outstanding != 0);
      assert (\dut.outstanding <= `FIFO);
    end else
      assert ({1'b0, \dut.reserved } == {1'b0, \dut.outstanding } + {1'b0, \dut.fifo.level });
  end
endmodule
