// Every start leads to done or error, whatever the engine of a chip does: it starts at most so much
// work, which WORK bounds, and the memory moves something at least every ANSWER cycles in which it
// owes anything. Nothing is on the memory port after the end.
module properties (
  input clk, input awvalid, input [5:0] awaddr, input wvalid, input [31:0] wdata, input [3:0] wstrb,
  input bready, input arvalid, input [5:0] araddr, input rready, input memory_arready,
  input [31:0] memory_rdata, input [1:0] memory_rresp, input memory_rvalid, input memory_awready,
  input memory_wready, input [1:0] memory_bresp, input memory_bvalid, input command_valid,
  input [63:0] command_address, input [31:0] command_beats, input beats_ready, input store,
  input [3:0] words, input [63:0] address, input finished, input [2:0] engine_error, input progress
);
  reg begun = 0;
  always @(posedge clk) begun <= 1;
  wire rst = !begun;

  wire awready, wready, memory_arvalid, memory_rready, memory_awvalid, memory_wvalid, memory_wlast;
  wire memory_bready, irq, running, command_ready, beats_valid, stored;
  wire [7:0] memory_arlen, memory_awlen;
  `PART dut (
    .clk(clk), .rst(rst),
    .registers__awvalid(awvalid), .registers__awaddr(awaddr), .registers__awprot(3'b0),
    .registers__awready(awready), .registers__wvalid(wvalid), .registers__wdata(wdata),
    .registers__wstrb(wstrb), .registers__wready(wready), .registers__bready(bready),
    .registers__arvalid(arvalid), .registers__araddr(araddr), .registers__arprot(3'b0),
    .registers__rready(rready),
    .memory__arvalid(memory_arvalid), .memory__arlen(memory_arlen),
    .memory__arready(memory_arready), .memory__rid(1'b0), .memory__rdata(memory_rdata),
    .memory__rresp(memory_rresp), .memory__rlast(1'b0), .memory__rvalid(memory_rvalid),
    .memory__rready(memory_rready), .memory__awvalid(memory_awvalid), .memory__awlen(memory_awlen),
    .memory__awready(memory_awready), .memory__wvalid(memory_wvalid), .memory__wlast(memory_wlast),
    .memory__wready(memory_wready), .memory__bid(1'b0), .memory__bresp(memory_bresp),
    .memory__bvalid(memory_bvalid), .memory__bready(memory_bready), .irq(irq),
    .trace__running(running), .trace__command__valid(command_valid),
    .trace__command__payload({command_beats, command_address}),
    .trace__command__ready(command_ready), .trace__beats__valid(beats_valid),
    .trace__beats__ready(beats_ready), .trace__store(store), .trace__words(words),
    .trace__address(address), .trace__stored(stored), .trace__finished(finished),
    .trace__error(engine_error), .trace__progress(progress)
  );
  (* hierconn *) wire \dut.supervisor.busy ;
  (* hierconn *) wire \dut.supervisor.done ;
  (* hierconn *) wire [2:0] \dut.supervisor.error ;
  wire busy = \dut.supervisor.busy ;
  wire stop = busy && !running;
  wire [2:0] error = \dut.supervisor.error ;

  // What the memory owes: addresses that wait, beats that were asked for, data, a response.
  reg [8:0] beats = 0;
  reg addressed = 0, ended = 0;
  wire [8:0] requested = memory_arlen + 9'd1;
  wire asks = memory_arvalid && memory_arready, reads = memory_rvalid && memory_rready;
  wire answers = memory_bvalid && memory_bready;
  wire address_goes = memory_awvalid && memory_awready, data_goes = memory_wvalid && memory_wready;
  wire moves = asks || reads || address_goes || data_goes || answers;
  wire owes = memory_arvalid || beats != 0 || memory_awvalid || memory_wvalid
    || (addressed && ended);
  reg [3:0] waits = 0;
  always @(posedge clk) begin
    beats <= rst ? 0 : beats + (asks ? requested : 0) - reads;
    addressed <= !rst && !answers && (addressed || address_goes);
    ended <= !rst && !answers && (ended || (data_goes && memory_wlast));
    waits <= !rst && owes && !moves ? waits + 1 : 0;
  end

  // What the engine may still begin: its own progress, beats to read and to store, each as often
  // as it moves something. An engine is reset in the cycle after the end of its run.
  reg was_running = 0;
  reg [4:0] work = 0;
  wire [4:0] stores = (words + 5'd3) >> 2;
  wire [34:0] costs = progress + (command_valid && command_ready ? 2 * command_beats : 0)
    + (store ? 3 * stores : 0);
  always @(posedge clk) begin
    was_running <= !rst && running;
    work <= busy ? work - costs : `WORK;
  end
  always @* begin
    if (memory_rvalid) assume (beats != 0);
    if (memory_bvalid) assume (addressed && ended);
    assume (!owes || moves || waits < `ANSWER);
    assume (costs <= work && engine_error != `STALLED);
    if (!running && !was_running) assume (!command_valid && !store);
    if (store) assume (words != 0);
  end

  // Cycles of a run, those of them since its progress, and of its drain.
  wire goes_on = moves || progress;
  wire starts = awvalid && awready && awaddr[5:2] == 1 && wdata[0] && wstrb[0] && !busy;
  reg [9:0] ran = 0;
  reg [5:0] still = 0, silent = 0, drains = 0;
  reg started = 0, asked = 0, was_busy = 0, went = 0, owing = 0;
  always @(posedge clk) begin
    went <= !rst && goes_on;
    owing <= !rst && owes;
    ran <= !rst && running ? ran + 1 : 0;
    still <= !rst && running && !goes_on ? still + 1 : 0;
    silent <= !rst && running && !went ? silent + !owing : 0; // what the watchdog knows, late by one
    drains <= !rst && stop ? drains + 1 : 0;
    asked <= !rst && starts;
    started <= asked;
    was_busy <= !rst && busy;
  end

  always @* if (begun) begin
    if (started) assert (running && !\dut.supervisor.done && error == 0);
    if (running) assert (ran <= `WORK * `PATIENCE + `PATIENCE - 1);
    if (stop) assert (drains <= `DRAIN);
    if (was_busy && !busy) assert (\dut.supervisor.done == (error == 0));
    if (!busy) assert (!owes);
    // Who moves something every WATCHDOG cycles is not stopped as one who stands.
    if (was_running && error == `STALLED) assert (silent == `WATCHDOG);
  end

  // For the induction: what stands in the registers of supervisor and engines.
  (* hierconn *) wire [2:0] \dut.supervisor.quiet ;
  (* hierconn *) wire \dut.supervisor.goes_on , \dut.supervisor.owed ;
  (* hierconn *) wire [1:0] \dut.supervisor.fsm_state ;
  (* hierconn *) wire [2:0] \dut.read_engine.outstanding ;
  (* hierconn *) wire [2:0] \dut.read_engine.reserved ;
  (* hierconn *) wire [2:0] \dut.read_engine.fifo.level ;
  (* hierconn *) wire [31:0] \dut.read_engine.left ;
  (* hierconn *) wire [76:0] \dut.write_engine.todo ;
  (* hierconn *) wire [1:0] \dut.write_engine.fsm_state ;
  (* hierconn *) wire \dut.registers.start ;
  wire [3:0] next_quiet = went ? 0 : \dut.supervisor.quiet + !owing;
  wire writes = \dut.write_engine.fsm_state != 0;
  wire [3:0] stored_beats = \dut.write_engine.todo [67:64];
  wire sent = \dut.write_engine.todo [76];
  wire [8:0] burst = memory_awlen + 9'd1;
  // Handshakes of the burst that is written, and of all that is begun.
  wire [8:0] of_burst = writes ? memory_awvalid + (ended ? 0 : burst - sent) + 1 : 0;
  wire [8:0] of_drain = of_burst + \dut.read_engine.outstanding + memory_arvalid;
  wire [8:0] of_run = work + of_drain + 2 * \dut.read_engine.left
    + (writes ? 3 * (stored_beats - burst) : 0);
  always @* if (begun) begin
    assert (went == \dut.supervisor.goes_on && owing == \dut.supervisor.owed );
    assert (\dut.supervisor.fsm_state < 3 && \dut.write_engine.fsm_state < 3);
    assert (running == (\dut.supervisor.fsm_state == 1));
    assert (work <= `WORK && waits <= `ANSWER);
    assert (\dut.registers.start == asked);
    assert (!asked || !busy);
    // Reads.
    assert ({1'b0, \dut.read_engine.outstanding } == beats + (memory_arvalid ? requested : 0));
    assert (!memory_arvalid || requested <= 2);
    assert (\dut.read_engine.outstanding <= 4 && \dut.read_engine.reserved <= 4);
    if (running)
      assert ({1'b0, \dut.read_engine.reserved } == {1'b0, \dut.read_engine.outstanding } + \dut.read_engine.fifo.level );
    if (!busy) begin
      assert (\dut.read_engine.left == 0 && \dut.read_engine.reserved == 0 && \dut.read_engine.fifo.level == 0);
      assert (!writes);
    end
    assert (\dut.read_engine.left <= `WORK / 2);
    // Writes.
    if (writes) begin
      assert (stored_beats != 0 && burst <= stored_beats && burst <= 2);
      assert (3 * stored_beats <= `WORK);
      assert (ended || sent < burst);
    end
    assert ((\dut.write_engine.fsm_state == 1) == (memory_awvalid || memory_wvalid));
    if (writes) assert (memory_awvalid == !addressed && memory_wvalid == !ended);
    else assert (!memory_awvalid && !memory_wvalid && !addressed && !ended);
    // Time.
    if (running) begin
      assert (still <= next_quiet + waits && silent == \dut.supervisor.quiet );
      assert (\dut.supervisor.quiet < `WATCHDOG);
      assert (of_run <= `WORK);
      assert (ran + of_run * `PATIENCE <= `WORK * `PATIENCE + still);
      assert (!\dut.supervisor.done && error == 0);
    end
    if (stop) begin
      assert (!\dut.supervisor.done );
      assert (drains + of_drain * (`ANSWER + 1) + 1 <= `DRAIN + waits);
    end
  end
endmodule
